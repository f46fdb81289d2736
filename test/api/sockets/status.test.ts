/** Namespace `/status` with real clients: who gets in, the snapshot, coalesced deltas, slow readers, the end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { io } from 'socket.io-client';
import type { CameraView, EventView, SystemView } from '../../../src/api/protocol.ts';
import { apiBench } from '../../support/api.ts';
import { defer } from '../../support/defer.ts';
import { eventually } from '../../support/eventually.ts';
import { cameraView, scriptedControl } from '../../support/scripted-control.ts';
import { collect, connectSocket } from '../../support/socket-client.ts';

type Snapshot = { system: SystemView; cameras: CameraView[]; workers: { index: number }[] };
type CameraDelta = { id: string; camera: CameraView | null };

/** A client that heard its snapshot. `snapshot` must be listened to before the connection is up. */
async function watcher(t: test.TestContext, base: string, token: string) {
  const socket = io(`${base}/status`, { transports: ['websocket'], reconnection: false, forceNew: true, auth: { token } });
  defer(t, () => void socket.disconnect());
  const snapshots = collect<Snapshot>(socket, 'snapshot');
  const cameras = collect<CameraDelta>(socket, 'camera');
  await eventually(() => snapshots.length === 1, { what: 'the snapshot' });
  return { socket, snapshots, cameras };
}

test('a client without, with a wrong and with a forged credential is refused with the code', async (t) => {
  const { listen } = await apiBench(t);
  const base = await listen();
  const code = async (options: object) => connectSocket(t, `${base}/status`, options).then(() => 'connected', (error: { data?: { code: string }; message: string }) => error.data?.code ?? error.message);
  assert.equal(await code({}), 'LOOKOUT_UNAUTHENTICATED');
  assert.equal(await code({ auth: { token: 'wrong' } }), 'LOOKOUT_UNAUTHENTICATED');
  assert.equal(await code({ auth: { token: { $ne: '' } } }), 'LOOKOUT_UNAUTHENTICATED');
  assert.equal(await code({ extraHeaders: { cookie: 'lookout_session=forged' } }), 'LOOKOUT_UNAUTHENTICATED');
  assert.equal(await code({ auth: { token: 'viewer-token' } }), 'connected');
});

test('a page of another origin cannot connect, whatever cookie its browser sends', async (t) => {
  const { listen } = await apiBench(t);
  const base = await listen();
  await assert.rejects(connectSocket(t, `${base}/status`, { auth: { token: 'admin-token' }, extraHeaders: { origin: 'http://evil.example' } }));
  await connectSocket(t, `${base}/status`, { auth: { token: 'admin-token' }, extraHeaders: { origin: base } });
});

test('a session cookie opens the socket, and logging out closes it', async (t) => {
  const { app, listen, token } = await apiBench(t);
  const base = await listen();
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: token('viewer') } });
  const cookie = `lookout_session=${login.cookies[0]?.value ?? ''}`;
  const socket = await connectSocket(t, `${base}/status`, { extraHeaders: { cookie } });
  await app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie, host: 'h', origin: 'http://h' } });
  await eventually(() => !socket.connected, { what: 'the socket to be closed' });
});

test('a socket ends with the session that opened it', async (t) => {
  const { app, listen, token } = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, sessionHours: 2 / 3600 } }) });
  const base = await listen();
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: token('viewer') } });
  const socket = await connectSocket(t, `${base}/status`, { extraHeaders: { cookie: `lookout_session=${login.cookies[0]?.value ?? ''}` } });
  await eventually(() => !socket.connected, { timeoutMs: 9000, what: 'the session to end' });
});

test('the snapshot comes once and holds everything, system figures follow every two seconds', async (t) => {
  const { listen } = await apiBench(t, { script: scriptedControl(['gate', 'yard']) });
  const { socket, snapshots } = await watcher(t, await listen(), 'viewer-token');
  assert.deepEqual(snapshots[0]?.cameras.map(({ id }) => id), ['gate', 'yard']);
  assert.equal(snapshots[0]?.workers.length, 1);
  assert.equal(snapshots[0]?.system.version, '0.1.0');
  const systems = collect<SystemView>(socket, 'system');
  await eventually(() => systems.length >= 2, { what: 'two system messages' });
  assert.equal(snapshots.length, 1);
});

test('three hundred changes of one camera within a second arrive as at most six, the last one last', async (t) => {
  const { listen, script } = await apiBench(t, { script: scriptedControl(['gate', 'yard']) });
  const { cameras } = await watcher(t, await listen(), 'viewer-token');
  const began = performance.now();
  for (let attempt = 1; attempt <= 300; attempt += 1) {
    script.emit({ type: 'camera', id: 'gate', camera: cameraView('gate', { attempt }) });
    await new Promise(setImmediate);
  }
  script.emit({ type: 'camera', id: 'yard', camera: cameraView('yard', { attempt: 7 }) });
  await eventually(() => cameras.some(({ camera }) => camera?.attempt === 300), { what: 'the last change' });
  const seconds = (performance.now() - began) / 1000;
  const ofGate = cameras.filter(({ id }) => id === 'gate').map(({ camera }) => camera?.attempt ?? 0);
  assert.equal(ofGate[0], 1, 'the first goes out at once');
  assert.equal(ofGate.at(-1), 300);
  assert.ok(ofGate.length <= 2 + 5 * seconds, `${ofGate.length} deltas in ${seconds} s`);
  await eventually(() => cameras.some(({ id }) => id === 'yard'), { what: 'the other camera, which waits for nobody' });
});

test('a removal passes changes that wait, and nothing of the camera follows it', async (t) => {
  const { listen, script } = await apiBench(t);
  const { cameras } = await watcher(t, await listen(), 'viewer-token');
  script.emit({ type: 'camera', id: 'gate', camera: cameraView('gate', { attempt: 1 }) });
  script.emit({ type: 'camera', id: 'gate', camera: cameraView('gate', { attempt: 2 }) });
  script.emit({ type: 'camera', id: 'gate', camera: null });
  script.emit({ type: 'camera', id: 'yard', camera: cameraView('yard') });
  await eventually(() => cameras.length === 3, { what: 'three deltas' });
  script.emit({ type: 'camera', id: 'hall', camera: cameraView('hall') });
  await eventually(() => cameras.length === 4, { what: 'a later delta' });
  assert.deepEqual(cameras.map(({ id, camera }) => [id, camera?.attempt ?? null]), [['gate', 1], ['gate', null], ['yard', 0], ['hall', 0]]);
});

test('journal rows arrive as they are written', async (t) => {
  const { listen, script } = await apiBench(t);
  const { socket } = await watcher(t, await listen(), 'viewer-token');
  const rows = collect<EventView>(socket, 'journal');
  for (const seq of [1, 2, 3]) script.emit({ type: 'journal', event: { seq, at: new Date().toISOString(), camera: 'gate', type: 'camera.transition', from: null, to: 'backoff', class: 'reset', code: null, message: 'm', evidence: null, attempt: null, delayMs: null, recording: false } });
  await eventually(() => rows.length === 3, { what: 'three rows' });
  assert.deepEqual(rows.map(({ seq }) => seq), [1, 2, 3]);
});

test('a client that does not read holds a bounded backlog, and gets a new snapshot when it reads again', async (t) => {
  const { app, listen, script } = await apiBench(t);
  const reader = await watcher(t, await listen(), 'viewer-token');
  // The client's TCP socket is paused: the kernel's buffers fill up, then the server's.
  const { engine } = reader.socket.io as unknown as { engine: { transport: { ws: { pause(): void; resume(): void } } } };
  engine.transport.ws.pause();
  const fat = 'x'.repeat(60_000);
  const flood = setInterval(() => {
    for (let n = 0; n < 40; n += 1) script.emit({ type: 'journal', event: { seq: n, at: new Date().toISOString(), camera: 'gate', type: 'flood', from: null, to: null, class: null, code: null, message: fat, evidence: null, attempt: null, delayMs: null, recording: false } });
  }, 5);
  defer(t, () => clearInterval(flood));
  const [server] = [...app.io.of('/status').sockets.values()];
  assert.ok(server);
  await eventually(() => !server.rooms.has('live'), { timeoutMs: 10_000, what: 'the slow client to be held back' });
  const backlog = () => (server.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;
  assert.ok(backlog() <= 66, `${backlog()} packets wait`);
  clearInterval(flood);
  engine.transport.ws.resume();
  await eventually(() => reader.snapshots.length === 2, { timeoutMs: 10_000, what: 'a new snapshot' });
  assert.ok(server.rooms.has('live'));
});

test('closing the program closes the sockets and ends within a second', async (t) => {
  const { app, listen, script } = await apiBench(t);
  const { socket } = await watcher(t, await listen(), 'viewer-token');
  const began = performance.now();
  await app.close();
  assert.ok(performance.now() - began < 1000);
  await eventually(() => !socket.connected, { what: 'the client to notice' });
  assert.equal(script.listeners(), 1, 'only the pictures still listen');
});
