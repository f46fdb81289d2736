/** A viewer that is limited to some cameras: for it, the others do not exist, whatever it asks and whatever happens to them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { io } from 'socket.io-client';
import { routeRoles } from '../../src/api/access-table.ts';
import { hashToken } from '../../src/api/auth.ts';
import type { CameraView, EventView, IncidentView, RecordingView, SystemView } from '../../src/api/protocol.ts';
import { apiBench } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { cameraView, exportView, scriptedControl } from '../support/scripted-control.ts';
import { sdpOffer } from '../support/sdp-offer.ts';
import { ask, collect, connectSocket } from '../support/socket-client.ts';

const headers = { authorization: 'Bearer limited-token' };
const event = (seq: number, camera: string, message = 'm'): EventView => ({ seq, at: '2026-01-01T00:00:00.000Z', camera, type: 'camera.transition', from: null, to: null, class: null, code: null, message, evidence: null, attempt: null, delayMs: null, recording: false });
const lost = (camera: string) => ({ camera, class: 'reset' as const, lostAt: '2026-01-01T00:00:00.000Z', backAt: null });
const incident = (id: string, ...cameras: string[]): IncidentView => ({ id, openedAt: '2026-01-01T00:00:00.000Z', closedAt: null, cause: 'address', message: `${cameras.join()} at 10.0.0.1`, cameras: cameras.map(lost) });

/** Cameras `gate` and `yard`; the token sees `gate` alone. Everything about the other one is marked `yard`. */
async function bench(t: TestContext) {
  const script = scriptedControl(['gate', 'yard']);
  const { outputs } = cameraView('gate');
  script.cameras.set('gate', cameraView('gate', { outputs: { ...outputs, frames: { ...outputs.frames, mode: 'always', state: 'running' } } }));
  script.cameras.set('yard', cameraView('yard', { viewers: 5 }));
  script.incidents.push(incident('1', 'gate', 'yard', 'yard2'), incident('2', 'yard', 'yard2', 'yard3'));
  script.recordings.push(...['gate', 'yard'].map((camera): RecordingView => ({ id: `${camera}-1`, camera, path: `${camera}/1.mkv`, startAt: '2026-01-01T00:00:00.000Z', endAt: '2026-01-01T00:00:01.000Z', durationMs: 1_000, bytes: 1, frames: 25, codec: 'H264', width: 1, height: 1, sound: null, closed: true, gapBefore: null })));
  script.recordingFile = import.meta.filename.replace('limited', 'page');
  script.exports.push(exportView('gate-1', 'gate'), exportView('yard-1', 'yard'));
  script.events.push(event(1, 'gate'), event(2, 'yard', 'yard'));
  const both = <T extends { camera: string }>(list: T[]): T[] => list.flatMap((entry) => [entry, { ...entry, camera: 'yard' }]);
  script.flights.push(...['gate', 'yard'].map((camera) => ({ camera, seq: 1, class: 'auth' as const, code: 'rtsp-401', from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:01.000Z', dialogue: [], rtp: [] })));
  script.sfu = { workers: script.sfu.workers, routers: both(script.sfu.routers), transports: both(script.sfu.transports), producers: both(script.sfu.producers), consumers: both(script.sfu.consumers), primers: both([{ camera: 'gate', viewer: 'v', live: true }]) };
  const made = await apiBench(t, { script });
  await made.store.tokens.add({ id: 'limited', name: 'limited', role: 'viewer', cameras: ['gate', 'later'], createdAt: 1, expiresAt: null, hash: hashToken('limited-token') });
  return made;
}

for (const [route, role] of Object.entries(routeRoles)) {
  if (role === 'internal' || role === 'public') continue;
  test(`${route} tells a viewer of "gate" nothing of "yard"`, async (t) => {
    const { app } = await bench(t);
    const [method, path] = route.split(' ') as ['GET', string];
    const kept = /^\/api\/v1\/(recording|export)s\//u.exec(path)?.[1]?.toUpperCase();
    const isWhep = path.startsWith('/whep/');
    const offer = isWhep ? { payload: sdpOffer(), headers: { ...headers, 'content-type': 'application/sdp' } } : { headers };
    const opened = isWhep ? String((await app.inject({ method: 'POST', url: '/whep/gate', ...offer })).headers['location']).split('/').at(-1) ?? '' : '';
    const askFor = (id: string) => app.inject({ method, url: path.replace('{id}', kept !== undefined ? `${id}-1` : id).replace('{seq}', '1').replace('{camera}', id).replace('{recording}/{segment}', `${id}-1/init.mp4`).replace('{session}/{segment}', `${randomUUID()}/000001.ts`).replace('{session}', opened), ...offer });
    const own = await askFor('gate');
    assert.ok(!own.body.includes('yard') && !own.body.includes('10.0.0.1'), own.body);
    if (role !== 'viewer') assert.equal(own.statusCode, 403);
    else if (path === '/metrics') assert.equal(own.statusCode, 403, 'metrics are about all cameras');
    else if (method as string === 'PATCH') assert.equal(own.statusCode, 405, 'WHEP needs no candidates');
    else assert.ok(own.statusCode < 300, own.body);
    if (role !== 'viewer' || !/\{(id|camera)\}/u.test(path)) return;
    const [other, none] = [await askFor('yard'), await askFor('nowhere')];
    assert.deepEqual([other.statusCode, other.json<{ code: string }>().code], [404, `LOOKOUT_${kept ?? 'CAMERA'}_NOT_FOUND`]);
    assert.equal(other.body.replace('yard', 'nowhere'), none.body, 'as if it did not exist');
  });
}

test('what is left of a list is what it may see', async (t) => {
  const { app } = await bench(t);
  const get = async <T>(url: string) => (await app.inject({ url, headers })).json<T>();
  assert.deepEqual((await get<{ cameras: CameraView[] }>('/api/v1/cameras')).cameras.map(({ id }) => id), ['gate']);
  const { incidents } = await get<{ incidents: IncidentView[] }>('/api/v1/incidents');
  assert.deepEqual(incidents.map(({ id, cameras }) => [id, cameras.map(({ camera }) => camera)]), [['1', ['gate']]]);
  assert.deepEqual((await get<{ cameras: number[] }>('/api/v1/trends')).cameras, [1], 'and of the trends those of its cameras');
  const sfu = await get<Record<string, { camera: string }[]>>('/api/v1/sfu');
  for (const kind of ['routers', 'transports', 'producers', 'consumers', 'primers']) assert.deepEqual(sfu[kind]?.map(({ camera }) => camera), ['gate'], kind);
  assert.deepEqual(await get('/api/v1/session'), { name: 'limited', role: 'viewer', cameras: ['gate', 'later'] });
});

test('/status tells of its cameras alone, of one that is added later too, and nothing is lost for those who see all', async (t) => {
  const { listen, script } = await bench(t);
  const base = await listen();
  const watch = async (token: string) => {
    const socket = io(`${base}/status`, { transports: ['websocket'], reconnection: false, forceNew: true, auth: { token } });
    defer(t, () => void socket.disconnect());
    const heard: unknown[] = [];
    socket.onAny((...args: unknown[]) => void heard.push(args));
    const seen = { snapshots: collect<{ cameras: CameraView[]; system: SystemView }>(socket, 'snapshot'), cameras: collect<{ id: string }>(socket, 'camera'), journal: collect<EventView>(socket, 'journal'), systems: collect<SystemView>(socket, 'system'), sfu: collect(socket, 'sfu'), heard };
    await eventually(() => seen.snapshots.length === 1, { what: 'the snapshot' });
    return seen;
  };
  const [limited, all] = [await watch('limited-token'), await watch('viewer-token')];
  assert.deepEqual(limited.snapshots[0]?.cameras.map(({ id }) => id), ['gate']);
  for (const id of ['yard', 'gate', 'later']) script.emit({ type: 'camera', id, camera: cameraView(id) });
  for (const [seq, camera] of ['yard', '', 'gate'].entries()) script.emit({ type: 'journal', event: event(seq, camera, `${camera} yard`.replace('gate yard', 'own')) });
  script.emit({ type: 'workers', workers: script.sfu.workers });
  await eventually(() => limited.systems.length > 0 && all.systems.length > 0 && limited.sfu.length > 0 && all.journal.length === 3, { what: 'everything' });
  assert.deepEqual(limited.cameras.map(({ id }) => id), ['gate', 'later']);
  assert.deepEqual(limited.journal.map(({ camera }) => camera), ['gate']);
  assert.deepEqual(all.cameras.map(({ id }) => id), ['yard', 'gate', 'later']);
  for (const system of [limited.snapshots[0]?.system, limited.systems[0]]) assert.deepEqual([system?.cameras, system?.viewers], [1, 0], 'the five viewers are the other camera\'s');
  assert.ok(!JSON.stringify(limited.heard).includes('yard'), 'not a word of the other one');
});

test('/viewer lets it join its cameras and no other', async (t) => {
  const { listen, script } = await bench(t);
  const socket = await connectSocket(t, `${await listen()}/viewer`, { auth: { token: 'limited-token' } });
  assert.equal((await ask(socket, 'join', { camera: 'yard' })).error?.code, 'LOOKOUT_CAMERA_NOT_FOUND');
  assert.equal((await ask(socket, 'join', { camera: 'gate' })).ok, true);
  assert.deepEqual([...script.viewers.values()].map(({ camera }) => camera), ['gate']);
});
