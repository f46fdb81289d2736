/** TLS from files: everything is served with it, and a certificate that is replaced while clients are connected reaches the next ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { grpcClient } from '../support/grpc.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { ask, connectSocket } from '../support/socket-client.ts';

type Pair = { cert: string; key: string; fingerprint: string };
type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; body: string; fingerprint: string };

const token = 'test-admin-token-of-this-run';

/** A certificate as an operator makes one. */
function makePair(dir: string, name: string): Pair {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
  return { cert, key, fingerprint: new X509Certificate(readFileSync(cert)).fingerprint256 };
}

async function pairs(t: TestContext): Promise<{ dir: string; files: { cert: string; key: string }; first: Pair; second: Pair; ca: Buffer }> {
  const dir = await mkdtemp(join(tmpdir(), 'lookout-tls-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  const [first, second] = [makePair(dir, 'first'), makePair(dir, 'second')];
  const files = { cert: join(dir, 'served.crt'), key: join(dir, 'served.key') };
  await copyFile(first.cert, files.cert);
  await copyFile(first.key, files.key);
  return { dir, files, first, second, ca: Buffer.concat([readFileSync(first.cert), readFileSync(second.cert)]) };
}

/** One request, on a connection of its own unless `agent` keeps it. */
function send(url: string, { body, ...options }: RequestOptions & { body?: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (answer) => {
      const { fingerprint256: fingerprint } = (answer.socket as TLSSocket).getPeerCertificate();
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, fingerprint })).on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}

const grpcPort = (lookout: Lookout): Promise<number> => eventually(() => lookout.lines.map((line) => (line.includes('gRPC is served') ? (JSON.parse(line) as { port: number }).port : undefined)).find(Boolean)) as Promise<number>;

/** What gRPC shows to a new connection. */
async function grpcFingerprint(port: number, ca: Buffer): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test('a certificate that is replaced while clients are connected is served to the next ones, and a broken one to nobody', async (t) => {
  const { files, first, second, ca } = await pairs(t);
  const metricsPort = await freePort();
  await using lookout = await startLookout({ config: { tls: files, metrics: { port: metricsPort } }, env: { LOOKOUT_INTERNAL_SECRET: 'internal-secret-of-this-run' } });
  const port = await grpcPort(lookout);
  const headers = { authorization: `Bearer ${token}` };
  const stats = async (): Promise<{ fingerprint: string; refused: string | null }> => (JSON.parse((await send(`${lookout.url}/stats`, { ca, headers: { 'x-internal-auth': 'internal-secret-of-this-run' } })).body) as { tls: { fingerprint: string; refused: string | null } }).tls;
  assert.match(lookout.loginLink, /^https:\/\/127\.0\.0\.1:\d+\/#token=/u);

  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  defer(t, () => kept.destroy());
  const overKept = () => send(`${lookout.url}/api/v1/cameras`, { ca, headers, agent: kept });
  assert.equal((await overKept()).fingerprint, first.fingerprint);
  const socket = await connectSocket(t, `${lookout.url}/viewer`, { ca: ca as never, auth: { token } });
  const grpc = grpcClient(t, port, { token, ca });
  assert.deepEqual((await grpc.call<{ streams?: unknown[] }>('ListStreams')).streams ?? [], []);
  const watch = grpc.stream('WatchStreams');
  await eventually(() => watch.events.length > 0);

  // As deployment tools do it: one file after the other, each by a rename.
  for (const kind of ['cert', 'key'] as const) {
    await copyFile(second[kind], `${files[kind]}.new`);
    await rename(`${files[kind]}.new`, files[kind]);
  }
  await eventually(async () => (await stats()).fingerprint === second.fingerprint, { what: 'the new certificate' });
  assert.equal((await send(`${lookout.url}/healthz`, { ca })).fingerprint, second.fingerprint);
  assert.equal((await send(`https://127.0.0.1:${metricsPort}/metrics`, { ca })).fingerprint, second.fingerprint);
  assert.equal(await grpcFingerprint(port, ca), second.fingerprint);

  const old = await overKept();
  assert.deepEqual([old.status, old.fingerprint], [200, first.fingerprint], 'the connection from before goes on');
  assert.equal((await ask(socket, 'leave', { viewer: 'nobody' })).error?.code, 'LOOKOUT_VIEWER_NOT_FOUND', 'so does the socket');
  assert.deepEqual((await grpc.call<{ streams?: unknown[] }>('ListStreams')).streams ?? [], [], 'and gRPC');
  await grpc.call('SetupStream', { id: 'gate', url: 'rtsp://127.0.0.1:9/none' });
  await eventually(() => watch.events.some((event) => JSON.stringify(event).includes('gate')), { what: 'the stream from before to tell' });

  const whole = await readFile(first.cert, 'utf8');
  await writeFile(files.cert, whole.slice(0, whole.length / 2));
  const readiness = async (): Promise<{ ready: boolean; warnings: string[] }> => JSON.parse((await send(`${lookout.url}/readyz`, { ca })).body) as { ready: boolean; warnings: string[] };
  const { ready, warnings } = await eventually(async () => (((await readiness()).warnings.length > 0) ? readiness() : undefined), { what: 'readiness to warn' }) as { ready: boolean; warnings: string[] };
  assert.equal(ready, true, 'it serves the old one');
  assert.match(warnings.join(), /certificate is refused, the old one is still served: tls\.cert cannot be used/u);
  assert.ok(lookout.lines.some((line) => line.includes('the new certificate is refused') && line.includes('"level":"error"')));
  assert.equal((await send(`${lookout.url}/healthz`, { ca })).fingerprint, second.fingerprint);
  // Whole, but not of the key that lies there.
  await writeFile(files.cert, whole);
  await eventually(async () => /tls\.key is not the key of the certificate/u.test((await stats()).refused ?? ''), { what: 'the other reason' });
  assert.match((await send(`https://127.0.0.1:${metricsPort}/metrics`, { ca })).body, /^vms_media_tls_refused 1$/mu);
  await copyFile(first.key, files.key);
  await eventually(async () => (await stats()).fingerprint === first.fingerprint, { what: 'the mended pair' });
  assert.deepEqual((await readiness()).warnings, []);
});

test('with TLS the cookie is secure, the page may connect to itself, and without it nobody is answered', async (t) => {
  const { files, ca } = await pairs(t);
  await using lookout = await startLookout({ env: { LOOKOUT_TLS_CERT: files.cert, LOOKOUT_TLS_KEY: files.key } });
  const body = JSON.stringify({ token });
  const login = await send(`${lookout.url}/api/v1/session`, { ca, method: 'POST', headers: { 'content-type': 'application/json', origin: lookout.url }, body });
  assert.equal(login.status, 200);
  assert.match(String(login.headers['set-cookie']), /^lookout_session=.*; HttpOnly; Secure; SameSite=Strict/u);
  const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
  const socket = await connectSocket(t, `${lookout.url}/status`, { ca: ca as never, extraHeaders: { cookie, origin: lookout.url } });
  assert.ok(socket.connected);
  await assert.rejects(send(`${lookout.url}/healthz`, {}), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'who does not know it does not trust it');
  await assert.rejects(fetch(`${lookout.url.replace('https', 'http')}/healthz`), 'HTTP is not spoken here');
  await assert.rejects(grpcClient(t, await grpcPort(lookout), { token }).call('ListStreams', {}, { timeoutMs: 3_000 }), 'neither is gRPC without TLS');
});

test('a pair that cannot be served is a mistake of configuration, told without a word of the key', async (t) => {
  const { dir, first, second } = await pairs(t);
  const mistakes = (cert: string | undefined, key: string | undefined): string[] => {
    try {
      loadConfig(['--config', '/dev/null'], { LOOKOUT_DATA: dir, ...(cert === undefined ? {} : { LOOKOUT_TLS_CERT: cert }), ...(key === undefined ? {} : { LOOKOUT_TLS_KEY: key }) });
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.lines;
    }
  };
  const encrypted = join(dir, 'encrypted.key');
  execFileSync('openssl', ['pkey', '-in', first.key, '-aes256', '-passout', 'pass:canary', '-out', encrypted], { stdio: 'ignore' });
  assert.deepEqual(mistakes(first.cert, first.key), []);
  assert.deepEqual(mistakes(first.cert, undefined), ['tls.key: is needed: certificate and key go together (/dev/null)']);
  assert.deepEqual(mistakes(join(dir, 'none'), first.key), ['tls.cert: cannot be used: ENOENT (LOOKOUT_TLS_CERT)']);
  assert.deepEqual(mistakes(first.cert, second.key), ['tls.key: is not the key of the certificate (LOOKOUT_TLS_KEY)']);
  assert.match(mistakes(first.cert, encrypted)[0] ?? '', /^tls\.key: is encrypted/u);
  assert.match(mistakes(first.cert, first.cert)[0] ?? '', /^tls\.key: cannot be used: /u);
  assert.match(mistakes(first.key, first.key)[0] ?? '', /^tls\.cert: cannot be used: /u);
});
