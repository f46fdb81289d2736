/** RTSP authentication against the RFCs' own examples, real cameras' challenges, and client against server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorize, createVerifier, parseChallenges, strongest } from '../../src/rtsp/auth.ts';

const rfc7616 = { credentials: { username: 'Mufasa', password: 'Circle of Life' }, method: 'GET', uri: '/dir/index.html', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' };

test('the MD5 and SHA-256 examples of RFC 7616 come out as printed there', () => {
  const common = 'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const [sha, md5] = parseChallenges([`Digest ${common}, algorithm=SHA-256`, `Digest ${common}, algorithm=MD5`]);
  assert.match(authorize(md5!, rfc7616), /response="8ca523f5e9506fed4657c9700eebdbec"/u);
  assert.match(authorize(sha!, rfc7616), /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/u);
  assert.equal(strongest([md5!, sha!]), sha);
});

test('the RFC 2069 form without qop is answered without nc and cnonce', () => {
  const [challenge] = parseChallenges(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']);
  const value = authorize(challenge!, { credentials: { username: 'Mufasa', password: 'CircleOfLife' }, method: 'GET', uri: '/dir/index.html' });
  assert.match(value, /response="1949323746fe6a43ef61f9606e7febea"/u);
  assert.doesNotMatch(value, /nc=|cnonce=|algorithm=/u);
});

test('Basic is the base64 of name and password (RFC 7617)', () => {
  assert.equal(authorize({ scheme: 'basic', realm: 'x' }, { credentials: { username: 'Aladdin', password: 'open sesame' }, method: 'DESCRIBE', uri: '' }), 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
});

test('challenges as cameras send them are understood', () => {
  const table: [string, object][] = [
    ['Digest realm="IP Camera(C6496)", nonce="68c0c0e4", stale="FALSE"', { scheme: 'digest', realm: 'IP Camera(C6496)', algorithm: 'MD5', qop: undefined, stale: false }],
    ['Digest realm="Login to 3C08, left, \\"main\\"",nonce="4c2", algorithm="MD5"', { realm: 'Login to 3C08, left, "main"', algorithm: 'MD5' }],
    ['digest Realm=AXIS_00408C, Nonce=0000a, algorithm=md5, qop=auth', { realm: 'AXIS_00408C', nonce: '0000a', algorithm: 'MD5', qop: 'auth' }],
    ['Digest realm="r", nonce="n", algorithm=sha-256, stale=true', { algorithm: 'SHA-256', stale: true }],
    ['Basic', { scheme: 'basic', realm: '' }],
  ];
  for (const [value, expected] of table) assert.partialDeepStrictEqual(parseChallenges([value])[0], expected, value);
});

test('two challenges in one header are told apart, the stronger is chosen', () => {
  const both = parseChallenges(['Basic realm="a, b", Digest realm="a", nonce="n", qop="auth"']);
  assert.deepEqual(both.map(({ scheme }) => scheme), ['basic', 'digest']);
  assert.equal(strongest(both)?.scheme, 'digest');
});

test('what cannot be answered is left out instead of answered wrongly', () => {
  assert.deepEqual(parseChallenges(['Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Digest realm="r", nonce="n", qop="auth-int"', 'Negotiate', 'Digest realm="r"', '']), []);
});

for (const scheme of ['basic', 'digest-md5', 'digest-sha256'] as const) {
  for (const qop of ['auth', 'none'] as const) {
    test(`the server accepts the right ${scheme} password and denies others (qop ${qop})`, () => {
      const verifier = createVerifier({ scheme, realm: 'Camera "1"', credentials: { username: 'admin', password: 'pä"ss:1' }, qop });
      const challenge = strongest(parseChallenges([verifier.challenge()]))!;
      const answer = (password: string, method = 'DESCRIBE'): string => authorize(challenge, { credentials: { username: 'admin', password }, method, uri: 'rtsp://h/cam' });
      assert.equal(verifier.verify(answer('pä"ss:1'), 'DESCRIBE'), 'ok');
      assert.equal(verifier.verify(answer('wrong'), 'DESCRIBE'), 'denied');
      assert.equal(verifier.verify(undefined, 'DESCRIBE'), 'denied');
      if (scheme !== 'basic') assert.equal(verifier.verify(answer('pä"ss:1', 'PLAY'), 'DESCRIBE'), 'denied');
    });
  }
}

test('the right answer to a nonce of another process is stale, not denied', () => {
  const options = { scheme: 'digest-md5', realm: 'r', credentials: { username: 'u', password: 'p' } } as const;
  const before = strongest(parseChallenges([createVerifier(options).challenge()]))!;
  assert.equal(createVerifier(options).verify(authorize(before, { credentials: options.credentials, method: 'PLAY', uri: '*' }), 'PLAY'), 'stale');
});

test('any header value gives challenges that can be answered, or none, at once', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('Digest ', 'Basic ', 'realm="', 'nonce=', '"', ',', ' = ', '\\', 'qop=auth', 'algorithm=SHA-256'));
  fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    for (const challenge of parseChallenges([pieces.join('')])) assert.match(authorize(challenge, rfc7616), /^(?:Basic|Digest) /u);
  }), { numRuns: 1000 });
  const startedMs = performance.now();
  for (const hostile of [`Digest ${'a '.repeat(50_000)}`, `Digest realm="${'\\'.repeat(100_001)}`, `Digest realm${' '.repeat(100_000)}x`, 'a, '.repeat(50_000)]) parseChallenges([hostile]);
  assert.ok(performance.now() - startedMs < 1000);
});
