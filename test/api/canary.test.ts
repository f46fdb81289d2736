/** The canary: a camera's password goes in by every door, and comes out of none. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { failure, LookoutError } from '../../src/errors.ts';
import { apiBench } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient } from '../support/grpc.ts';
import { cameraView } from '../support/scripted-control.ts';
import { ask, connectSocket } from '../support/socket-client.ts';

const password = 'c4n4ry-pass';
const url = `rtsp://operator:${password}@192.0.2.1:554/stream`;

test('no answer, log line, metric, socket frame or file holds a camera\'s password', async (t) => {
  const { app, as, script, lines, listen, store, config } = await apiBench(t, { level: 'trace' });
  const base = await listen();
  const grpc = grpcClient(t, app.grpc?.port() ?? 0);
  const seen: string[] = [];
  const record = (...values: unknown[]) => void seen.push(JSON.stringify(values));
  // The supervisor is careless: views, errors and journal rows hold the whole address.
  const lastError = { class: 'auth' as const, code: 'rtsp-401', message: `401 for ${url}`, at: '2026-01-01T00:00:00.000Z' };
  const careless = { ...cameraView('gate', { url, name: url, lastError }), password, credentials: { password } };
  script.cameras.set('gate', careless);
  script.events.push({ seq: 1, at: '2026-01-01T00:00:00.000Z', camera: 'gate', type: 'camera.transition', from: null, to: null, class: 'auth', code: null, message: url, evidence: `DESCRIBE ${url} RTSP/1.0`, attempt: 1, delayMs: 1, recording: false });
  script.flights.push({ camera: 'gate', seq: 1, class: 'auth', code: 'rtsp-401', from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:01.000Z', dialogue: [{ at: 0, by: 'probe', direction: 'sent', text: `DESCRIBE ${url} RTSP/1.0` }], rtp: [] });
  script.snapshot = () => Promise.reject(new LookoutError('LOOKOUT_NOT_LIVE', { message: `away: ${url}`, failure: failure('reset', 'x', url), cause: new Error(url) }));

  const status = await connectSocket(t, `${base}/status`, { auth: { token: 'viewer-token' } });
  status.onAny(record);
  const viewer = await connectSocket(t, `${base}/viewer`, { auth: { token: 'viewer-token' } });
  viewer.onAny(record);
  script.override.join = () => Promise.reject(new LookoutError('LOOKOUT_NOT_LIVE', { message: url }));
  record(await ask(viewer, 'join', { camera: 'gate' }));
  script.override.join = () => Promise.reject(new Error(url));
  record(await ask(viewer, 'join', { camera: 'gate' }));
  script.emit({ type: 'camera', id: 'gate', camera: careless });
  const [row] = script.events;
  assert.ok(row);
  script.emit({ type: 'journal', event: row });
  await eventually(() => seen.some((frame) => frame.includes('"camera"')) && seen.some((frame) => frame.includes('"journal"')), { what: 'both frames' });

  const watch = grpc.stream('WatchStreams');
  await eventually(() => watch.events.length >= 2, { what: 'the snapshot of a watch' });
  record(watch.events, await grpc.call('GetStream', { id: 'gate' }), await grpc.call('ListStreams'), await grpc.call('SetupStream', { id: 'gate', url }));
  record(await grpc.fails('SetupStream', { id: 'gate', url: `http://operator:${password}@192.0.2.1/`, name: url.repeat(9) }));
  watch.call.cancel();

  const admin = as('admin');
  for (const path of ['/api/v1/cameras', '/api/v1/cameras/gate', '/api/v1/cameras/gate/events', '/api/v1/cameras/gate/events/1/recording', '/api/v1/cameras/gate/snapshot.jpg', '/api/v1/sfu', '/metrics', '/readyz', '/docs/json']) record((await app.inject({ url: path, headers: admin })).body);
  const post = async (path: string, payload: object, method: 'POST' | 'PATCH' = 'POST') => record((await app.inject({ method, url: path, headers: admin, payload })).body);
  await post('/api/v1/cameras', { url, name: 'New', id: 'new' });
  await post('/api/v1/cameras', { url, id: 'new' });
  await post('/api/v1/cameras', { url, zork: url, transport: url });
  await post('/api/v1/cameras', { url: `http://operator:${password}@192.0.2.1/` });
  await post('/api/v1/cameras', { url: `rtsp://operator:${password}@` });
  await post('/api/v1/cameras/gate', { url, zork: 1 }, 'PATCH');
  await post('/api/v1/probe', { url });
  script.probe = () => Promise.reject(new LookoutError('LOOKOUT_PROBE_FAILED', { message: `no answer from ${url}`, failure: failure('timeout', 'x', url, url) }));
  await post('/api/v1/probe', { url });
  script.control.setup = () => Promise.reject(new Error(`unexpected ${url}`));
  record(await grpc.fails('SetupStream', { id: 'gate', url }));
  script.control.patch = () => Promise.reject(new Error(`unexpected ${url}`));
  await post('/api/v1/cameras/gate', { url }, 'PATCH');
  await store.cameras.put({ id: 'gate', url });
  await store.journal.flush();

  assert.ok(seen.length >= 20, 'it was asked');
  assert.ok(lines.some((line) => line.includes('unexpected rtsp://192.0.2.1')), 'the log has the error, redacted');
  for (const text of [...seen, ...lines]) assert.ok(!text.includes(password), text.slice(0, 400));
  for (const file of await readdir(config.data)) assert.ok(!(await readFile(join(config.data, file))).includes(password), file);
});
