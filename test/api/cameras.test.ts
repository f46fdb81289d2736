/** Cameras over REST: the contract's codes, and requests that are wrong in every way. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import test from 'node:test';
import type { EventView, FlightView, ProbeReport } from '../../src/api/protocol.ts';
import { failure, FailureError, LookoutError } from '../../src/errors.ts';
import { apiBench } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { scriptedControl } from '../support/scripted-control.ts';

type ErrorAnswer = { statusCode: number; code: string; error: string; message: string; details?: { path: string; message: string }[]; failure?: { class: string }; lastPictureAgeMs?: number | null };

test('a camera is created, shown, changed, commanded and removed with the statuses of the contract', async (t) => {
  const { app, as, script } = await apiBench(t);
  const headers = as('admin');
  const created = await app.inject({ method: 'POST', url: '/api/v1/cameras', headers, payload: { id: 'dock', url: 'rtsp://user:word@10.0.0.5/s1', name: 'Dock' } });
  assert.equal(created.statusCode, 201);
  assert.equal(created.headers.location, '/api/v1/cameras/dock');
  assert.deepEqual([created.json<{ name: string }>().name, created.json<{ url: string }>().url], ['Dock', 'rtsp://10.0.0.5/s1']);

  const list = await app.inject({ url: '/api/v1/cameras', headers });
  assert.deepEqual(list.json<{ cameras: { id: string }[] }>().cameras.map(({ id }) => id), ['gate', 'dock']);
  assert.equal((await app.inject({ url: '/api/v1/cameras/dock', headers })).json<{ id: string }>().id, 'dock');
  const patched = await app.inject({ method: 'PATCH', url: '/api/v1/cameras/dock', headers, payload: { name: 'Loading dock' } });
  assert.deepEqual([patched.statusCode, patched.json<{ name: string }>().name], [200, 'Loading dock']);
  for (const verb of ['start', 'stop', 'restart', 'retry']) {
    const answer = await app.inject({ method: 'POST', url: `/api/v1/cameras/dock/${verb}`, headers });
    assert.deepEqual([answer.statusCode, answer.json<{ id: string }>().id], [202, 'dock']);
  }
  const removed = await app.inject({ method: 'DELETE', url: '/api/v1/cameras/dock', headers });
  assert.deepEqual([removed.statusCode, removed.body], [204, '']);
  assert.equal((await app.inject({ url: '/api/v1/cameras/dock', headers })).statusCode, 404);
  assert.deepEqual(script.calls, ['create dock', 'patch dock', 'start dock', 'stop dock', 'restart dock', 'retry dock', 'remove dock']);
});

const wrong: [name: string, method: 'POST' | 'PATCH' | 'GET', url: string, payload: object | string | undefined, status: number, code: string, path?: string][] = [
  ['a camera without url', 'POST', '/cameras', { name: 'x' }, 400, 'LOOKOUT_VALIDATION', 'url'],
  ['an unknown field', 'POST', '/cameras', { url: 'rtsp://h:1/x', colour: 1 }, 400, 'LOOKOUT_VALIDATION', 'colour'],
  ['an unknown field below', 'POST', '/cameras', { url: 'rtsp://h:1/x', source: { mood: 1 } }, 400, 'LOOKOUT_VALIDATION', 'source.mood'],
  ['a number as text', 'POST', '/cameras', { url: 'rtsp://h:1/x', source: { closeAfterSeconds: '10' } }, 400, 'LOOKOUT_VALIDATION', 'source.closeAfterSeconds'],
  ['a choice that does not exist', 'POST', '/cameras', { url: 'rtsp://h:1/x', transport: 'pigeon' }, 400, 'LOOKOUT_VALIDATION', 'transport'],
  ['an id that is a path', 'POST', '/cameras', { url: 'rtsp://h:1/x', id: '../etc' }, 400, 'LOOKOUT_VALIDATION', 'id'],
  ['a url of another scheme', 'POST', '/cameras', { url: 'file:///etc/passwd' }, 400, 'LOOKOUT_CAMERA_URL'],
  ['a camera that exists', 'POST', '/cameras', { url: 'rtsp://h:1/x', id: 'gate' }, 409, 'LOOKOUT_CAMERA_EXISTS'],
  ['a change of the id', 'PATCH', '/cameras/gate', { id: 'other' }, 400, 'LOOKOUT_VALIDATION', 'id'],
  ['a change of a camera that is not there', 'PATCH', '/cameras/none', { name: 'x' }, 404, 'LOOKOUT_CAMERA_NOT_FOUND'],
  ['an id no camera can have', 'GET', '/cameras/A%20B', undefined, 400, 'LOOKOUT_CAMERA_ID'],
  ['a page of events of no size', 'GET', '/cameras/gate/events?limit=0', undefined, 400, 'LOOKOUT_VALIDATION', 'limit'],
  ['an unknown query', 'GET', '/cameras/gate/events?offset=3', undefined, 400, 'LOOKOUT_VALIDATION', 'offset'],
  ['JSON that ends too early', 'POST', '/cameras', '{"url": ', 400, 'LOOKOUT_VALIDATION'],
  ['a body of 65 kB', 'POST', '/cameras', { url: 'rtsp://h:1/x', name: 'x'.repeat(66_000) }, 413, 'LOOKOUT_TOO_LARGE'],
  ['a probe of a web address', 'POST', '/probe', { url: 'http://169.254.169.254/' }, 400, 'LOOKOUT_CAMERA_URL'],
  ['a route that does not exist', 'GET', '/horses', undefined, 404, 'LOOKOUT_ROUTE_NOT_FOUND'],
];

for (const [name, method, url, payload, status, code, path] of wrong) {
  test(`${name} is answered with ${status} ${code}`, async (t) => {
    const { app, as, script } = await apiBench(t);
    const answer = await app.inject({ method, url: `/api/v1${url}`, headers: { ...as('admin'), ...(payload === undefined ? {} : { 'content-type': 'application/json' }) }, ...(payload === undefined ? {} : { payload }) });
    const body = answer.json<ErrorAnswer>();
    assert.deepEqual([answer.statusCode, body.statusCode, body.code], [status, status, code]);
    assert.ok(body.error.length > 0 && body.message.length > 0);
    if (path !== undefined) assert.ok(body.details?.some((detail) => detail.path === path), JSON.stringify(body.details));
    assert.deepEqual(script.calls, []);
  });
}

test('a command with a JSON header and no body is a command, a camera with none is a mistake, a poisoned body is refused', async (t) => {
  const { app, as, script } = await apiBench(t);
  const post = (url: string, payload: string) => app.inject({ method: 'POST', url: `/api/v1${url}`, headers: { ...as('admin'), 'content-type': 'application/json' }, payload });
  assert.equal((await post('/cameras/gate/stop', '')).statusCode, 202);
  assert.equal((await post('/cameras', '')).statusCode, 400);
  assert.equal((await post('/cameras', '{"url":"rtsp://h:1/x","__proto__":{"id":"x"}}')).statusCode, 400);
  assert.deepEqual(script.calls, ['stop gate']);
});

test('an XML body is answered with 415', async (t) => {
  const { app, as } = await apiBench(t);
  const answer = await app.inject({ method: 'POST', url: '/api/v1/cameras', headers: { ...as('admin'), 'content-type': 'text/xml' }, payload: '<camera/>' });
  assert.deepEqual([answer.statusCode, answer.json<ErrorAnswer>().code], [415, 'LOOKOUT_MEDIA_TYPE']);
});

test('the message for a wrong choice names the choices', async (t) => {
  const { app, as } = await apiBench(t);
  const answer = await app.inject({ method: 'POST', url: '/api/v1/cameras', headers: as('admin'), payload: { url: 'rtsp://h:1/x', transport: 'pigeon' } });
  assert.deepEqual(answer.json<ErrorAnswer>().details, [{ path: 'transport', message: 'must be one of auto, tcp, udp' }]);
});

test('a mistake of ours is answered with 500 without its message, which is in the log under the request id', async (t) => {
  const { app, as, script, lines } = await apiBench(t);
  script.control.patch = () => Promise.reject(new Error('the inner workings'));
  const answer = await app.inject({ method: 'PATCH', url: '/api/v1/cameras/gate', headers: as('admin'), payload: { name: 'x' } });
  assert.deepEqual([answer.statusCode, answer.json<ErrorAnswer>().code], [500, 'LOOKOUT_INTERNAL']);
  assert.ok(!answer.body.includes('inner workings'));
  assert.ok(lines.some((line) => line.includes('inner workings') && line.includes(String(answer.headers['x-request-id']))));
});

test('the journal is paged by seq, newest first', async (t) => {
  const script = scriptedControl();
  script.events.push(...[3, 2, 1].map((seq): EventView => ({ seq, at: '2026-01-01T00:00:00.000Z', camera: 'gate', type: 'camera.transition', from: 'streaming', to: 'backoff', class: 'reset', code: 'econnreset', message: 'reset', evidence: null, attempt: 1, delayMs: 0, recording: false })));
  const { app, as } = await apiBench(t, { script });
  const page = async (query: string) => (await app.inject({ url: `/api/v1/cameras/gate/events${query}`, headers: as('viewer') })).json<{ events: EventView[] }>().events.map(({ seq }) => seq);
  assert.deepEqual(await page('?limit=2'), [3, 2]);
  assert.deepEqual(await page('?limit=2&before=2'), [1]);
});

test('a recording is answered whole, and its absence with a code of its own', async (t) => {
  const script = scriptedControl();
  const recording: FlightView = {
    camera: 'gate', seq: 7, class: 'reset', code: 'connection-reset', from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:30.000Z',
    dialogue: [{ at: 0, by: 'probe', direction: 'sent', text: 'DESCRIBE rtsp://10.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n' }],
    rtp: [{ at: 20, ms: 3, track: 'video', ssrc: 4_294_967_295, payloadType: 96, sequence: 65_535, timestamp: 4_294_967_295, step: 0, count: 4, marker: true, keyframe: true, bytes: 5600, missing: 2 }],
  };
  script.flights.push(recording);
  const { app, as } = await apiBench(t, { script });
  const ask = (path: string) => app.inject({ url: `/api/v1/cameras/${path}/recording`, headers: as('viewer') });
  assert.deepEqual((await ask('gate/events/7')).json(), recording);
  assert.deepEqual([(await ask('gate/events/8')).statusCode, (await ask('gate/events/8')).json<ErrorAnswer>().code], [404, 'LOOKOUT_FLIGHT_NOT_FOUND']);
  assert.equal((await ask('nobody/events/7')).json<ErrorAnswer>().code, 'LOOKOUT_CAMERA_NOT_FOUND');
  assert.equal((await ask('gate/events/seven')).json<ErrorAnswer>().code, 'LOOKOUT_VALIDATION');
});

test('a picture comes with validators and its age, and is not sent twice', async (t) => {
  const { app, as } = await apiBench(t);
  const headers = as('viewer');
  const first = await app.inject({ url: '/api/v1/cameras/gate/snapshot.jpg?width=320', headers });
  assert.deepEqual([first.statusCode, first.headers['content-type'], first.headers.age], [200, 'image/jpeg', '2']);
  assert.deepEqual(first.rawPayload, Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
  assert.ok(Date.now() - Date.parse(String(first.headers['last-modified'])) < 5000);
  const again = await app.inject({ url: '/api/v1/cameras/gate/snapshot.jpg?width=320', headers: { ...headers, 'if-none-match': String(first.headers.etag) } });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
});

test('thirty who ask for a picture at once cost one picture', async (t) => {
  const script = scriptedControl();
  let taken = 0;
  const { snapshot } = script;
  script.snapshot = (id, width) => {
    taken += 1;
    return snapshot(id, width);
  };
  const { app, as } = await apiBench(t, { script });
  const all = await Promise.all(Array.from({ length: 30 }, () => app.inject({ url: '/api/v1/cameras/gate/snapshot.jpg', headers: as('viewer') })));
  assert.ok(all.every(({ statusCode }) => statusCode === 200));
  assert.equal(taken, 1);
});

test('no picture is explained by the failure and the age of the last one', async (t) => {
  const script = scriptedControl();
  const { snapshot } = script;
  const { app, as } = await apiBench(t, { script });
  const ask = (width: number) => app.inject({ url: `/api/v1/cameras/gate/snapshot.jpg?width=${width}`, headers: as('viewer') });
  script.snapshot = () => Promise.reject(new LookoutError('LOOKOUT_NOT_LIVE', { message: 'The camera is away.', failure: failure('reset', 'econnreset', 'The camera reset the connection.') }));
  const before = (await ask(1)).json<ErrorAnswer>();
  assert.deepEqual([before.code, before.failure?.class, before.lastPictureAgeMs], ['LOOKOUT_NOT_LIVE', 'reset', null]);
  const away = script.snapshot;
  script.snapshot = snapshot;
  assert.equal((await ask(2)).statusCode, 200);
  script.snapshot = away;
  const after = (await ask(3)).json<ErrorAnswer>();
  assert.equal(after.statusCode, 503);
  assert.ok(Number(after.lastPictureAgeMs) >= 2500);
});

test('a probe tells what was seen, or why nothing was, with the class of the failure', async (t) => {
  const { app, as, script } = await apiBench(t);
  const ask = () => app.inject({ method: 'POST', url: '/api/v1/probe', headers: as('operator'), payload: { url: 'rtsp://u:p@10.0.0.9/x' } });
  const seen = await ask();
  assert.deepEqual([seen.statusCode, seen.json<ProbeReport>().url, seen.json<ProbeReport>().media], [200, 'rtsp://10.0.0.9/x', null]);
  script.probe = () => Promise.reject(new FailureError(failure('auth', 'rtsp-401', 'The camera refused the password.')));
  const refused = (await ask()).json<ErrorAnswer>();
  assert.deepEqual([refused.statusCode, refused.code, refused.failure?.class], [502, 'LOOKOUT_PROBE_FAILED', 'auth']);
});

test('a probe ends when the one who asked hangs up, and a fifth at once is refused', async (t) => {
  const { app, as, script, listen } = await apiBench(t);
  const signals: AbortSignal[] = [];
  script.probe = (_, __, signal) => new Promise((_resolve, reject) => {
    signals.push(signal);
    signal.addEventListener('abort', () => reject(new LookoutError('LOOKOUT_DEADLINE')));
  });
  const base = await listen();
  const body = JSON.stringify({ url: 'rtsp://10.0.0.9/x' });
  const requests = Array.from({ length: 4 }, () => {
    const request = httpRequest(`${base}/api/v1/probe`, { method: 'POST', agent: false, headers: { ...as('operator'), 'content-type': 'application/json', 'content-length': body.length } });
    request.on('error', () => undefined).end(body);
    return request;
  });
  await eventually(() => signals.length === 4, { what: 'four probes' });
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/probe', headers: as('operator'), payload: { url: 'rtsp://10.0.0.9/x' } })).statusCode, 429);
  for (const request of requests) request.destroy();
  await eventually(() => signals.every((signal) => signal.aborted), { what: 'the probes to be given up' });
});
