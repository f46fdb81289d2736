/** How a host takes leave of its camera. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActor, fromCallback, setup, type ActorRefFrom } from 'xstate';
import { parseCamera } from '../../src/camera-config.ts';
import { failure, type Failure } from '../../src/errors.ts';
import { hostMachine } from '../../src/machines/host.ts';
import { settings } from '../support/scripted-camera.ts';

const source = { config: parseCamera({ id: 'test', url: 'rtsp://camera.test/stream' }), transport: 'tcp' as const, codec: 'H264' as const, feed: { port: 20_000, bindPort: 20_001, ssrc: 7, payloadType: 96, open: false } };

/** Where a running host is after this failure and its release; the process may have died in between. */
function after(failed: Failure, died = false): unknown {
  const host = hostMachine.provide({ actors: { process: fromCallback(() => undefined) } });
  const parent = createActor(setup({ actors: { host } }).createMachine({ invoke: { id: 'host', src: 'host', input: { slot: 'a', source, deadlines: settings.source } } })).start();
  const child = parent.getSnapshot().children['host'] as ActorRefFrom<typeof hostMachine>;
  child.send({ type: 'source.ready', pid: 1 });
  child.send({ type: 'source.started', hubPort: 1 });
  child.send({ type: 'source.failed', failure: failed });
  if (died) child.send({ type: 'process.exited', failure: null });
  child.send({ type: 'host.release' });
  const { value } = child.getSnapshot();
  parent.stop();
  return value;
}

test('a host whose camera still hears says goodbye; one whose connection ended is killed at once', () => {
  assert.equal(after(failure('silent', 'silent', 'no packet')), 'stopping');
  assert.equal(after(failure('eos', 'eos', 'BYE, the connection stays')), 'stopping');
  assert.equal(after(failure('reset', 'connection-reset', 'the connection broke')), 'killing');
  assert.equal(after(failure('eos', 'connection-closed', 'the camera closed it')), 'killing');
});

test('a host that is dead already is released', () => {
  assert.equal(after(failure('reset', 'connection-reset', 'the connection broke'), true), 'released');
  assert.equal(after(failure('silent', 'silent', 'no packet'), true), 'released');
});
