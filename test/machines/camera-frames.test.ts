/** What a camera does with its frames output: decoded where that is asked for, in the form that is asked for, and nothing else is disturbed. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ActorRefFrom } from 'xstate';
import { cameraToInput, parseCamera, type CameraInput } from '../../src/camera-config.ts';
import type { outputMachine } from '../../src/machines/output.ts';
import { scriptCamera, type ScriptedCamera } from '../support/scripted-camera.ts';

type FramesInput = NonNullable<NonNullable<CameraInput['outputs']>['frames']>;

function camera(t: TestContext, frames: FramesInput, source?: CameraInput['source']): ScriptedCamera {
  const c = scriptCamera({ input: { outputs: { hls: { mode: 'off' }, frames }, ...(source ? { source } : {}) } });
  t.after(() => c.stop());
  return c;
}

const outputOf = (c: ScriptedCamera) => (c.actor.getSnapshot().children as Record<string, ActorRefFrom<typeof outputMachine> | undefined>)['output:frames']?.getSnapshot();
const stateOf = (c: ScriptedCamera): string => {
  const { value } = outputOf(c) ?? { value: 'none' };
  return typeof value === 'string' ? value : Object.values(value).join();
};
/** Its configuration, with other frames. */
const update = (c: ScriptedCamera, frames: FramesInput): void => {
  const before = cameraToInput(c.actor.getSnapshot().context.config);
  c.actor.send({ type: 'camera.update', config: parseCamera({ ...before, outputs: { ...before.outputs, frames } }) });
};

test('a camera whose frames are off has no frames output', (t) => {
  assert.equal(stateOf(camera(t, { mode: 'off' })), 'none');
});

test('an on-demand camera runs for its frames alone', async (t) => {
  const c = camera(t, { mode: 'always' }, { mode: 'on-demand' });
  await c.goLive();
  assert.equal(stateOf(c), 'starting');
});

test('another form begins the output anew and leaves the source alone; the same one changes nothing', async (t) => {
  const c = camera(t, { mode: 'always', format: 'GRAY8' });
  await c.goLive();
  c.recorder({ type: 'process.started' });
  update(c, { mode: 'always', format: 'GRAY8' });
  assert.equal(stateOf(c), 'running');
  update(c, { mode: 'always', format: 'GRAY8', width: 320 });
  assert.equal(stateOf(c), 'finishing');
  c.recorder({ type: 'process.finished' });
  c.recorder({ type: 'process.exited', failure: null });
  c.clock.increment(0);
  assert.equal(stateOf(c), 'starting');
  assert.deepEqual(outputOf(c)?.context.options, { width: 320, height: 360, fps: 5, format: 'GRAY8' });
  assert.equal(c.state(), 'streaming.live');
});

test('frames that are switched off end, and their camera goes on', async (t) => {
  const c = camera(t, { mode: 'always' });
  await c.goLive();
  c.recorder({ type: 'process.started' });
  update(c, { mode: 'off' });
  c.recorder({ type: 'process.finished' });
  c.recorder({ type: 'process.exited', failure: null });
  c.clock.increment(0);
  assert.equal(stateOf(c), 'off');
  assert.equal(c.state(), 'streaming.live');
});
