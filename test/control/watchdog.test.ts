/** The watchdog on a real process: late by real stops, large by a real limit. It says so, recovers, or ends and is started again. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { childrenOf, isAlive, startLookout, type Lookout } from '../support/lookout.ts';

/** Stops a process again and again, 450 of 500 ms, until it is told to let go: its event loop is late by as much. */
function hinder(pid: number): () => Promise<void> {
  let on = true;
  const run = async (): Promise<void> => {
    while (on) {
      process.kill(pid, 'SIGSTOP');
      await delay(450);
      process.kill(pid, 'SIGCONT');
      await delay(50);
    }
  };
  const running = run().catch(() => undefined);
  return async () => {
    on = false;
    await running;
  };
}

const readiness = async (lookout: Lookout): Promise<{ ready: boolean; reasons: string[] }> => await (await fetch(`${lookout.url}/readyz`)).json() as { ready: boolean; reasons: string[] };

test('a process whose event loop is late says so in readiness, log and metrics, and recovers by itself', async (t) => {
  await using lookout = await startLookout({ config: { watchdog: { delayMs: 300, sustainMs: 1_000 } } });
  const release = hinder(lookout.pid);
  t.after(release);
  const reason = await eventually(async () => (await readiness(lookout)).reasons[0], { timeoutMs: 20_000, what: 'readiness to say that it is late' });
  assert.match(reason ?? '', /^The watchdog: the event loop is late by \d{3,} ms\.$/u);
  const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  assert.match(metrics, /^vms_media_watchdog_passed\{limit="delay"\} 1$/mu);
  assert.match(metrics, /^vms_media_watchdog_passed\{limit="memory"\} 0$/mu);
  await release();
  await eventually(async () => (await readiness(lookout)).ready, { timeoutMs: 20_000, what: 'readiness after it was let go' });
  assert.ok(lookout.lines.some((line) => line.includes('"limit":"delay"') && line.includes('"level":"warn"')));
  assert.ok(lookout.lines.some((line) => line.includes('all is well again')));
});

test('past the hard limit the process ends with its reason, and the guardian starts another', async () => {
  await using lookout = await startLookout({ guarded: true, config: { watchdog: { delayMs: 300, exitDelayMs: 350, sustainMs: 1_000 }, guardian: { standby: false } } });
  const supervisor = async (not = 0): Promise<number> => await eventually(async () => (await childrenOf(lookout.pid)).find(({ pid, command }) => pid !== not && command.includes('src/main.ts'))?.pid, { timeoutMs: 20_000, what: 'a supervisor' }) as number;
  const was = await supervisor();
  const release = hinder(was);
  await supervisor(was);
  await release();
  await eventually(async () => (await readiness(lookout)).ready, { timeoutMs: 20_000, what: 'the new one to be ready' });
  const told = lookout.lines.join('\n');
  assert.match(told, /"reason":"the event loop is late by \d{3,} ms".*the supervisor gave up/u);
  assert.match(told, /The supervisor gave up: the event loop is late by \d{3,} ms\. Starting it again/u);
});

test('memory past its limits ends the process in order, with exit code 1', async () => {
  await using lookout = await startLookout({ config: { watchdog: { rssBytes: 1_000_000, exitRssBytes: 1_000_000, sustainMs: 0 } } });
  await eventually(async () => !(await isAlive(lookout.pid)), { timeoutMs: 20_000, what: 'it to end by itself' });
  assert.deepEqual(await lookout.stop(), { code: 1, signal: null });
  assert.match(lookout.lines.join('\n'), /"reason":"memory is \d+ MiB, of which the heap has \d+ % of what it may"/u);
});
