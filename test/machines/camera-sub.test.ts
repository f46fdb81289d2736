/** A second stream in the charts: it is the camera machine on demand, whose attempts wait for somebody; the supervisor tells its viewers from main's. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { cameraToInput, parseCamera } from '../../src/camera-config.ts';
import { keyOf, streamKey, streamOfKey, subCamera } from '../../src/streams.ts';
import { description, scriptCamera, settle, type ScriptedCamera } from '../support/scripted-camera.ts';
import { addCamera, scriptTree } from '../support/scripted-tree.ts';

const gate = parseCamera({
  id: 'gate', url: 'rtsp://camera.test/1', sub: { url: 'rtsp://ada:secret@camera.test/2' }, transport: 'tcp', source: { mode: 'always', closeAfterSeconds: 4 },
  outputs: { live: { feed: 'always' }, hls: { mode: 'always' }, record: { mode: 'continuous' }, frames: { mode: 'always' } },
});
const sub = subCamera(gate)!;

function watched(t: TestContext): ScriptedCamera {
  const { id: _, ...input } = cameraToInput(sub);
  const scripted = scriptCamera({ input });
  t.after(() => scripted.stop());
  return scripted;
}

test('the key of a second stream is no id, and tells whose it is', () => {
  for (const stream of ['main', 'sub'] as const) assert.deepEqual(streamOfKey(streamKey({ camera: 'gate', stream })), { camera: 'gate', stream });
  assert.equal(keyOf({ camera: 'gate' }), 'gate');
  assert.doesNotMatch(keyOf({ camera: 'gate', stream: 'sub' }), /^[a-z0-9][a-z0-9_-]{0,63}$/u);
  assert.deepEqual(streamOfKey(''), { camera: '', stream: 'main' });
});

test('as a camera it is its own address, on demand and live alone, with everything else as main has it', () => {
  assert.deepEqual([sub.url.safe, sub.source, sub.transport, sub.enabled, sub.sub], ['rtsp://camera.test/2', { mode: 'on-demand', closeAfterSeconds: 4 }, 'tcp', true, undefined]);
  const { live, hls, record, frames } = sub.outputs;
  assert.deepEqual([live.feed, hls.mode, record.mode, frames.mode], ['on-demand', 'off', 'off', 'off']);
  assert.equal(subCamera(sub), undefined);
});

test('it rests until somebody watches, and again some seconds after the last one', async (t) => {
  const c = watched(t);
  assert.equal(c.state(), 'idle');
  c.actor.send({ type: 'viewers.changed', count: 1 });
  await c.goLive();
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(3_999);
  assert.equal(c.state(), 'streaming.live');
  c.clock.increment(1);
  await c.released();
  assert.equal(c.state(), 'idle');
});

test('a viewer who stays sees every attempt; without one the next attempt waits for somebody, and remembers the failures', async (t) => {
  const c = watched(t);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  await settle();
  await c.answerProbe('not-found');
  await c.released();
  assert.equal(c.state(), 'backoff.waiting');
  const { delayMs } = c.actor.getSnapshot().context;
  assert.ok(delayMs >= 30_000);
  c.clock.increment(delayMs);
  assert.match(c.state(), /^connecting/u);
  await settle();
  await c.answerProbe('not-found');
  await c.released();
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(c.actor.getSnapshot().context.delayMs - 1);
  assert.equal(c.state(), 'backoff.waiting', 'one who comes sooner waits with it: the delay protects the camera');
  c.clock.increment(1);
  assert.equal(c.state(), 'idle');
  assert.equal(c.actor.getSnapshot().context.history.attempt, 2);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  assert.match(c.state(), /^connecting/u);
});

test('a port that opens calls nobody who is not there', async (t) => {
  const c = watched(t);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  await settle();
  await c.answerProbe('refused');
  await c.released();
  assert.equal(c.state(), 'backoff.watching');
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.presenceOpens(5_000);
  assert.equal(c.state(), 'idle');
});

test('in quarantine the slow probe waits for somebody, too', async (t) => {
  const c = watched(t);
  c.actor.send({ type: 'viewers.changed', count: 1 });
  await settle();
  await c.answerProbe('unsupported');
  await c.released();
  assert.equal(c.state(), 'quarantined');
  c.actor.send({ type: 'viewers.changed', count: 0 });
  c.clock.increment(300_000);
  assert.equal(c.state(), 'idle');
});

test('in the tree the two are told apart: viewers, crashes, removal', async () => {
  const tree = scriptTree();
  tree.root.send(addCamera(gate));
  tree.root.send(addCamera(sub));
  tree.root.send({ type: 'viewer.add', id: 'v', camera: sub.id, owner: 'o' });
  const viewersOf = (id: string): unknown => (tree.child(`camera:${id}`)?.getSnapshot() as { context: { viewers: number } }).context.viewers;
  assert.deepEqual([viewersOf(gate.id), viewersOf(sub.id)], [0, 1]);
  tree.child(`camera:${sub.id}`)?.send({ type: 'camera.update', config: null });
  assert.equal(tree.child(`camera:${sub.id}`), undefined, 'it crashed');
  assert.notEqual(tree.child(`camera:${gate.id}`), undefined);
  const [cleanup] = tree.questions('cleanup');
  assert.deepEqual((cleanup?.input as { child: string }).child, `camera:${sub.id}`);
  tree.answer(cleanup!, 'ok', description);
  await settle();
  assert.equal(viewersOf(sub.id), 1, 'it is back, with its viewer');
  const reasons: unknown[] = [];
  tree.root.send({ type: 'camera.remove', id: sub.id, viewers: 'rejoin' });
  for (const asked of tree.questions('close')) reasons.push((asked.input as { reason: string }).reason);
  assert.deepEqual(reasons, ['rejoin']);
  assert.ok(gate.id in tree.root.getSnapshot().context.cameras);
  tree.root.stop();
});
