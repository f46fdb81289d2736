/** A message that is kept proves nothing about anybody: no password, no digest, no nonce, whatever the camera repeats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorize } from '../../src/rtsp/auth.ts';
import { redactMessage } from '../../src/rtsp/redact.ts';

const credentials = { username: 'operator', password: 'c4n4ry/p@ss' };
const digest = { scheme: 'digest', realm: 'cam', nonce: 'n0nce-canary', algorithm: 'MD5', qop: 'auth', opaque: 'op4que-canary', stale: false } as const;
const message = (...fields: string[]): string => ['DESCRIBE rtsp://10.0.0.1/live RTSP/1.0', 'CSeq: 3', ...fields, '', ''].join('\r\n');

test('the value of an authorization goes, its scheme and everything else stay', () => {
  const basic = `Authorization: ${authorize({ scheme: 'basic', realm: '' }, { credentials, method: 'DESCRIBE', uri: 'rtsp://10.0.0.1/live' })}`;
  const digested = `authorization:${authorize(digest, { credentials, method: 'DESCRIBE', uri: 'rtsp://10.0.0.1/live' })}`;
  assert.equal(redactMessage(message(basic, 'Session: 12AB')), message('Authorization: Basic [removed]', 'Session: 12AB'));
  assert.equal(redactMessage(message(digested)), message('authorization: Digest [removed]'));
  assert.equal(redactMessage(message('WWW-Authenticate: Digest realm="cam",', '  nonce="n0nce-canary"', 'WWW-Authenticate: Basic realm="cam"')), message('WWW-Authenticate: Digest [removed]', 'WWW-Authenticate: Basic [removed]'));
  assert.equal(redactMessage(message('Proxy-Authorization: Weird canary', 'Authentication-Info: nextnonce="canary"', 'Set-Cookie: id=canary')), message('Proxy-Authorization: [removed]', 'Authentication-Info: [removed]', 'Set-Cookie: [removed]'));
});

test('user info and passwords in addresses go, in the body too', () => {
  const sdp = `${message('Content-Base: rtsp://operator:canary@10.0.0.1/live/')}a=control:rtsp://operator:can:ary@10.0.0.1/t?user=operator&password=canary&channel=1\r\n`;
  assert.equal(redactMessage(sdp), `${message('Content-Base: rtsp://10.0.0.1/live/')}a=control:rtsp://10.0.0.1/t?user=[removed]&password=[removed]&channel=1\r\n`);
});

test('the password that was used goes wherever the camera repeats it', () => {
  const forms = [credentials.password, encodeURIComponent(credentials.password), Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')];
  fc.assert(fc.property(fc.string(), fc.constantFrom(...forms), fc.string(), (before, secret, after) => {
    const text = `${message(`X-Note: ${before}${secret}${after}`)}s=${before}${secret}${after}`;
    const safe = redactMessage(text, credentials);
    assert.ok(forms.every((form) => !safe.includes(form)), safe);
  }));
});

test('a message without credentials stays as it is', () => {
  const plain = `${message('Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 12AB;timeout=60')}v=0\r\na=fmtp:96 sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\n`;
  assert.equal(redactMessage(plain, credentials), plain);
});
