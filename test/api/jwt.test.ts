/** Tokens of an outside issuer: a real JWKS server, real signatures, and every way in which one of them can be wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import { loadConfig, type Config, type ConfigError } from '../../src/config.ts';
import { apiBench, temporaryDir, type ApiBench } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { grpcClient } from '../support/grpc.ts';
import { scriptedControl } from '../support/scripted-control.ts';
import { connectSocket } from '../support/socket-client.ts';

type Key = { kid: string; privateKey: CryptoKey; publicKey: CryptoKey };

const issuer = 'https://login.example.org/';
const audience = 'lookout';
const hour = 3600;
const seconds = (): number => Math.floor(Date.now() / 1000);

async function makeKey(kid: string, alg = 'ES256'): Promise<Key> {
  return { kid, ...await generateKeyPair(alg, { extractable: true }) };
}

/** Signs as the issuer does; what `claims` has is in place of what it would say. */
const sign = (key: Key, claims: Record<string, unknown> = {}, alg = 'ES256'): Promise<string> =>
  new SignJWT({ iss: issuer, aud: audience, sub: 'ada', exp: seconds() + hour, role: 'viewer', ...claims }).setProtectedHeader({ alg, kid: key.kid }).sign(key.privateKey);

/** The issuer: publishes `keys`; while `down`, it answers 503. */
async function startIssuer(t: TestContext, keys: Key[]) {
  const state = { keys, down: false, asked: 0, url: '' };
  const server = createServer((_request, response) => {
    state.asked += 1;
    if (state.down) return void response.writeHead(503).end();
    void Promise.all(state.keys.map(async ({ kid, publicKey }) => ({ ...await exportJWK(publicKey), kid })))
      .then((published) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(t, () => void server.close().closeAllConnections());
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`;
  return state;
}

const trusting = (jwksUrl: string, more: object = {}) => (config: Config): Config =>
  ({ ...config, api: { ...config.api, loginsPerMinute: 1000 }, auth: { jwt: { ...config.auth.jwt, issuer, audience, jwksUrl, ...more } } });

async function rig(t: TestContext, more: object = {}) {
  const key = await makeKey('first');
  const jwks = await startIssuer(t, [key]);
  const bench = await apiBench(t, { change: trusting(jwks.url, more), script: scriptedControl(['gate', 'yard']) });
  return { ...bench, key, jwks };
}

type Answer = { status: number; body: { code?: string; message?: string; role?: string; name?: string; cameras?: string[] | null } };

const who = async ({ app }: Pick<ApiBench, 'app'>, token: string): Promise<Answer> => {
  const answer = await app.inject({ url: '/api/v1/session', headers: { authorization: `Bearer ${token}` } });
  return { status: answer.statusCode, body: answer.json() };
};

async function refuses(bench: Pick<ApiBench, 'app'>, token: string, why: RegExp): Promise<void> {
  const { status, body } = await who(bench, token);
  assert.deepEqual([status, body.code], [401, 'LOOKOUT_UNAUTHENTICATED'], JSON.stringify(body));
  assert.match(body.message ?? '', why);
}

test('a good token opens REST, Socket.IO, gRPC and a session as what its role says', async (t) => {
  const bench = await rig(t);
  const token = await sign(bench.key, { role: 'operator' });
  const { status, body } = await who(bench, token);
  assert.deepEqual([status, body.name, body.role, body.cameras], [200, 'jwt:ada', 'operator', null]);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await bench.app.inject({ method: 'POST', url: '/api/v1/cameras/gate/stop', headers })).statusCode, 202);
  assert.equal((await bench.app.inject({ url: '/api/v1/tokens', headers })).statusCode, 403);
  const base = await bench.listen();
  assert.ok((await connectSocket(t, `${base}/status`, { auth: { token } })).connected);
  const client = grpcClient(t, bench.app.grpc?.port() ?? 0, { token });
  assert.ok(await client.call('ListStreams'));
  const login = await bench.app.inject({ method: 'POST', url: '/api/v1/session', payload: { token } });
  assert.equal(login.statusCode, 200, login.body);
  assert.ok((login.cookies[0] as { maxAge: number }).maxAge <= hour + 30, 'the session ends with the token');
  assert.equal(bench.jwks.asked, 1, 'the keys were fetched once');
  for (const line of bench.lines) assert.ok(!line.includes(token));
});

test('a token of Lookout is good beside them, and makes links, which an outside one does not', async (t) => {
  const bench = await rig(t);
  const link = async (authorization: string) => (await bench.app.inject({ method: 'POST', url: '/api/v1/cameras/gate/links', headers: { authorization }, payload: { path: 'hls' } })).statusCode;
  assert.equal(await link(bench.as('operator').authorization), 201);
  assert.equal(await link(`Bearer ${await sign(bench.key, { role: 'admin' })}`), 403);
});

test('a token that is wrong in one thing is refused, with the reason', async (t) => {
  const bench = await rig(t);
  const { key } = bench;
  const stranger = await makeKey('first');
  await refuses(bench, await sign(key, { iss: 'https://elsewhere.example.org/' }), /claim "iss"/u);
  await refuses(bench, await sign(key, { aud: 'another' }), /claim "aud"/u);
  await refuses(bench, await sign(key, { exp: seconds() - 31 }), /expired/u);
  await refuses(bench, await sign(key, { nbf: seconds() + hour }), /claim "nbf"/u);
  await refuses(bench, await sign(key, { exp: undefined }), /claim "exp"/u);
  await refuses(bench, await sign(key, { sub: undefined }), /claim "sub"/u);
  await refuses(bench, await sign(stranger), /signature is wrong/u);
  await refuses(bench, await sign(await makeKey('nobody')), /no key that it names/u);
  const good = await sign(key);
  await refuses(bench, `${good.slice(0, good.lastIndexOf('.'))}.`, /signature is wrong/u);
  assert.equal((await who(bench, good)).status, 200);
});

test('a token without a signature, or signed with the public key as a secret, is refused', async (t) => {
  const bench = await rig(t);
  const claims = { iss: issuer, aud: audience, sub: 'eve', role: 'admin', exp: seconds() + hour };
  await refuses(bench, new UnsecuredJWT(claims).encode(), /algorithm is not accepted|form or signature/u);
  const secret = new TextEncoder().encode(await exportSPKI(bench.key.publicKey));
  await refuses(bench, await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret), /algorithm is not accepted/u);
});

test('the role comes from the claim that is configured: a text, or the highest of a list, by name or path', async (t) => {
  const bench = await rig(t, { roleClaim: 'realm_access.roles' });
  const roleOf = async (roles: unknown) => (await who(bench, await sign(bench.key, { realm_access: { roles } }))).body.role;
  assert.deepEqual([await roleOf('operator'), await roleOf(['offline', 'viewer', 'admin'])], ['operator', 'admin']);
  for (const roles of ['root', ['Admin'], [], undefined, { admin: true }]) await refuses(bench, await sign(bench.key, { realm_access: { roles } }), /none of the roles/u);
  await refuses(bench, await sign(bench.key, { role: 'admin' }), /none of the roles/u);
});

test('a viewer sees the cameras of its claim alone, and a claim that is none opens nothing', async (t) => {
  const bench = await rig(t);
  const headers = { authorization: `Bearer ${await sign(bench.key, { cameras: ['gate'] })}` };
  const list = await bench.app.inject({ url: '/api/v1/cameras', headers });
  assert.deepEqual(list.json<{ cameras: { id: string }[] }>().cameras.map(({ id }) => id), ['gate']);
  assert.equal((await bench.app.inject({ url: '/api/v1/cameras/yard', headers })).statusCode, 404);
  for (const cameras of ['gate', null, [1], { gate: true }]) await refuses(bench, await sign(bench.key, { cameras }), /not a list of camera ids/u);
  await refuses(bench, await sign(bench.key, { role: 'operator', cameras: ['gate'] }), /only a viewer/u);
});

test('without keys the answer says so; keys that are known go on without their server', async (t) => {
  const bench = await rig(t);
  const { jwks, key } = bench;
  jwks.down = true;
  const first = await who(bench, await sign(key));
  assert.deepEqual([first.status, first.body.code], [503, 'LOOKOUT_ISSUER_UNAVAILABLE']);
  assert.ok(bench.lines.some((line) => line.includes('the keys of the token issuer cannot be fetched')));
  jwks.down = false;
  assert.equal((await who(bench, await sign(key))).status, 200);
  jwks.down = true;
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_000_000 });
  const asked = jwks.asked;
  assert.equal((await who(bench, await sign(key, { sub: 'grace' }))).status, 200);
  assert.equal(jwks.asked, asked + 1, 'it was asked again, for the keys are old');
});

test('a new key of the issuer is found, and a key that it withdrew is good no longer', async (t) => {
  const bench = await rig(t);
  const { jwks, key } = bench;
  const old = await sign(key, { exp: seconds() + 24 * hour });
  assert.equal((await who(bench, old)).status, 200);
  const next = await makeKey('second');
  jwks.keys = [next];
  await refuses(bench, await sign(next), /no key that it names/u);
  assert.equal(jwks.asked, 1, 'unknown keys do not make Lookout ask without end');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 });
  assert.equal((await who(bench, await sign(next))).status, 200);
  await refuses(bench, old, /no key that it names/u);
});

test('wrong tokens of an outside issuer count as guesses, and those that cannot be checked do not', async (t) => {
  const key = await makeKey('first');
  const jwks = await startIssuer(t, [key]);
  const bench = await apiBench(t, { change: (config) => ({ ...trusting(jwks.url)(config), api: { ...config.api, loginsPerMinute: 3 } }) });
  jwks.down = true;
  for (const sub of ['a', 'b', 'c', 'd']) assert.equal((await who(bench, await sign(key, { sub }))).status, 503);
  jwks.down = false;
  for (const sub of ['a', 'b', 'c']) await refuses(bench, await sign(key, { sub, aud: 'x' }), /aud/u);
  assert.equal((await who(bench, await sign(key))).status, 429);
});

test('the configuration names issuer, audience and keys together, and fetches keys over https or from this machine', async (t) => {
  const file = join(await temporaryDir(t), 'lookout.yaml');
  const mistakes = async (jwt: object): Promise<string[]> => {
    await writeFile(file, JSON.stringify({ auth: { jwt } }));
    try {
      loadConfig(['--config', file], {});
      return [];
    } catch (error) {
      return (error as ConfigError).mistakes.map(({ path }) => path);
    }
  };
  assert.deepEqual(await mistakes({ issuer }), ['auth.jwt.audience', 'auth.jwt.jwksUrl']);
  assert.deepEqual(await mistakes({ issuer, audience, jwksUrl: 'http://login.example.org/certs' }), ['auth.jwt.jwksUrl']);
  assert.deepEqual(await mistakes({ issuer, audience, jwksUrl: 'file:///etc/passwd' }), ['auth.jwt.jwksUrl']);
  for (const jwksUrl of ['https://login.example.org/certs', 'http://127.0.0.1:9/certs']) assert.deepEqual(await mistakes({ issuer, audience, jwksUrl }), []);
});
