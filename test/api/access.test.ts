/** Who may do what: every route by its role, sessions, forged requests, guessed tokens. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Role } from '../../src/store/types.ts';
import { routeRoles, socketRoles } from '../../src/api/access-table.ts';
import { hashToken } from '../../src/api/auth.ts';
import { apiBench } from '../support/api.ts';
import { connectSocket } from '../support/socket-client.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Operation = { description?: string; responses: Record<string, { content?: Record<string, { schema?: object }>; description?: string }> };

const ranked: Role[] = ['viewer', 'operator', 'admin'];

function operations(document: unknown): Map<string, Operation> {
  const { paths } = document as { paths: Record<string, Record<string, Operation>> };
  return new Map(Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([method]) => method !== 'head').map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const)));
}

test('every route has the role of the table, and the table has every route', async (t) => {
  const { app } = await apiBench(t);
  await app.ready();
  const found = Object.fromEntries([...operations(app.swagger())].map(([route, { description }]) => [route, /Role: (\w+)\./u.exec(description ?? '')?.[1]]));
  assert.deepEqual(found, routeRoles);
});

test('the router has no route beside the table but the page, which is public, and the documentation', async (t) => {
  const { app } = await apiBench(t);
  await app.ready();
  const listed = new Set(Object.keys(routeRoles));
  const nameOf = ({ method, url }: { method: string; url: string }) => `${method === 'HEAD' ? 'GET' : method} ${url.replaceAll(/:(\w+)/gu, '{$1}')}`;
  const beside = app.routesByRole().filter((route) => !listed.has(nameOf(route)) && !/^\/docs(\/|$)/u.test(route.url));
  assert.deepEqual(beside.map((route) => [nameOf(route), route.role]), [['GET /', 'public'], ['GET /', 'public']].slice(0, beside.length));
  for (const route of app.routesByRole()) assert.equal(route.role, (routeRoles as Record<string, string>)[nameOf(route)] ?? 'public', nameOf(route));
});

test('every event a client may send on a socket is in the table, and the table has no other', async (t) => {
  const { app, listen } = await apiBench(t);
  const base = await listen();
  const served: string[] = [];
  for (const name of ['/status', '/viewer', '/inspect']) {
    await connectSocket(t, base + name, { auth: { token: 'admin-token' } });
    const [socket] = app.io.of(name).sockets.values();
    assert.ok(socket);
    served.push(name, ...socket.eventNames().map(String).filter((event) => !['disconnect', 'error'].includes(event)).map((event) => `${name} ${event}`));
  }
  assert.deepEqual([...new Set(app.io._nsps.keys())].filter((name) => name !== '/').toSorted(), ['/inspect', '/status', '/viewer']);
  assert.deepEqual(served.toSorted(), Object.keys(socketRoles).toSorted());
});

test('every route names the shape of its answers and of its errors', async (t) => {
  const { app } = await apiBench(t);
  await app.ready();
  for (const [route, { responses }] of operations(app.swagger())) {
    const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
    assert.ok(good.length > 0, `${route} has no schema for success`);
    for (const [status, { content, description }] of good) {
      const schema = Object.values(content ?? {})[0]?.schema as { type?: string } | undefined;
      assert.ok(schema?.type !== undefined || (status === '204' && description === 'Done'), `${route} answers ${status} without schema`);
    }
    if (!['GET /readyz'].includes(route)) assert.ok('4XX' in responses && '5XX' in responses, `${route} has no schema for errors: ${Object.keys(responses).join()}`);
  }
});

for (const [route, role] of Object.entries(routeRoles)) {
  if (role === 'public' || role === 'internal') continue;
  test(`${route} refuses strangers and roles below ${role}, and admits ${role}`, async (t) => {
    const { app, as } = await apiBench(t);
    const [method, path] = route.split(' ') as [Method, string];
    const ask = (headers: Record<string, string>) => app.inject({ method, url: path.replace('{id}', 'gate').replace('{seq}', '1'), headers });
    const stranger = await ask({});
    assert.equal(stranger.statusCode, 401);
    assert.equal(stranger.json<{ code: string }>().code, 'LOOKOUT_UNAUTHENTICATED');
    for (const lower of ranked.slice(0, ranked.indexOf(role))) assert.equal((await ask(as(lower))).statusCode, 403, lower);
    assert.ok(![401, 403].includes((await ask(as(role))).statusCode));
  });
}

test('a route that was registered without a role keeps the program from starting', async (t) => {
  const { app } = await apiBench(t);
  app.get('/forgotten', () => 'open');
  await assert.rejects(async () => app.ready(), /routes without a role: GET \/forgotten/u);
});

test('a login gives a cookie that scripts cannot read, which opens the API until logout', async (t) => {
  const { app, token, store } = await apiBench(t);
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: token('operator') } });
  assert.equal(login.statusCode, 200);
  assert.deepEqual(login.json(), { name: 'operator', role: 'operator', cameras: null });
  const [cookie] = login.cookies as { name: string; value: string; httpOnly?: boolean; sameSite?: string; path?: string }[];
  assert.ok(cookie);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(await store.sessions.find(cookie.value), undefined, 'sessions are stored hashed');
  assert.equal((await store.sessions.find(hashToken(cookie.value)))?.role, 'operator');

  const cookies = { [cookie.name]: cookie.value };
  assert.equal((await app.inject({ url: '/api/v1/cameras', cookies })).statusCode, 200);
  const own = { cookies, headers: { host: 'lookout.local', origin: 'http://lookout.local' } };
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/v1/session', ...own })).statusCode, 204);
  assert.equal((await app.inject({ url: '/api/v1/cameras', cookies })).statusCode, 401);
});

test('a request that another page makes with the session cookie changes nothing', async (t) => {
  const { app, token, script } = await apiBench(t);
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: token('admin') } });
  const cookies = Object.fromEntries(login.cookies.map(({ name, value }) => [name, value]));
  const stop = (headers: Record<string, string>) => app.inject({ method: 'POST', url: '/api/v1/cameras/gate/stop', cookies, headers: { host: 'lookout.local', ...headers } });
  for (const headers of [{}, { origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'http://lookout.local:81' }]) {
    assert.equal((await stop(headers as Record<string, string>)).statusCode, 403, JSON.stringify(headers));
  }
  assert.deepEqual(script.calls, []);
  assert.equal((await stop({ origin: 'http://lookout.local' })).statusCode, 202);
  assert.equal((await stop({ 'sec-fetch-site': 'same-origin' })).statusCode, 202);
  assert.deepEqual(script.calls, ['stop gate', 'stop gate']);
});

test('a foreign page cannot log a browser in', async (t) => {
  const { app, token } = await apiBench(t);
  const answer = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: token('admin') }, headers: { origin: 'http://evil.example' } });
  assert.equal(answer.statusCode, 403);
  assert.equal(answer.cookies.length, 0);
});

test('an address that asks more often than allowed is refused with 429', async (t) => {
  const { app, as } = await apiBench(t, { change: (config) => ({ ...config, api: { ...config.api, requestsPerMinute: 20 } }) });
  const codes: number[] = [];
  for (let n = 0; n < 22; n += 1) codes.push((await app.inject({ url: '/api/v1/session', headers: as('viewer') })).statusCode);
  assert.deepEqual(codes.slice(-3), [200, 429, 429]);
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'health is asked by machines and not limited');
});

test('/stats asks for its own secret, and does not exist without one', async (t) => {
  const without = await apiBench(t);
  assert.equal((await without.app.inject({ url: '/stats', headers: { 'x-internal-auth': 'anything', ...without.as('admin') } })).statusCode, 404);
  const { app, as, lines } = await apiBench(t, { env: { LOOKOUT_INTERNAL_SECRET: 'internal-secret' } });
  assert.equal((await app.inject({ url: '/stats', headers: as('admin') })).statusCode, 401);
  assert.equal((await app.inject({ url: '/stats', headers: { 'x-internal-auth': 'internal-secre' } })).statusCode, 401);
  const answer = await app.inject({ url: '/stats', headers: { 'x-internal-auth': 'internal-secret' } });
  assert.equal(answer.statusCode, 200);
  assert.ok(lines.some((line) => line.includes('a configured secret is short') && !line.includes('internal-secret')), 'its 15 characters are warned about');
  const stats = answer.json<{ rooms: { camera: string; producers: number; consumers: number; transports: number; packetCount: number }[] }>();
  assert.equal(stats.rooms[0]?.camera, 'gate');
  assert.deepEqual([stats.rooms[0].producers, stats.rooms[0].consumers, stats.rooms[0].transports, stats.rooms[0].packetCount], [1, 1, 1, 10]);
});

test('every answer carries an id of ours for the log, never one from outside', async (t) => {
  const { app, lines, as } = await apiBench(t);
  const answer = await app.inject({ url: '/api/v1/cameras', headers: { 'x-request-id': 'forged', ...as('viewer') } });
  const id = String(answer.headers['x-request-id']);
  assert.match(id, /^[0-9a-f-]{36}$/u);
  assert.ok(lines.some((line) => line.includes(id)));
});
