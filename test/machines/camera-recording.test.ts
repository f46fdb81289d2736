/** What a camera does with its record output: when it runs, what it hears of the source, and that its failures stay its own. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CameraInput } from '../../src/camera-config.ts';
import type { AnyActorRef } from 'xstate';
import { failure } from '../../src/errors.ts';
import { scriptCamera, type ScriptedCamera } from '../support/scripted-camera.ts';

type RecordInput = NonNullable<NonNullable<CameraInput['outputs']>['record']>;

function camera(t: TestContext, record: RecordInput, source?: CameraInput['source']): ScriptedCamera {
  const c = scriptCamera({ input: { outputs: { record }, ...(source ? { source } : {}) } });
  t.after(() => c.stop());
  return c;
}

const recorderOf = (c: ScriptedCamera): string => {
  const child = (c.actor.getSnapshot().children as Record<string, AnyActorRef | undefined>)['output:record'];
  const { value } = (child?.getSnapshot() ?? { value: 'none' }) as { value: string | Record<string, string> };
  return typeof value === 'string' ? value : Object.values(value).join();
};

test('a camera whose recording is off has no record output', (t) => {
  assert.equal(recorderOf(camera(t, { mode: 'off' })), 'none');
});

test('a camera that records attaches with the source, finishes with its loss, and attaches to the next source', async (t) => {
  const c = camera(t, { mode: 'continuous' });
  assert.equal(recorderOf(c), 'waiting');
  await c.goLive();
  assert.equal(recorderOf(c), 'starting');
  c.recorder({ type: 'process.started' });
  c.fail('reset', 1_000);
  assert.equal(recorderOf(c), 'finishing');
  assert.ok(c.asked.indexOf('recorder.finish.drain') < c.asked.indexOf('process.stop'), 'the output is told before the source');
  c.recorder({ type: 'process.finished' });
  c.recorder({ type: 'process.exited', failure: null });
  c.clock.increment(0);
  assert.equal(recorderOf(c), 'waiting');
  await c.released();
  await c.goLive();
  assert.equal(recorderOf(c), 'starting');
});

test('a source that is replaced without a teardown moves the output to the new hub', async (t) => {
  const c = camera(t, { mode: 'continuous' });
  await c.goLive();
  c.recorder({ type: 'process.started' });
  c.source({ type: 'source.started', hubPort: 77 });
  c.recorder({ type: 'process.finished' });
  c.recorder({ type: 'process.exited', failure: null });
  c.clock.increment(0);
  assert.equal(recorderOf(c), 'starting');
  assert.equal(c.state(), 'streaming.live');
});

test('a full disk, a dead host and a crashed actor of the output leave the camera live', async (t) => {
  const c = camera(t, { mode: 'continuous' });
  await c.goLive();
  const asked = (): string => c.asked.filter((word) => !word.startsWith('recorder')).join();
  const before = asked();
  c.recorder({ type: 'process.started' });
  c.recorder({ type: 'process.failed', failure: failure('storage', 'disk-full', 'The disk is full.') });
  c.recorder({ type: 'process.exited', failure: null });
  c.clock.increment(0);
  assert.equal(recorderOf(c), 'backoff');
  c.actor.send({ type: 'xstate.error.actor.output:record', error: new Error('thrown'), actorId: 'output:record' });
  assert.equal(recorderOf(c), 'none');
  assert.equal(c.actor.getSnapshot().context.outputs.record.error?.code, 'actor-crashed');
  c.clock.increment(0);
  assert.equal(recorderOf(c), 'starting');
  assert.equal(c.state(), 'streaming.live');
  assert.equal(asked(), before, 'neither source nor ingest heard of it');
});

test('manual recording starts and stops by command, also of a camera that is only open on demand', async (t) => {
  const c = camera(t, { mode: 'manual' }, { mode: 'on-demand' });
  assert.deepEqual([c.state(), recorderOf(c)], ['idle', 'off']);
  c.actor.send({ type: 'recording.set', wanted: true });
  await c.goLive();
  assert.deepEqual([c.state(), recorderOf(c)], ['streaming.live', 'starting']);
  c.clock.increment(60_000);
  assert.equal(c.state(), 'streaming.live', 'the recording keeps the source open');
  c.actor.send({ type: 'recording.set', wanted: false });
  c.clock.increment(10_000);
  await c.released();
  assert.equal(c.state(), 'idle');
});

test('a camera that is removed waits for the file to be finished, but not for ever', async (t) => {
  const c = camera(t, { mode: 'continuous' });
  await c.goLive();
  c.recorder({ type: 'process.started' });
  c.actor.send({ type: 'camera.dispose' });
  await c.released();
  assert.equal(c.state(), 'teardown.parting');
  c.recorder({ type: 'process.finished' });
  c.recorder({ type: 'process.exited', failure: null });
  assert.equal(c.actor.getSnapshot().status, 'done');

  const slow = camera(t, { mode: 'continuous' });
  await slow.goLive();
  slow.recorder({ type: 'process.started' });
  slow.actor.send({ type: 'camera.dispose' });
  await slow.released();
  slow.clock.increment(5_000);
  assert.equal(slow.actor.getSnapshot().status, 'done');
});
