/** Signed links open one camera by one path for a while, and nothing else. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { hashToken } from '../../src/api/auth.ts';
import { eventually } from '../support/eventually.ts';
import { apiBench } from '../support/api.ts';
import { scriptedControl } from '../support/scripted-control.ts';
import { sdpOffer } from '../support/sdp-offer.ts';

async function bench(t: TestContext) {
  const made = await apiBench(t, { script: scriptedControl(['gate', 'yard']) });
  const make = async (payload: object, headers: Record<string, string> = made.as('operator')) => {
    const answer = await made.app.inject({ method: 'POST', url: '/api/v1/cameras/gate/links', payload, headers });
    assert.equal(answer.statusCode, 201, answer.body);
    return answer.json<{ url: string; expiresAt: string }>();
  };
  const get = async (url: string) => (await made.app.inject({ url })).statusCode;
  const offer = (url: string) => made.app.inject({ method: 'POST', url, payload: sdpOffer(), headers: { 'content-type': 'application/sdp' } });
  return { ...made, make, get, offer };
}

test('a link opens HLS of its camera without a token, and every URI in the playlist carries it', async (t) => {
  const { app, make, lines } = await bench(t);
  const { url, expiresAt } = await make({ path: 'hls' });
  assert.match(url, /^\/hls\/gate\/index\.m3u8\?token=link\./u);
  assert.ok(Date.parse(expiresAt) > Date.now());
  const playlist = await app.inject({ url });
  assert.equal(playlist.statusCode, 200, playlist.body);
  const text = url.split('token=')[1] ?? '';
  assert.ok(playlist.body.includes(text));
  assert.ok(lines.every((line) => !line.includes(text)), 'never in the log');
});

test('a link opens WHEP, and the session it began can be ended by its Location alone', async (t) => {
  const { app, make, offer, script } = await bench(t);
  const opened = await offer((await make({ path: 'whep' })).url);
  assert.equal(opened.statusCode, 201, opened.body);
  assert.equal((await app.inject({ method: 'DELETE', url: String(opened.headers['location']) })).statusCode, 204);
  assert.equal(script.viewers.size, 0);
});

test('a link opens no other camera, no other path and no other part of the interface', async (t) => {
  const { app, make, get, offer } = await bench(t);
  const [hls, whep] = [(await make({ path: 'hls' })).url, (await make({ path: 'whep' })).url];
  const text = hls.split('token=')[1] ?? '';
  assert.equal(await get(hls.replace('/gate/', '/yard/')), 404, 'as for a viewer that is limited to its camera');
  assert.equal((await offer(whep.replace('/gate?', '/yard?'))).statusCode, 404);
  assert.equal((await offer(`/whep/gate?token=${text}`)).statusCode, 401);
  assert.equal(await get(`/hls/gate/index.m3u8?token=${whep.split('token=')[1]}`), 401);
  assert.equal(await get(`/api/v1/cameras?token=${text}`), 401);
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: { authorization: `Bearer ${text}` } })).statusCode, 401);
});

test('a link that was changed in any place is not valid', async (t) => {
  const { make, get } = await bench(t);
  const { url } = await make({ path: 'hls' });
  const [base = '', text = ''] = url.split('token=');
  const [, body = '', signature = ''] = text.split('.');
  const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace('gate', 'yard')).toString('base64url');
  const changed = [`link.${forged}.${signature}`, `link.${body}.${signature.split('').toReversed().join('')}`, `link.${body}`, `link.${body}.`, 'link.', 'link...', `${text}.`, `link.${body}.${signature}`.toUpperCase().replace('LINK', 'link'), `link.${'a'.repeat(490)}`];
  for (const other of changed) assert.equal(await get(`${base}token=${other}`), 401, other);
  assert.equal(await get(url), 200);
});

test('a link ends when it says, or with the token of whoever made it', async (t) => {
  const { app, as, make, get, store } = await bench(t);
  const short = await make({ path: 'hls', seconds: 1 });
  await eventually(async () => await get(short.url) === 401, { what: 'the link to expire' });
  assert.ok(Date.now() >= Date.parse(short.expiresAt), 'not before');
  await store.tokens.add({ id: 'kiosk', name: 'kiosk', role: 'operator', cameras: null, createdAt: 1, expiresAt: Date.now() + 60_000, hash: hashToken('kiosk-token') });
  const { url, expiresAt } = await make({ path: 'hls', seconds: 3_600 }, { authorization: 'Bearer kiosk-token' });
  assert.ok(Date.parse(expiresAt) <= Date.now() + 60_000, 'no longer than its maker');
  assert.equal(await get(url), 200);
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/v1/tokens/kiosk', headers: as('admin') })).statusCode, 204);
  assert.equal(await get(url), 401);
});

test('links are signed with a key that other users cannot read, and another installation has another', async (t) => {
  const { make, config } = await bench(t);
  assert.equal((await stat(join(config.data, 'links.key'))).mode & 0o777, 0o600);
  const other = await bench(t);
  assert.equal(await other.get((await make({ path: 'hls' })).url), 401);
});
