/** The camera chart and its ingest, feed, viewers and configuration, with scripted effects and simulated time. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { scriptCamera, settle, type ScriptedCamera } from '../support/scripted-camera.ts';

function camera(t: TestContext, ...options: Parameters<typeof scriptCamera>): ScriptedCamera {
  const scripted = scriptCamera(...options);
  t.after(() => scripted.stop());
  return scripted;
}

test('the producer pauses when the source is lost and resumes with the next packets; it is never replaced for that', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.producer({ type: 'producer.ready', worker: 0, workerPid: 99 });
  c.fail('silent', 1);
  await c.released();
  await c.goLive();
  assert.deepEqual(c.asked.filter((word) => word.startsWith('producer.')), ['producer.start', 'producer.resume', 'producer.pause', 'producer.resume']);
});

test('a new profile in the running stream replaces the ingest, not the source', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.producer({ type: 'producer.ready', worker: 0, workerPid: 99 });
  c.source({ type: 'source.media', media: { codec: 'H264', profile: 'high', profileLevelId: '64001f', width: 1280, height: 720, fps: 25 } });
  assert.equal(c.state(), 'streaming.live');
  assert.equal(c.asked.filter((word) => word === 'producer.start').length, 2);
  assert.equal(c.asked.filter((word) => word === 'process.start').length, 1);
});

test('a lost worker costs the ingest only: the source runs on and the ingest is made again at once', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.producer({ type: 'producer.ready', worker: 0, workerPid: 99 });
  c.producer({ type: 'producer.failed', failure: { class: 'sfu', code: 'worker-died', message: 'gone', at: 1 } });
  assert.equal(c.state(), 'streaming.live');
  assert.equal(c.actor.getSnapshot().context.worker, null);
  c.clock.increment(0);
  c.producer({ type: 'producer.ready', worker: 1, workerPid: 100 });
  assert.deepEqual(c.actor.getSnapshot().context.worker, { index: 1, pid: 100 });
  assert.equal(c.asked.filter((word) => word === 'process.start').length, 1);
});

test('the feed opens with the first viewer and shuts five seconds after the last', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.actor.send({ type: 'viewers.changed', count: 1 });
  assert.equal(c.asked.at(-1), 'feed.open');
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(4_999);
  assert.notEqual(c.asked.at(-1), 'feed.shut');
  c.clock.increment(1);
  assert.equal(c.asked.at(-1), 'feed.shut');
});

test('a viewer who comes back within the five seconds keeps the feed open', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.actor.send({ type: 'viewers.changed', count: 1 });
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(4_000);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  c.clock.increment(10_000);
  assert.ok(!c.asked.includes('feed.shut'));
});

test('an on-demand camera rests in idle, connects with the first viewer and rests again after the last', async (t) => {
  const c = camera(t, { input: { source: { mode: 'on-demand', closeAfterSeconds: 10 } } });
  assert.equal(c.state(), 'idle');
  c.actor.send({ type: 'viewers.changed', count: 1 });
  assert.equal(c.state(), 'connecting.admitting');
  await c.goLive();
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(10_000);
  await c.released();
  assert.equal(c.state(), 'idle');
});

test('a changed address replaces the source; a changed name does not', async (t) => {
  const c = camera(t);
  await c.goLive();
  const { config } = c.actor.getSnapshot().context;
  c.actor.send({ type: 'camera.update', config: { ...config, name: 'Renamed' } });
  assert.equal(c.state(), 'streaming.live');
  assert.equal(c.asked.filter((word) => word === 'probe').length, 1);
  c.actor.send({ type: 'camera.update', config: { ...config, transport: 'udp' } });
  await settle();
  assert.equal(c.asked.filter((word) => word === 'probe').length, 2, 'the new address is asked while the old source goes on');
  assert.equal(c.state(), 'streaming.live');
});

test('dispose releases everything and is then done', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.producer({ type: 'producer.ready', worker: 0, workerPid: 99 });
  c.actor.send({ type: 'camera.dispose' });
  await c.released();
  assert.equal(c.actor.getSnapshot().status, 'done');
  for (const word of ['process.closed', 'producer.closed', 'revoke']) assert.ok(c.asked.includes(word), word);
});

test('restarts are counted by the class of the failure before; an operator\'s restart is nobody\'s failure', async (t) => {
  const c = camera(t);
  await c.goLive();
  c.fail('eos', 1);
  await c.released();
  await c.goLive();
  c.source({ type: 'source.stalled', sinceMs: 1_000 });
  c.actor.send({ type: 'camera.restart' });
  await c.released();
  await c.goLive();
  const { restarts, sourcesStarted } = c.actor.getSnapshot().context;
  assert.deepEqual(restarts, { eos: 1 });
  assert.equal(sourcesStarted, 3);
});

test('a source actor that throws counts as a local failure and is started again', async (t) => {
  const c = camera(t);
  await c.goLive();
  // What XState sends to the parent when the child's logic throws; `supervisor.test.ts` has a child that really does.
  c.actor.send({ type: 'xstate.error.actor.source', error: new Error('thrown'), actorId: 'source' });
  await c.released();
  assert.equal(c.actor.getSnapshot().context.lastError?.code, 'actor-crashed');
});
