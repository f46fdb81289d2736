/** `vms.media.v1.MediaPlane` with our own client: what each call does, what is refused, and how errors tell why. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { grpcRoles } from '../../../src/api/access-table.ts';
import { hashToken } from '../../../src/api/auth.ts';
import { failure, LookoutError } from '../../../src/errors.ts';
import type { Role } from '../../../src/store/types.ts';
import { apiBench } from '../../support/api.ts';
import { eventually } from '../../support/eventually.ts';
import { grpcClient, type Message } from '../../support/grpc.ts';
import { cameraView, scriptedControl } from '../../support/scripted-control.ts';

type Options = NonNullable<Parameters<typeof apiBench>[1]>;

async function bench(t: TestContext, options: Options = {}) {
  const made = await apiBench(t, options);
  await made.listen();
  const port = made.app.grpc?.port() ?? 0;
  return { ...made, port, client: grpcClient(t, port) };
}

const url = 'rtsp://user:s3cr3t-word@192.0.2.1/stream';
const requests: Record<string, Message> = {
  SetupStream: { id: 'dock', url },
  TeardownStream: { id: 'gate' },
  GetStream: { id: 'gate' },
  ListStreams: {},
  WatchStreams: {},
};

test('every call that is served is in the table of roles, and the table has no other', async (t) => {
  const { app } = await bench(t);
  assert.deepEqual(app.grpc?.calls().toSorted(), Object.keys(grpcRoles).toSorted());
});

for (const [path, role] of Object.entries(grpcRoles)) {
  const name = path.split('/')[1] ?? '';
  if (role === 'public') continue;
  test(`${name} refuses strangers and roles below ${role}, and admits ${role}`, async (t) => {
    const { client } = await bench(t);
    const ask = async (token: string) => {
      if (name !== 'WatchStreams') return client.call(name, requests[name], { token }).then(() => null, (error: { code: number }) => error.code);
      const watch = client.stream(name, {}, { token });
      await eventually(async () => watch.events.length > 0 || await Promise.race([watch.ended, Promise.resolve('running')]) !== 'running', { what: 'an answer' });
      if (watch.events.length === 0) return (await watch.ended)?.code ?? null;
      watch.call.cancel();
      return null;
    };
    assert.equal(await ask(''), status.UNAUTHENTICATED);
    assert.equal(await ask('wrong'), status.UNAUTHENTICATED);
    const ranked: Role[] = ['viewer', 'operator', 'admin'];
    for (const lower of ranked.slice(0, ranked.indexOf(role))) assert.equal(await ask(`${lower}-token`), status.PERMISSION_DENIED, lower);
    assert.equal(await ask(`${role}-token`), null);
  });
}

test('a stream is set up with every option, shown, found unchanged, and torn down twice', async (t) => {
  const { client, script } = await bench(t);
  const times = { segmentSeconds: 60, retention: { maxAgeHours: 24.5, maxBytes: 5_000_000_000 }, schedule: [{ days: ['mon', 'sun'], from: '22:00', to: '06:00' }] };
  const record = { mode: 'RECORD_MODE_SCHEDULED', ...times };
  const request = {
    id: 'dock', url, name: 'Dock', sub: { url: `${url}2` }, transport: 'TRANSPORT_TCP', tls: { verify: false, fingerprint: 'ab'.repeat(32) }, enabled: false,
    source: { mode: 'SOURCE_MODE_ON_DEMAND', closeAfterSeconds: 2.5 }, outputs: { live: { feed: 'FEED_MODE_ALWAYS' }, hls: { mode: 'HLS_MODE_ON_DEMAND' }, record, frames: { mode: 'FRAMES_MODE_ALWAYS', width: 320, height: 180, fps: 2, format: 'FRAME_FORMAT_NV12' } },
  };
  const made = await client.call<{ stream: Message; outcome: string }>('SetupStream', request);
  assert.deepEqual([made.outcome, made.stream['id'], made.stream['name']], ['SETUP_OUTCOME_CREATED', 'dock', 'Dock']);
  assert.deepEqual(script.inputs[0], {
    id: 'dock', url, name: 'Dock', sub: { url: `${url}2` }, transport: 'tcp', tls: { verify: false, fingerprint: 'ab'.repeat(32) }, enabled: false,
    source: { mode: 'on-demand', closeAfterSeconds: 2.5 }, outputs: { live: { feed: 'always' }, hls: { mode: 'on-demand' }, record: { mode: 'scheduled', ...times }, frames: { mode: 'always', width: 320, height: 180, fps: 2, format: 'NV12' } },
  });
  assert.equal((await client.call('SetupStream', { id: 'dock', url }))['outcome'], 'SETUP_OUTCOME_UNCHANGED');
  assert.deepEqual(script.inputs[1], { id: 'dock', url }, 'what is not said is not asked for');
  await client.call('SetupStream', { id: 'dock', url, sub: { url: '' } });
  assert.deepEqual(script.inputs[2], { id: 'dock', url, sub: null }, 'an empty address takes the second stream away');
  assert.equal((await client.call('TeardownStream', { id: 'dock' }))['existed'], true);
  assert.equal((await client.call('TeardownStream', { id: 'dock' }))['existed'], false);
  assert.deepEqual(script.calls, ['setup dock', 'setup dock', 'setup dock', 'remove dock']);
});

test('a stream is shown with everything that is known of it, and nothing else', async (t) => {
  const { client, script } = await bench(t);
  const lastError = { class: 'auth' as const, code: 'rtsp-401', message: `401 for ${url}`, at: '2026-01-02T03:04:05.678Z' };
  const careless = { ...cameraView('gate', { url, lastError, state: 'backoff', substate: null, nextRetryAt: '2026-01-02T03:05:00.000Z', media: null, worker: null }), password: 's3cr3t-word' };
  script.cameras.set('gate', careless);
  const { stream } = await client.call<{ stream: Message }>('GetStream', { id: 'gate' });
  assert.deepEqual(stream, {
    id: 'gate', name: 'gate', url: 'rtsp://192.0.2.1/stream', enabled: true, transport: 'TRANSPORT_AUTO', desired: 'DESIRED_STATE_RUNNING', state: 'STREAM_STATE_BACKOFF',
    since: { seconds: Date.parse('2026-01-01') / 1000, nanos: 0 }, nextRetryAt: { seconds: Date.parse('2026-01-02T03:05:00Z') / 1000, nanos: 0 }, attempt: 0, restarts: 0, viewers: 0,
    lastError: { failureClass: 'auth', code: 'rtsp-401', message: '401 for rtsp://192.0.2.1/stream', at: { seconds: Date.parse('2026-01-02T03:04:05Z') / 1000, nanos: 678_000_000 } },
    packetAgeMs: 12, _packetAgeMs: 'packetAgeMs', keyframeAgeMs: 400, _keyframeAgeMs: 'keyframeAgeMs', host: { pid: 4711, rssBytes: 1000 },
    outputs: { live: { state: 'open', verdict: { ok: true, why: 'main profile' } }, hls: { state: 'off' }, record: { state: 'off' }, frames: { state: 'off' }, snapshot: { state: 'idle' } },
  });
});

test('the second stream is shown beside the first, with a health of its own', async (t) => {
  const { client, script } = await bench(t);
  const { url, state, substate, since, attempt, nextRetryAt, restarts, freshness, viewers, host, outputs: { live }, ...main } = cameraView('gate', { url: 'rtsp://u:p@192.0.2.1/small', state: 'backoff', substate: null });
  const lastError = { class: 'not-found' as const, code: 'rtsp-404', message: 'There is no such stream.', at: '2026-01-02T03:04:05.678Z' };
  script.cameras.set('gate', cameraView('gate', { sub: { url, state, substate, since, attempt, nextRetryAt, lastError, restarts, media: main.media, freshness, viewers, host, worker: null, live } }));
  const { stream } = await client.call<{ stream: Message }>('GetStream', { id: 'gate' });
  const sub = stream['sub'] as Message;
  assert.deepEqual([stream['state'], sub['state'], sub['url'], (sub['lastError'] as Message)['failureClass'], (sub['media'] as Message)['width'], (sub['live'] as Message)['state']], ['STREAM_STATE_STREAMING', 'STREAM_STATE_BACKOFF', 'rtsp://192.0.2.1/small', 'not-found', 1280, 'open']);
});

test('a list comes in pages, in the order of ids, and each stream once', async (t) => {
  const ids = Array.from({ length: 7 }, (_, n) => `cam-${n}`);
  const { client, script } = await bench(t, { script: scriptedControl(ids.toReversed()) });
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await client.call<{ streams: { id: string }[]; nextPageToken?: string }>('ListStreams', { pageSize: 3, pageToken });
    seen.push(...page.streams.map(({ id }) => id));
    pageToken = page.nextPageToken ?? '';
    // The one the page token names goes away: the next page begins behind where it was.
    script.cameras.delete('cam-2');
  } while (pageToken !== '');
  assert.deepEqual(seen, ids);
  assert.equal((await client.fails('ListStreams', { pageSize: -1 })).code, status.INVALID_ARGUMENT);
  assert.equal((await client.fails('ListStreams', { pageToken: '../x' })).reason, 'LOOKOUT_CAMERA_ID');
});

test('a wrong request is refused by the same rules as over REST, field by field, without its values', async (t) => {
  const { client, lines } = await bench(t);
  const wrong: [object, string, RegExp][] = [
    [{ id: 'dock', url, name: 'x'.repeat(200) }, 'LOOKOUT_VALIDATION', /^name must not have more than 128/u],
    [{ id: 'dock', url, transport: 77 }, 'LOOKOUT_VALIDATION', /^transport must be/u],
    [{ id: 'dock', url, source: { closeAfterSeconds: 0.1 } }, 'LOOKOUT_VALIDATION', /^source\.closeAfterSeconds must be >= 1/u],
    [{ id: 'dock', url, tls: { fingerprint: 's3cr3t-word' } }, 'LOOKOUT_VALIDATION', /^tls\.fingerprint must match/u],
    [{ id: 'dock' }, 'LOOKOUT_VALIDATION', /^url is required/u],
    [{ id: '../etc', url }, 'LOOKOUT_CAMERA_ID', /^$/u],
    [{ url }, 'LOOKOUT_CAMERA_ID', /^$/u],
  ];
  for (const [request, reason, violation] of wrong) {
    const error = await client.fails('SetupStream', request);
    assert.deepEqual([error.code, error.reason], [status.INVALID_ARGUMENT, reason], JSON.stringify(error));
    const [first] = error.violations;
    assert.match(first === undefined ? '' : `${first.field} ${first.description}`, violation);
    assert.ok(!JSON.stringify(error).includes('s3cr3t-word'));
  }
  assert.ok(lines.every((line) => !line.includes('s3cr3t-word')));
});

test('errors of the supervisor keep their code, their camera and the failure that explains them', async (t) => {
  const { client, script, lines } = await bench(t);
  const cases: [Error, status, string][] = [
    [new LookoutError('LOOKOUT_CAMERA_URL'), status.INVALID_ARGUMENT, 'LOOKOUT_CAMERA_URL'],
    [new LookoutError('LOOKOUT_CAMERA_EXISTS'), status.ALREADY_EXISTS, 'LOOKOUT_CAMERA_EXISTS'],
    [new LookoutError('LOOKOUT_CAMERA_STOPPED'), status.FAILED_PRECONDITION, 'LOOKOUT_CAMERA_STOPPED'],
    [new LookoutError('LOOKOUT_SHUTTING_DOWN'), status.UNAVAILABLE, 'LOOKOUT_SHUTTING_DOWN'],
    [new LookoutError('LOOKOUT_NOT_LIVE', { failure: failure('auth', 'rtsp-401', url) }), status.UNAVAILABLE, 'LOOKOUT_NOT_LIVE'],
    [new Error(`unexpected ${url}`), status.INTERNAL, 'LOOKOUT_INTERNAL'],
  ];
  for (const [error, code, reason] of cases) {
    script.control.setup = () => Promise.reject(error);
    const told = await client.fails('SetupStream', { id: 'dock', url });
    assert.deepEqual([told.code, told.reason, told.metadata['camera']], [code, reason, 'dock']);
    assert.match(told.metadata['requestId'] ?? '', /^[0-9a-f-]{36}$/u);
    if (reason === 'LOOKOUT_NOT_LIVE') assert.deepEqual([told.metadata['failureClass'], told.metadata['failureCode']], ['auth', 'rtsp-401']);
    assert.ok(!JSON.stringify(told).includes('s3cr3t-word') && !told.message.includes('unexpected'));
  }
  assert.ok(lines.some((line) => line.includes('unexpected rtsp://192.0.2.1')), 'the log has it, redacted');
  assert.ok(lines.every((line) => !line.includes('s3cr3t-word')));
});

test('a call ends at its deadline, or when it is cancelled, however long the work takes', async (t) => {
  const { client, script, app } = await bench(t);
  script.control.remove = () => new Promise(() => undefined);
  const began = performance.now();
  assert.equal((await client.fails('TeardownStream', { id: 'gate' }, { timeoutMs: 200 })).code, status.DEADLINE_EXCEEDED);
  const cancelled = client.fails('TeardownStream', { id: 'gate' }, { signal: AbortSignal.timeout(100) });
  assert.equal((await cancelled).code, status.CANCELLED);
  assert.ok(performance.now() - began < 3000);
  await app.close();
  assert.ok(performance.now() - began < 5000, 'nothing waits for it at the end');
});

test('a message that is too large is refused before it is read', async (t) => {
  const { client, script } = await bench(t);
  assert.equal((await client.fails('SetupStream', { id: 'dock', url: `rtsp://h/${'x'.repeat(70_000)}` })).code, status.RESOURCE_EXHAUSTED);
  assert.deepEqual(script.calls, []);
});

test('a viewer that is limited to some streams sees no other by any call', async (t) => {
  const { client, store, script } = await bench(t, { script: scriptedControl(['gate', 'yard']) });
  await store.tokens.add({ id: 'l', name: 'limited', role: 'viewer', cameras: ['gate'], createdAt: 1, expiresAt: null, hash: hashToken('limited-token') });
  const token = 'limited-token';
  assert.deepEqual((await client.call<{ streams: { id: string }[] }>('ListStreams', {}, { token })).streams.map(({ id }) => id), ['gate']);
  const [hidden, none] = [await client.fails('GetStream', { id: 'yard' }, { token }), await client.fails('GetStream', { id: 'nowhere' }, { token })];
  assert.deepEqual([hidden.code, hidden.message.replace('yard', 'nowhere')], [none.code, none.message]);
  const watch = client.stream('WatchStreams', { ids: ['gate', 'yard'] }, { token });
  await eventually(() => watch.events.some((event) => event['event'] === 'snapshotComplete'), { what: 'the snapshot' });
  for (const id of ['yard', 'gate']) script.emit({ type: 'camera', id, camera: cameraView(id) });
  script.emit({ type: 'camera', id: 'yard', camera: null });
  await eventually(() => watch.events.length >= 3, { what: 'the change' });
  assert.ok(!JSON.stringify(watch.events).includes('yard'));
});

test('wrong tokens over gRPC and REST count together', async (t) => {
  const { client, app } = await bench(t);
  for (let n = 0; n < 5; n += 1) assert.equal((await client.fails('ListStreams', {}, { token: `guess-${n}` })).code, status.UNAUTHENTICATED);
  for (let n = 5; n < 10; n += 1) assert.equal((await app.inject({ url: '/api/v1/cameras', headers: { authorization: `Bearer guess-${n}` } })).statusCode, 401);
  assert.deepEqual([(await client.fails('ListStreams', {}, { token: 'guess' })).reason], ['LOOKOUT_RATE_LIMITED']);
});

test('an address that calls more often than allowed is refused', async (t) => {
  const { client } = await bench(t, { change: (config) => ({ ...config, api: { ...config.api, requestsPerMinute: 20 } }) });
  for (let n = 0; n < 20; n += 1) await client.call('ListStreams');
  assert.equal((await client.fails('ListStreams')).code, status.RESOURCE_EXHAUSTED);
});

test('what was changed is logged with who did it', async (t) => {
  const { client, lines } = await bench(t, { level: 'info' });
  await client.call('SetupStream', { id: 'dock', url });
  await client.call('ListStreams');
  const answered = lines.filter((line) => line.includes('"call answered"')).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(answered.map(({ call, code, by, camera }) => [call, code, by, camera]), [['SetupStream', 'OK', 'admin', 'dock']]);
});
