/** Namespace `/viewer` with real clients: signalling, wrong requests, floods, deadlines, and nothing left behind. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Config } from '../../../src/config.ts';
import { apiBench } from '../../support/api.ts';
import { eventually } from '../../support/eventually.ts';
import { ask, collect, connectSocket } from '../../support/socket-client.ts';

async function viewerBench(t: TestContext, limits: Partial<Config['api']> = {}) {
  const bench = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, ...limits } }) });
  const base = await bench.listen();
  const connect = () => connectSocket(t, `${base}/viewer`, { auth: { token: 'viewer-token' } });
  return { ...bench, base, connect, socket: await connect() };
}

test('join, transport, connectTransport, consume, resume, pause and leave are answered in the order of a browser', async (t) => {
  const { socket, script } = await viewerBench(t);
  const joined = await ask(socket, 'join', { camera: 'gate' });
  assert.deepEqual(joined, { ok: true, value: { viewer: 'viewer-1', routerRtpCapabilities: { codecs: [] } } });
  const viewer = 'viewer-1';
  assert.equal((await ask(socket, 'transport', { viewer, rtpCapabilities: { codecs: [] } })).ok, true);
  assert.deepEqual(await ask(socket, 'connectTransport', { viewer, dtlsParameters: { role: 'client' } }), { ok: true, value: null });
  assert.deepEqual(await ask(socket, 'consume', { viewer, audio: true }), { ok: true, value: { consumers: [{ id: 'consumer-1', producerId: 'producer-1', kind: 'video', rtpParameters: {} }] } });
  for (const request of ['resume', 'pause', 'leave']) assert.deepEqual(await ask(socket, request, { viewer }), { ok: true, value: null });
  assert.equal(script.viewers.size, 0);
});

test('events of the supervisor reach the browser, and a viewer that is gone is no longer its own', async (t) => {
  const { socket, script } = await viewerBench(t);
  const viewer = 'viewer-1';
  const [states, ends] = [collect(socket, 'viewer'), collect(socket, 'gone')];
  await ask(socket, 'join', { camera: 'gate' });
  script.viewers.get(viewer)?.notify.viewer({ viewer, state: 'paused', reason: 'reset' });
  script.viewers.get(viewer)?.notify.gone({ viewer, reason: 'rejoin', message: 'The worker was replaced.' });
  await eventually(() => ends.length === 1, { what: 'the end' });
  assert.deepEqual(states, [{ viewer, state: 'paused', reason: 'reset' }]);
  assert.equal((await ask(socket, 'resume', { viewer })).error?.code, 'LOOKOUT_VIEWER_NOT_FOUND');
});

test('a connection cannot touch the viewer of another', async (t) => {
  const { socket, connect } = await viewerBench(t);
  await ask(socket, 'join', { camera: 'gate' });
  const other = await connect();
  for (const [request, body] of [['leave', {}], ['resume', {}], ['consume', {}], ['transport', { rtpCapabilities: {} }]] as const) {
    assert.equal((await ask(other, request, { viewer: 'viewer-1', ...body })).error?.code, 'LOOKOUT_VIEWER_NOT_FOUND', request);
  }
});

const garbage: [string, unknown][] = [
  ['join', undefined], ['join', null], ['join', 'gate'], ['join', { camera: '../x' }], ['join', { camera: 'gate', extra: 1 }], ['join', []],
  ['transport', { viewer: 'viewer-1' }], ['transport', { viewer: 1, rtpCapabilities: {} }], ['connectTransport', { viewer: 'viewer-1', dtlsParameters: 'x' }],
  ['consume', { viewer: 'viewer-1', audio: 'yes' }], ['leave', { viewer: 'x'.repeat(65) }],
];

test('garbage is answered with LOOKOUT_VALIDATION, reaches nobody, and leaves the connection usable', async (t) => {
  const { socket, script } = await viewerBench(t);
  for (const [event, body] of garbage) assert.equal((await ask(socket, event, body)).error?.code, 'LOOKOUT_VALIDATION', `${event} ${JSON.stringify(body)}`);
  socket.emit('join', { camera: 'gate' });
  socket.emit('join');
  socket.emit('join', { camera: 'gate' }, 'not a function');
  socket.emit('firstFrame', { viewer: 'viewer-1', milliseconds: 'NaN' });
  socket.emit('horse', {});
  assert.equal((await ask(socket, 'join', { camera: 'none' })).error?.code, 'LOOKOUT_CAMERA_NOT_FOUND');
  assert.equal(script.viewers.size, 2, 'a request without acknowledgement is a request all the same');
});

test('the sixty-fifth viewer of a connection is refused, also when all ask at once', async (t) => {
  const { socket, script } = await viewerBench(t);
  const answers = await Promise.all(Array.from({ length: 70 }, () => ask(socket, 'join', { camera: 'gate' })));
  assert.equal(answers.filter(({ ok }) => ok).length, 64);
  assert.ok(answers.filter(({ ok }) => !ok).every(({ error }) => error?.code === 'LOOKOUT_RATE_LIMITED'));
  assert.equal(script.viewers.size, 64);
});

test('a flood of requests is refused beyond the burst and does not reach the supervisor', async (t) => {
  const { socket, script } = await viewerBench(t);
  let reached = 0;
  script.override.join = () => {
    reached += 1;
    return Promise.resolve({ viewer: `v${reached}`, routerRtpCapabilities: {} });
  };
  const answers = await Promise.all(Array.from({ length: 1500 }, () => ask(socket, 'leave', { viewer: 'none' })));
  const limited = answers.filter(({ error }) => error?.code === 'LOOKOUT_RATE_LIMITED').length;
  assert.ok(limited > 500, `${limited} of 1500 were refused`);
});

test('a message larger than 64 kB ends the connection', async (t) => {
  const { socket } = await viewerBench(t);
  socket.emit('transport', { viewer: 'viewer-1', rtpCapabilities: { fat: 'x'.repeat(70_000) } });
  await eventually(() => !socket.connected, { what: 'the connection to end' });
});

test('a request that takes too long is answered with LOOKOUT_DEADLINE, and a late join leaves no viewer', async (t) => {
  const { socket, script } = await viewerBench(t, { requestMs: 500 });
  const finish = Promise.withResolvers<undefined>();
  script.override.join = async ({ owner, notify, camera }) => {
    await finish.promise;
    script.viewers.set('late', { owner, notify, camera });
    return { viewer: 'late', routerRtpCapabilities: {} };
  };
  const left = Promise.withResolvers<string>();
  script.override.leave = ({ viewer }) => {
    script.viewers.delete(viewer);
    left.resolve(viewer);
    return Promise.resolve();
  };
  assert.equal((await ask(socket, 'join', { camera: 'gate' })).error?.code, 'LOOKOUT_DEADLINE');
  finish.resolve(undefined);
  assert.equal(await left.promise, 'late');
});

test('a browser that goes away takes its viewers with it, also one whose join was under way', async (t) => {
  const { socket, script } = await viewerBench(t);
  await ask(socket, 'join', { camera: 'gate' });
  await ask(socket, 'join', { camera: 'gate' });
  const began = Promise.withResolvers<string>();
  const finish = Promise.withResolvers<undefined>();
  script.override.join = async ({ owner, notify, camera }) => {
    began.resolve(owner);
    await finish.promise;
    script.viewers.set('late', { owner, notify, camera });
    return { viewer: 'late', routerRtpCapabilities: {} };
  };
  socket.emit('join', { camera: 'gate' }, () => undefined);
  await began.promise;
  socket.disconnect();
  await eventually(() => script.viewers.size === 0, { what: 'both viewers to be released' });
  finish.resolve(undefined);
  await eventually(() => script.viewers.size === 0, { what: 'the late one to be released' });
  assert.deepEqual([...script.viewers], []);
});

test('a thrown mistake of ours is answered without its message', async (t) => {
  const { socket, script, lines } = await viewerBench(t);
  script.override.join = () => Promise.reject(new TypeError('inner workings'));
  const { error } = await ask(socket, 'join', { camera: 'gate' });
  assert.equal(error?.code, 'LOOKOUT_INTERNAL');
  assert.ok(!error.message.includes('inner'));
  assert.ok(lines.some((line) => line.includes('inner workings')));
});

test('the first frame a browser saw is counted, but only for a viewer of its own', async (t) => {
  const { app, as, socket } = await viewerBench(t);
  await ask(socket, 'join', { camera: 'gate' });
  socket.emit('firstFrame', { viewer: 'foreign', milliseconds: 100 });
  socket.emit('firstFrame', { viewer: 'viewer-1', milliseconds: 640 });
  await eventually(async () => /viewer_first_frame_seconds_count 1\b/u.test((await app.inject({ url: '/metrics', headers: as('viewer') })).body), { what: 'one observation' });
  assert.match((await app.inject({ url: '/metrics', headers: as('viewer') })).body, /viewer_first_frame_seconds_sum 0\.64\b/u);
});
