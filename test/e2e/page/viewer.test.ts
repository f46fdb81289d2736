/** The WebRTC viewer against scripted signalling: when it joins, when it does not, and what it leaves behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { ApiError, type PlayerPhase } from '../../../visualizer/src/adapter.ts';
import type { Signalling } from '../../../visualizer/src/webrtc/signalling.ts';
import { Viewer } from '../../../visualizer/src/webrtc/viewer.ts';

type Script = (event: string) => Promise<unknown>;

function setUp(script: Script): { viewer: Viewer; asked: string[]; phases: PlayerPhase[]; connect: (connected: boolean) => void } {
  const asked: string[] = [];
  const phases: PlayerPhase[] = [];
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;
  const signalling: Signalling = {
    open: () => undefined,
    close: () => undefined,
    connected: () => connected,
    request: (event) => {
      asked.push(event);
      return script(event) as never;
    },
    firstFrame: () => undefined,
    listen: () => () => undefined,
    onConnection: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    negotiate: async () => () => undefined,
  };
  const viewer = new Viewer({ camera: 'lobby', signalling, sink: { stream: () => undefined, sound: () => undefined, phase: (phase) => phases.push(phase) } });
  return { viewer, asked, phases, connect: (value) => { connected = value; listeners.forEach((listener) => listener(value)); } };
}

const refused = (code: string): Script => () => Promise.reject(new ApiError({ code, statusCode: 0, message: code }));

test('a viewer asks for nothing while its camera is away, joins when it is there, and again after a failure', async () => {
  const { viewer, asked, phases } = setUp(refused('LOOKOUT_DEADLINE'));
  assert.deepEqual(asked, []);
  viewer.setAvailable(true);
  await eventually(() => asked.length >= 3, { timeoutMs: 10_000, what: 'the third joining' });
  assert.deepEqual([...new Set(asked)], ['join']);
  assert.equal(phases.includes('waiting'), true);
  viewer.close();
});

test('a viewer of a camera that this browser cannot play does not try again', async () => {
  const { viewer, asked, phases } = setUp(refused('LOOKOUT_UNSUPPORTED_MEDIA'));
  viewer.setAvailable(true);
  await eventually(() => phases.at(-1) === 'unsupported');
  viewer.setAvailable(false);
  viewer.setAvailable(true);
  await eventually(() => asked.length === 2, { what: 'a new try when the camera came back, perhaps with another codec' });
  viewer.close();
});

test('a viewer closed while the server makes it tells the server to forget it', async () => {
  let answer: (value: unknown) => void = () => undefined;
  const { viewer, asked } = setUp((event) => (event === 'join' ? new Promise((resolve) => { answer = resolve; }) : Promise.resolve(null)));
  viewer.setAvailable(true);
  await eventually(() => asked.includes('join'));
  viewer.close();
  answer({ viewer: 'v1', routerRtpCapabilities: {} });
  await eventually(() => asked.includes('leave'));
  assert.deepEqual(asked, ['join', 'leave']);
});

test('a viewer that lost the connection to the server joins as soon as it is back', async () => {
  const { viewer, asked, phases, connect } = setUp(() => new Promise(() => undefined));
  viewer.setAvailable(true);
  await eventually(() => asked.length === 1);
  connect(false);
  assert.equal(phases.at(-1), 'waiting');
  connect(true);
  await eventually(() => asked.length === 2);
  assert.deepEqual(asked, ['join', 'join']);
  viewer.close();
});
