/** Heartbeats with made-up time: a host that does not answer is frozen, and one that others see alive is rarely asked. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { spawn } from 'node:child_process';
import { watchHeartbeat } from '../../src/native/heartbeat.ts';
import { starvedMs } from '../../src/native/proc.ts';
import { eventually } from '../support/eventually.ts';

/** A host that answers each ping at once while `answers` is true. */
function host(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const state = { answers: true, pings: 0, frozen: false, starvedMs: 0 };
  const heartbeat = watchHeartbeat({
    heartbeatMs: 1_000, calmMs: 5_000, frozenMs: 800, readyMs: 10_000,
    starvedMs: () => state.starvedMs,
    ping: (seq) => {
      state.pings += 1;
      if (state.answers) queueMicrotask(() => heartbeat.pong(seq));
    },
    onFrozen: () => {
      state.frozen = true;
      heartbeat.stop();
    },
  });
  /** `starved`: of that time the host waits so large a share for a processor. */
  const pass = async (ms: number, starved = 0): Promise<void> => {
    for (let at = 0; at < ms && !state.frozen; at += 100) {
      state.starvedMs += 100 * starved;
      t.mock.timers.tick(100);
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
  };
  return { state, heartbeat, pass };
}

test('a host is asked every second, and every five while others see that it lives', async (t) => {
  const { state, heartbeat, pass } = host(t);
  heartbeat.begin();
  await pass(10_000);
  assert.ok(state.pings >= 10 && state.pings <= 11, `${state.pings} pings`);
  heartbeat.relax(true);
  const before = state.pings;
  await pass(20_000);
  assert.ok(state.pings - before >= 4 && state.pings - before <= 5, `${state.pings - before} pings`);
  assert.equal(state.frozen, false);
});

test('a question is asked at once, however calm it was, and a host that does not answer it is frozen', async (t) => {
  const { state, heartbeat, pass } = host(t);
  heartbeat.begin();
  heartbeat.relax(true);
  await pass(1_000);
  const before = state.pings;
  let answered = 0;
  void heartbeat.ask().then(() => (answered += 1));
  await pass(100);
  assert.deepEqual([state.pings, answered], [before + 1, 1]);
  state.answers = false;
  void heartbeat.ask().then(() => (answered += 1));
  await pass(700);
  assert.equal(state.frozen, false);
  await pass(300);
  assert.deepEqual([state.frozen, answered], [true, 1]);
});

test('an answer to what was asked before the question does not count for it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const asked: number[] = [];
  const heartbeat = watchHeartbeat({ heartbeatMs: 1_000, calmMs: 5_000, frozenMs: 800, readyMs: 10_000, starvedMs: () => 0, ping: (seq) => void asked.push(seq), onFrozen: () => undefined });
  heartbeat.begin();
  let answered = false;
  void heartbeat.ask().then(() => (answered = true));
  heartbeat.pong(asked[0]!);
  await Promise.resolve();
  assert.deepEqual([answered, asked.length], [false, 2]);
  heartbeat.pong(asked[1]!);
  await Promise.resolve();
  assert.equal(answered, true);
  heartbeat.stop();
});

test('a host that waits for a processor is not frozen; one that waits for something else is, and so is one that waits for ever', async (t) => {
  const { state, heartbeat, pass } = host(t);
  heartbeat.begin();
  await pass(1_000);
  state.answers = false;
  void heartbeat.ask();
  await pass(4_000, 0.5);
  assert.equal(state.frozen, false, 'starved');
  await pass(1_600);
  assert.equal(state.frozen, true, 'it waits for no processor any more');
});

test('a host that is starved for longer than anybody bears is frozen all the same', async (t) => {
  const { state, heartbeat, pass } = host(t);
  heartbeat.begin();
  await pass(1_000);
  state.answers = false;
  void heartbeat.ask();
  await pass(10_000, 1);
  assert.equal(state.frozen, true);
});

test('the kernel says how long a process has waited for a processor', async () => {
  const spins = Array.from({ length: 3 }, () => spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }));
  try {
    const pid = spins[0]!.pid!;
    await eventually(() => starvedMs(pid) > 20, { timeoutMs: 20_000, what: 'a process that waits for its turn' });
    process.kill(pid, 'SIGSTOP');
    await eventually(async () => {
      const before = starvedMs(pid);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return starvedMs(pid) === before;
    }, { timeoutMs: 5_000, what: 'a stopped process that waits for nothing' });
  } finally {
    for (const spin of spins) spin.kill('SIGKILL');
  }
});
