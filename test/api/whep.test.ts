/** The signalling of WHEP: offers that can be answered and those that cannot, and who may end what. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parse } from 'sdp-transform';
import { hashToken } from '../../src/api/auth.ts';
import { readOffer } from '../../src/api/whep/offer.ts';
import { LookoutError } from '../../src/errors.ts';
import { apiBench, type ApiBench } from '../support/api.ts';
import { cameraView } from '../support/scripted-control.ts';
import { mainFormat, sdpOffer, transportLines } from '../support/sdp-offer.ts';

const type = 'application/sdp';
const audio = ['m=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=recvonly', ...transportLines, 'a=rtpmap:111 opus/48000/2'];

const post = ({ app, as }: ApiBench, payload: string, { url = '/whep/gate', headers = {} }: { url?: string; headers?: Record<string, string> } = {}) =>
  app.inject({ method: 'POST', url, payload, headers: { ...as('viewer'), 'content-type': type, ...headers } });
const codeOf = (answer: { json<T>(): T; statusCode: number }) => [answer.statusCode, answer.json<{ code: string }>().code];

test('an offer is answered with the pictures in its own numbers, and every other section is refused', async (t) => {
  const bench = await apiBench(t);
  const answer = await post(bench, sdpOffer({ before: audio }));
  assert.equal(answer.statusCode, 201, answer.body);
  assert.match(String(answer.headers['content-type']), /^application\/sdp/u);
  assert.match(String(answer.headers['location']), /^\/whep\/gate\/[0-9a-f-]{36}$/u);
  assert.match(String(answer.headers['etag']), /^"[\w-]{8,}"$/u);
  assert.equal(answer.headers['link'], '</api/v1/cameras/gate>; rel="describedby"; type="application/json", </hls/gate/index.m3u8>; rel="alternate"; type="application/vnd.apple.mpegurl"');
  assert.deepEqual(bench.script.calls, ['answer [{"payloadType":127,"profileLevelId":"4d001f"}]']);
  const { media: [sound, video], groups, icelite } = parse(answer.body);
  assert.deepEqual([icelite, groups], ['ice-lite', [{ type: 'BUNDLE', mids: 1 }]]);
  assert.deepEqual([sound?.port, sound?.direction, String(sound?.mid), sound?.payloads], [0, 'inactive', '0', '111 0']);
  assert.deepEqual([video?.direction, String(video?.mid), video?.setup, video?.rtcpMux, video?.iceUfrag, String(video?.payloads)], ['sendonly', '1', 'passive', 'rtcp-mux', 'ufrag', '127']);
  assert.deepEqual(video?.rtcpFb?.map(({ type: kind, subtype }) => [kind, subtype]), [['nack', undefined], ['nack', 'pli']], 'what was offered of what is heard');
  assert.deepEqual(video?.candidates?.map(({ transport, port, tcptype }) => [transport, port, tcptype]), [['udp', 40_000, undefined], ['tcp', 40_000, 'passive']]);
  assert.deepEqual(video?.ssrcs, [{ id: 4711, attribute: 'cname', value: 'gate' }]);
});

test('formats are taken in the order of the offer, H.264 alone, in the mode of the packets', () => {
  const { video, dtls } = readOffer(sdpOffer({
    formats: ['96 VP8/90000', '97 H264/90000', 'fmtp:97 packetization-mode=0;profile-level-id=42e01f', '39 h264/90000', 'fmtp:39 packetization-mode=1;profile-level-id=640032', ...mainFormat, '98 H264/90000', 'fmtp:98 packetization-mode=1'],
    attributes: transportLines.map((line) => line.replace('actpass', 'passive')),
  }));
  assert.deepEqual(video, [{ payloadType: 39, profileLevelId: '640032' }, { payloadType: 127, profileLevelId: '4d001f' }, { payloadType: 98, profileLevelId: '42000a' }]);
  assert.equal(dtls.role, 'server', 'who is passive waits for our handshake');
});

const without = (start: string) => sdpOffer({ attributes: transportLines.filter((line) => !line.startsWith(start)) });
for (const [what, offer, expected] of [
  ['is empty', '', 'LOOKOUT_VALIDATION'],
  ['is no SDP', '{"sdp": "v=0"}', 'LOOKOUT_VALIDATION'],
  ['has no section', 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n', 'LOOKOUT_VALIDATION'],
  ['would send instead of receive', sdpOffer({ direction: 'sendonly' }), 'LOOKOUT_VALIDATION'],
  ['has no ICE credentials', without('a=ice-ufrag'), 'LOOKOUT_VALIDATION'],
  ['has no certificate', without('a=fingerprint'), 'LOOKOUT_VALIDATION'],
  ['has no role for DTLS', without('a=setup'), 'LOOKOUT_VALIDATION'],
  ['does not multiplex RTCP', without('a=rtcp-mux'), 'LOOKOUT_VALIDATION'],
  ['has no H.264 in it', sdpOffer({ formats: ['96 VP8/90000'] }), 'LOOKOUT_UNSUPPORTED_MEDIA'],
  ['has H.264 in single packets only', sdpOffer({ formats: ['96 H264/90000', 'fmtp:96 profile-level-id=42e01f'] }), 'LOOKOUT_UNSUPPORTED_MEDIA'],
] as const) {
  test(`an offer that ${what} is refused with ${expected}, and nobody joins`, async (t) => {
    const bench = await apiBench(t);
    assert.deepEqual(codeOf(await post(bench, offer)), [expected === 'LOOKOUT_VALIDATION' ? 400 : 422, expected]);
    assert.equal(bench.script.viewers.size, 0);
  });
}

test('whatever is posted as an offer, it is read or refused, never more', () => {
  const lines = sdpOffer({ before: audio }).split('\r\n');
  const damaged = fc.array(fc.record({ at: fc.nat(lines.length - 1), text: fc.oneof(fc.string(), fc.constantFrom('m=video', 'a=mid:__proto__', 'a=fmtp:127 __proto__=1', 'a=rtpmap:127', 'a=group:BUNDLE')) }), { maxLength: 6 })
    .map((changes) => changes.reduce((all, { at, text }) => all.with(at, text), lines).join('\r\n'));
  fc.assert(fc.property(damaged, (text) => {
    try {
      assert.ok(readOffer(text).video.length > 0);
    } catch (error) {
      assert.ok(error instanceof LookoutError, String(error));
    }
  }), { numRuns: 500 });
});

test('a camera that is not there, is stopped or sends what WebRTC cannot carry is told as such', async (t) => {
  const bench = await apiBench(t);
  const { script } = bench;
  assert.deepEqual(codeOf(await post(bench, sdpOffer(), { url: '/whep/nowhere' })), [404, 'LOOKOUT_CAMERA_NOT_FOUND']);
  script.cameras.set('gate', cameraView('gate', { desired: 'stopped' }));
  assert.deepEqual(codeOf(await post(bench, sdpOffer())), [409, 'LOOKOUT_CAMERA_STOPPED']);
  const view = cameraView('gate');
  script.cameras.set('gate', { ...view, outputs: { ...view.outputs, live: { ...view.outputs.live, verdict: { ok: false, why: 'H.265.' } } } });
  assert.deepEqual(codeOf(await post(bench, sdpOffer())), [422, 'LOOKOUT_UNSUPPORTED_MEDIA']);
});

test('a body of another type is refused in words that help', async (t) => {
  const bench = await apiBench(t);
  const answer = await post(bench, '{}', { headers: { 'content-type': 'application/json' } });
  assert.deepEqual(codeOf(answer), [415, 'LOOKOUT_MEDIA_TYPE']);
  assert.match(answer.body, /application\/sdp/u);
});

test('DELETE ends the session of whoever opened it, once; candidates are refused with 405', async (t) => {
  const bench = await apiBench(t);
  const { app, as, script } = bench;
  const location = String((await post(bench, sdpOffer())).headers['location']);
  assert.equal(script.viewers.size, 1);
  const trickle = await app.inject({ method: 'PATCH', url: location, headers: { ...as('viewer'), 'content-type': 'application/trickle-ice-sdpfrag' }, payload: 'a=ice-ufrag:abcd\r\n' });
  assert.deepEqual([...codeOf(trickle), trickle.headers['allow']], [405, 'LOOKOUT_METHOD', 'DELETE']);
  const end = (role: 'viewer' | 'operator', url = location) => app.inject({ method: 'DELETE', url, headers: as(role) });
  assert.deepEqual(codeOf(await end('operator')), [404, 'LOOKOUT_VIEWER_NOT_FOUND'], 'another credential');
  assert.deepEqual(codeOf(await end('viewer', location.replace('gate', 'yard'))), [404, 'LOOKOUT_VIEWER_NOT_FOUND'], 'another camera');
  assert.equal(script.viewers.size, 1);
  assert.equal((await end('viewer')).statusCode, 204);
  assert.equal(script.viewers.size, 0);
  assert.equal((await end('viewer')).statusCode, 404);
});

test('a session ends with the token that opened it, and a token in the address is in its Location', async (t) => {
  const bench = await apiBench(t);
  const { app, as, script, store } = bench;
  await store.tokens.add({ id: 'short', name: 'short', role: 'viewer', cameras: null, createdAt: 1, expiresAt: null, hash: hashToken('short-token') });
  const opened = await app.inject({ method: 'POST', url: '/whep/gate?token=short-token', payload: sdpOffer(), headers: { 'content-type': type } });
  assert.match(String(opened.headers['location']), /^\/whep\/gate\/[0-9a-f-]{36}\?token=short-token$/u);
  assert.ok(bench.lines.every((line) => !line.includes('short-token')), 'never in the log');
  assert.equal(script.viewers.size, 1);
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/v1/tokens/short', headers: as('admin') })).statusCode, 204);
  assert.equal(script.viewers.size, 0);
});

test('one address holds as many sessions as one browser, and one that fails counts no longer', async (t) => {
  const bench = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, viewersPerSocket: 2 } }) });
  const { script } = bench;
  script.override.answer = () => Promise.reject(new LookoutError('LOOKOUT_SFU_UNAVAILABLE'));
  for (let n = 0; n < 3; n += 1) assert.deepEqual(codeOf(await post(bench, sdpOffer())), [503, 'LOOKOUT_SFU_UNAVAILABLE']);
  assert.equal(script.viewers.size, 0, 'who failed has left');
  delete script.override.answer;
  const codes = [];
  for (let n = 0; n < 3; n += 1) codes.push((await post(bench, sdpOffer())).statusCode);
  assert.deepEqual(codes, [201, 201, 429]);
  for (const { notify } of script.viewers.values()) notify.gone({ viewer: 'viewer', reason: 'rejoin', message: 'gone' });
  assert.equal((await post(bench, sdpOffer())).statusCode, 201);
});

test('an offer that nobody answers in time is told so and leaves nothing', async (t) => {
  const bench = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, requestMs: 50 } }) });
  bench.script.override.answer = () => new Promise(() => undefined);
  assert.deepEqual(codeOf(await post(bench, sdpOffer())), [504, 'LOOKOUT_DEADLINE']);
  assert.equal(bench.script.viewers.size, 0);
});

test('OPTIONS says what may be posted; pages of allowed origins may read what they need', async (t) => {
  const { app } = await apiBench(t);
  const plain = await app.inject({ method: 'OPTIONS', url: '/whep/gate' });
  assert.deepEqual([plain.statusCode, plain.headers['accept-post'], plain.headers['access-control-allow-origin']], [204, type, undefined]);
  const origin = 'https://player.example';
  const other = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, origins: [origin] } }) });
  const preflight = await other.app.inject({ method: 'OPTIONS', url: '/whep/gate', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } });
  assert.deepEqual([preflight.statusCode, preflight.headers['access-control-allow-origin'], preflight.headers['access-control-allow-headers']], [204, origin, 'authorization,content-type']);
  assert.match(String(preflight.headers['access-control-allow-methods']), /POST.*DELETE/u);
  const answer = await post(other, sdpOffer(), { headers: { origin } });
  assert.equal(answer.headers['access-control-expose-headers'], 'Location, ETag, Link');
  const foreign = await post(other, sdpOffer(), { headers: { origin: 'https://evil.example' } });
  assert.equal(foreign.headers['access-control-allow-origin'], undefined);
});
