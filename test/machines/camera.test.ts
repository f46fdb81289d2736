/** The camera chart: every path that an operator can meet, with scripted effects and simulated time. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { description, scriptCamera, settle, type ScriptedCamera } from '../support/scripted-camera.ts';

function camera(t: TestContext, ...options: Parameters<typeof scriptCamera>): ScriptedCamera {
  const scripted = scriptCamera(...options);
  t.after(() => scripted.stop());
  return scripted;
}

test('a camera asks for a slot, probes, starts a source and is live with its first packet', async (t) => {
  const c = camera(t);
  assert.equal(c.state(), 'connecting.admitting');
  await settle();
  assert.equal(c.state(), 'connecting.probing');
  await c.answerProbe(description);
  assert.equal(c.state(), 'connecting.starting');
  assert.deepEqual(c.asked.slice(0, 2), ['slot.ask', 'probe']);
  assert.deepEqual(c.asked.slice(2).sort(), ['process.start', 'producer.start']);
  c.source({ type: 'source.ready', pid: 4711 });
  c.source({ type: 'source.started', hubPort: 9 });
  c.source({ type: 'source.flowing' });
  assert.equal(c.state(), 'streaming.live');
  assert.equal(c.asked.at(-1), 'slot.free', 'the slot is free for the next camera as soon as this one is connected');
  assert.deepEqual(c.actor.getSnapshot().context.host, { pid: 4711, hubPort: 9, soundPort: null });
});

test('a camera that is disabled stays stopped until it is started', async (t) => {
  const c = camera(t, { input: { enabled: false } });
  assert.equal(c.state(), 'stopped');
  c.actor.send({ type: 'camera.start' });
  assert.equal(c.state(), 'connecting.admitting');
});

test('a stream without packets is stalled, and live again with the next one', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.source({ type: 'source.stalled', sinceMs: 1_000 });
  assert.equal(c.state(), 'streaming.stalled');
  c.source({ type: 'source.flowing' });
  assert.equal(c.state(), 'streaming.live');
});

test('a reset after a fresh stream is released, confirmed and tried again at once', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.fail('reset', 100_000);
  assert.equal(c.state(), 'teardown.confirming');
  await c.released();
  assert.equal(c.state(), 'connecting.probing');
  const after = c.asked.slice(c.asked.indexOf('process.stop'));
  assert.deepEqual(after.filter((word) => ['process.stop', 'revoke', 'slot.ask'].includes(word)), ['process.stop', 'revoke', 'slot.ask']);
  assert.ok(after.indexOf('process.closed') < after.indexOf('slot.ask'), 'the old source is gone before the next attempt');
});

test('the second reset waits between 0 and the base delay, and the third may wait twice as long', async (t) => {
  const c = camera(t);
  await c.goLive();
  for (const [nth, bound] of [[1, 500], [2, 1_000]] as const) {
    c.fail('reset', 100_000 + nth);
    await c.released();
    if (nth > 1) {
      assert.equal(c.state(), 'backoff.waiting');
      const { delayMs } = c.actor.getSnapshot().context;
      assert.ok(delayMs >= 0 && delayMs <= bound, `${delayMs} within ${bound}`);
      c.clock.increment(delayMs);
    }
    await c.goLive();
    assert.equal(c.state(), 'streaming.live');
  }
});

test('the attempt counter is forgotten only after 30 s of fresh frames, and a stall begins them anew', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.fail('reset', 1);
  await c.released();
  await c.goLive();
  assert.equal(c.actor.getSnapshot().context.history.attempt, 1);
  c.clock.increment(29_000);
  c.source({ type: 'source.stalled', sinceMs: 1_000 });
  c.source({ type: 'source.flowing' });
  c.clock.increment(29_000);
  assert.equal(c.actor.getSnapshot().context.history.attempt, 1);
  c.clock.increment(1_000);
  assert.equal(c.actor.getSnapshot().context.history.attempt, 0);
});

test('a refused camera is watched for its port, and the port cuts the delay short', async (t) => {
  const c = camera(t);
  await settle();
  await c.answerProbe('refused');
  await c.released();
  assert.equal(c.state(), 'backoff.watching');
  c.presenceOpens(2_000);
  assert.equal(c.state(), 'connecting.admitting');
  assert.ok(c.asked.includes('presence.end'), 'nobody knocks any more');
});

test('a 404 just after the port came back means that the camera is booting: every second, not every half minute', async (t) => {
  const c = camera(t);
  await settle();
  await c.answerProbe('refused');
  await c.released();
  c.presenceOpens(900);
  await settle();
  await c.answerProbe('not-found');
  await c.released();
  const { context } = c.actor.getSnapshot();
  assert.equal(context.lastError?.class, 'booting');
  assert.ok(context.delayMs >= 750 && context.delayMs <= 1_250);
});

test('three wrong passwords in a row quarantine the camera, and "retry" forgives', async (t) => {
  const c = camera(t);
  for (let nth = 1; nth <= 3; nth += 1) {
    await settle();
    await c.answerProbe('auth');
    await c.released();
    if (nth < 3) {
      assert.equal(c.state(), 'backoff.waiting');
      assert.ok(c.actor.getSnapshot().context.delayMs >= 30_000, 'never sooner than the camera may lock the account');
      c.clock.increment(c.actor.getSnapshot().context.delayMs);
    }
  }
  assert.equal(c.state(), 'quarantined');
  c.actor.send({ type: 'camera.retry' });
  assert.equal(c.state(), 'connecting.admitting');
  assert.equal(c.actor.getSnapshot().context.history.attempt, 0);
});

test('more than ten failures in five minutes quarantine the camera, with one slow probe', async (t) => {
  const c = camera(t);
  for (let nth = 1; nth <= 11; nth += 1) {
    await c.goLive();
    c.fail('host-crash', 1_000 * nth);
    await c.released();
    if (c.state().startsWith('backoff')) c.clock.increment(c.actor.getSnapshot().context.delayMs);
  }
  assert.equal(c.state(), 'quarantined');
  c.clock.increment(300_000);
  assert.equal(c.state(), 'connecting.admitting');
});

test('a camera without any track we can carry is quarantined with the tracks it offered', async (t) => {
  const c = camera(t);
  await settle();
  await c.answerProbe({ ...description, video: null, unsupported: ['video/JPEG'] });
  await c.released();
  assert.equal(c.state(), 'quarantined');
  assert.match(c.actor.getSnapshot().context.lastError?.message ?? '', /video\/JPEG/u);
});

test('a camera that refuses TCP is tried over UDP at once', async (t) => {
  const c = camera(t);
  await settle();
  await c.answerProbe(description);
  c.source({ type: 'source.ready', pid: 1 });
  c.fail('server-error', 5, 'rtsp-461');
  await c.released();
  assert.equal(c.state(), 'connecting.probing');
  assert.equal(c.actor.getSnapshot().context.transport, 'udp');
});

test('teardown waits for the source; a source that never answers is given up after the deadline, and revoked', async (t) => {
  const c = camera(t, { autoRelease: false });
  await c.goLive();
  c.actor.send({ type: 'camera.stop' });
  assert.equal(c.state(), 'teardown.releasing');
  await settle();
  assert.equal(c.state(), 'teardown.releasing');
  c.clock.increment(300);
  assert.ok(c.asked.includes('process.kill'), 'SIGKILL follows the grace of 300 ms');
  c.clock.increment(3_000);
  await c.released();
  assert.equal(c.state(), 'stopped');
  assert.ok(c.asked.includes('revoke'));
});

test('stop during backoff, quarantine or connecting ends in stopped with nothing running', async (t) => {
  const c = camera(t);
  await settle();
  c.actor.send({ type: 'camera.stop' });
  await c.released();
  assert.equal(c.state(), 'stopped');
  c.actor.send({ type: 'camera.start' });
  await settle();
  await c.answerProbe('timeout');
  await c.released();
  c.actor.send({ type: 'camera.stop' });
  assert.equal(c.state(), 'stopped');
  c.clock.increment(1_000_000);
  assert.equal(c.state(), 'stopped');
});

test('what an operator asks for is nobody\'s failure: a stop soon after a recovery blames no class', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.fail('reset', 1);
  await c.released();
  await c.goLive();
  assert.equal(c.actor.getSnapshot().context.cause?.class, 'reset');
  c.actor.send({ type: 'camera.stop' });
  assert.equal(c.actor.getSnapshot().context.cause, null);
  assert.equal(c.actor.getSnapshot().context.lastError?.class, 'reset', 'still told to whoever asks for the last error');
});
