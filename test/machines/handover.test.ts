/** Planned restarts: a second source starts beside the running one and takes over at a keyframe. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { SourceStats } from '../../src/media.ts';
import { description, scriptCamera, settle, type ScriptedCamera } from '../support/scripted-camera.ts';

const media = description.video!;
const stats = (rssBytes: number): SourceStats => ({ packets: 1, bytes: 1, frames: 1, keyframes: 1, packetAgeMs: 1, keyframeAgeMs: 1, bFrames: null, keyframeIntervalMs: 1_000, fps: 25, bitrate: 1, feedBytes: 0, feedSequence: 7, rssBytes });

/** A live camera that is watched, with an ingest that carries it. */
async function watched(t: TestContext, options: Parameters<typeof scriptCamera>[0] = {}): Promise<ScriptedCamera> {
  const c = scriptCamera(options);
  t.after(() => c.stop());
  await c.goLive();
  c.producer({ type: 'producer.ready', worker: 0, workerPid: 9 });
  c.producer({ type: 'producer.cycled' });
  assert.ok(c.asked.includes('gate.open'), 'the first source feeds once the ingest lets it through');
  c.asked.splice(c.asked.indexOf('gate.open'), 1);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  return c;
}

/** From the request to a successor that has shown its first keyframe. */
async function prepare(c: ScriptedCamera): Promise<void> {
  await settle();
  await c.answerProbe(description);
  c.source({ type: 'source.ready', pid: 2 });
  c.source({ type: 'source.started', hubPort: 10 });
  c.source({ type: 'source.flowing' });
  c.source({ type: 'source.media', media });
}

const starts = (c: ScriptedCamera): number => c.asked.filter((word) => word === 'process.start').length;
const handover = (c: ScriptedCamera) => c.actor.getSnapshot().context.handover;

test('a restart of a live camera keeps it live: the new source waits for a keyframe, the old feed shuts, the ingest forgets, the new one feeds', async (t) => {
  const c = await watched(t, { autoRelease: false });
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  assert.equal(c.state(), 'streaming.live');
  assert.equal(starts(c), 2);
  assert.equal(c.asked.at(-1), 'gate.arm');
  c.source({ type: 'gate.ready' });
  assert.equal(c.asked.at(-1), 'feed.shut');
  c.oldSource({ type: 'feed.shut' });
  assert.equal(c.asked.at(-1), 'producer.cycle');
  c.producer({ type: 'producer.cycled' });
  assert.deepEqual(c.asked.slice(-3), ['gate.open', 'process.stop', 'slot.free']);
  assert.deepEqual(c.actor.getSnapshot().context.host, { pid: 2, hubPort: 10, soundPort: null });
  assert.equal(handover(c)?.phase, 'replaced');
  assert.equal(c.state(), 'streaming.live');
  c.oldSource({ type: 'process.exited', failure: null });
  assert.ok(c.asked.includes('process.closed'), 'the old process is gone');
  assert.equal(c.actor.getSnapshot().context.sourcesStarted, 2);
  assert.deepEqual(c.actor.getSnapshot().context.restarts, {}, 'nobody failed');
});

test('while a successor prepares, the old source is the one that counts: its silence stalls the camera, its end tears both down', async (t) => {
  const c = await watched(t, { autoRelease: false });
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  c.oldSource({ type: 'source.stalled', sinceMs: 1_000 });
  assert.equal(c.state(), 'streaming.stalled');
  c.oldSource({ type: 'source.failed', failure: { class: 'reset', code: 'x', message: 'x', at: 1 } });
  assert.equal(c.state(), 'teardown.releasing');
  assert.equal(c.asked.filter((word) => word === 'process.stop').length, 2);
  c.oldSource({ type: 'process.exited', failure: null });
  assert.equal(c.state(), 'teardown.releasing', 'the other process is not reaped yet');
  c.source({ type: 'process.exited', failure: null });
  await settle();
  assert.equal(c.actor.getSnapshot().context.lastError?.class, 'reset');
});

test('a camera that nobody watches changes over without waiting for a keyframe', async (t) => {
  const c = scriptCamera();
  t.after(() => c.stop());
  await c.goLive();
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  assert.ok(!c.asked.includes('gate.arm'));
  assert.equal(handover(c)?.phase, 'replaced');
});

test('a successor that fails ends in the ordinary restart, because it was asked for', async (t) => {
  const c = await watched(t);
  c.actor.send({ type: 'camera.restart' });
  await settle();
  await c.answerProbe(description);
  c.source({ type: 'source.ready', pid: 2 });
  c.source({ type: 'source.failed', failure: { class: 'busy', code: 'rtsp-453', message: 'x', at: 1 } });
  assert.equal(handover(c)?.failure?.code, 'rtsp-453');
  await c.released();
  assert.equal(c.state(), 'connecting.probing');
  assert.equal(c.actor.getSnapshot().context.cause, null, 'the journal blames nobody');
});

test('a successor without a keyframe, and one whose keyframe does not come again, are given up after their deadline', async (t) => {
  for (const upTo of ['first', 'second'] as const) {
    const c = await watched(t);
    c.actor.send({ type: 'camera.restart' });
    if (upTo === 'second') await prepare(c);
    else {
      await settle();
      await c.answerProbe(description);
      c.source({ type: 'source.ready', pid: 2 });
      c.source({ type: 'source.started', hubPort: 10 });
    }
    c.clock.increment(15_000);
    assert.equal(handover(c)?.failure?.code, 'successor-deadline', upTo);
    assert.ok(c.state().startsWith('teardown') || c.state().startsWith('connecting'), c.state());
  }
});

test('an old source that does not shut its feed keeps feeding, and the camera restarts the ordinary way', async (t) => {
  const c = await watched(t);
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  c.source({ type: 'gate.ready' });
  c.clock.increment(500);
  assert.equal(handover(c)?.failure?.code, 'feed-not-shut');
  assert.ok(!c.asked.includes('gate.open'));
});

test('a new address is probed first, and the source for it takes over; the RTP clock never goes back', async (t) => {
  const c = await watched(t);
  const { config } = c.actor.getSnapshot().context;
  c.actor.send({ type: 'camera.update', config: { ...config, tls: { ...config.tls, verify: false } } });
  await prepare(c);
  c.source({ type: 'gate.ready' });
  c.oldSource({ type: 'feed.shut' });
  c.producer({ type: 'producer.cycled' });
  assert.equal(handover(c)?.reason, 'address');
  assert.equal(handover(c)?.phase, 'replaced');
  assert.equal(c.actor.getSnapshot().context.feed.shiftMs, 50);
});

test('a new address with another profile needs another ingest, so it is connected the ordinary way', async (t) => {
  const c = await watched(t);
  const { config } = c.actor.getSnapshot().context;
  c.actor.send({ type: 'camera.update', config: { ...config, tls: { ...config.tls, verify: false } } });
  await settle();
  await c.answerProbe({ ...description, video: { ...media, profileLevelId: '640028' } });
  assert.equal(starts(c), 1);
  await c.released();
  assert.equal(c.state(), 'connecting.probing');
});

test('a new address that differs in its level only takes over, since decoders and ingest go by the profile', async (t) => {
  const c = await watched(t);
  const { config } = c.actor.getSnapshot().context;
  c.actor.send({ type: 'camera.update', config: { ...config, tls: { ...config.tls, verify: false } } });
  await settle();
  await c.answerProbe({ ...description, video: { ...media, profileLevelId: '4d0028' } });
  assert.equal(starts(c), 2);
});

test('a host that grew past its limit is replaced once it was fresh for long enough, and not again right away', async (t) => {
  const c = await watched(t, { settings: { recycleRssBytes: 1_000 } });
  c.source({ type: 'source.stats', stats: stats(2_000) });
  assert.equal(handover(c), null, 'not yet: it has just started');
  c.clock.increment(30_000);
  c.source({ type: 'source.stats', stats: stats(999) });
  assert.equal(handover(c), null);
  c.source({ type: 'source.stats', stats: stats(2_000) });
  assert.equal(handover(c)?.reason, 'grown');
  await prepare(c);
  c.source({ type: 'gate.ready' });
  c.oldSource({ type: 'feed.shut' });
  c.producer({ type: 'producer.cycled' });
  c.source({ type: 'source.stats', stats: stats(2_000) });
  assert.equal(handover(c)?.phase, 'replaced');
});

test('a second restart while a successor takes over goes the ordinary way; a stop ends both sources', async (t) => {
  const c = await watched(t, { autoRelease: false });
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  c.actor.send({ type: 'camera.restart' });
  assert.equal(c.state(), 'teardown.releasing');
  c.actor.send({ type: 'camera.stop' });
  for (const tell of [c.oldSource, c.source]) tell({ type: 'process.exited', failure: null });
  await c.released();
  assert.equal(c.state(), 'stopped');
});

test('viewers that come while a successor waits at its gate are fed by it too', async (t) => {
  const c = scriptCamera();
  t.after(() => c.stop());
  await c.goLive();
  c.actor.send({ type: 'camera.restart' });
  await settle();
  await c.answerProbe(description);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  assert.equal(c.asked.filter((word) => word === 'feed.open').length, 2);
});

test('each source begins half a circle from the one before, whether or not anybody heard how far its feed came', async (t) => {
  const c = await watched(t);
  const next = (): number => c.actor.getSnapshot().context.feed.sequence ?? -1;
  const far = (from: number): number => Math.min((next() - from) & 0xffff, (from - next()) & 0xffff);
  const first = (next() + 0x8000) & 0xffff;
  assert.equal(far(first), 0x8000, 'far from the first, which has said nothing yet');
  c.source({ type: 'source.stats', stats: { ...stats(20_000_000), feedSequence: (first + 500) & 0xffff } });
  assert.equal(far(first + 500), 0x8000);
  const second = next();
  c.actor.send({ type: 'camera.restart' });
  await prepare(c);
  c.source({ type: 'gate.ready' });
  c.oldSource({ type: 'feed.shut' });
  c.producer({ type: 'producer.cycled' });
  assert.equal(handover(c)?.phase, 'replaced');
  assert.equal(far(second), 0x8000, 'and far from the second as soon as it feeds');
});
