/** Tokens over REST: made, shown once, listed, limited in time, revoked with everything they opened. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { TokenView } from '../../src/api/protocol.ts';
import { apiBench, type ApiBench } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { connectSocket } from '../support/socket-client.ts';

type NewToken = TokenView & { token: string };

const tokens = ({ app, as }: ApiBench, payload: object, expect = 201) => app.inject({ method: 'POST', url: '/api/v1/tokens', headers: as('admin'), payload }).then((answer) => {
  assert.equal(answer.statusCode, expect, answer.body);
  return answer.json<NewToken & { code: string; message: string }>();
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a token opens what its role allows, and its text is nowhere but in the answer that made it', async (t) => {
  const bench = await apiBench(t, { level: 'trace' });
  const { app, as, lines, store, config } = bench;
  const made = await tokens(bench, { name: 'wall display', role: 'operator' });
  assert.match(made.token, /^lookout_[\w-]{32}$/u);
  assert.equal((await app.inject({ url: '/api/v1/session', headers: bearer(made.token) })).json<{ role: string }>().role, 'operator');
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/cameras/gate/stop', headers: bearer(made.token) })).statusCode, 202);
  assert.equal((await app.inject({ url: '/api/v1/tokens', headers: bearer(made.token) })).statusCode, 403);
  const list = await app.inject({ url: '/api/v1/tokens', headers: as('admin') });
  const { token: _, ...listed } = made;
  assert.deepEqual(list.json<{ tokens: TokenView[] }>().tokens.find(({ id }) => id === made.id), listed);
  await store.journal.flush();
  const kept = await Promise.all((await readdir(config.data)).map((file) => readFile(join(config.data, file), 'latin1')));
  for (const text of [list.body, ...lines, ...kept]) assert.ok(!text.includes(made.token));
  assert.ok(kept.some((text) => text.includes('The token "wall display" (operator) was made by admin.')), 'the journal has it');
});

test('a revoked token ends at once, with the sessions and sockets it opened', async (t) => {
  const bench = await apiBench(t);
  const { app, as, listen } = bench;
  const base = await listen();
  const made = await tokens(bench, { name: 'guest', role: 'viewer' });
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: made.token } });
  const cookie = `lookout_session=${login.cookies[0]?.value ?? ''}`;
  const sockets = [await connectSocket(t, `${base}/status`, { auth: { token: made.token } }), await connectSocket(t, `${base}/viewer`, { extraHeaders: { cookie } })];
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: { cookie } })).statusCode, 200);
  assert.equal((await app.inject({ method: 'DELETE', url: `/api/v1/tokens/${made.id}`, headers: as('admin') })).statusCode, 204);
  for (const headers of [bearer(made.token), { cookie }]) assert.equal((await app.inject({ url: '/api/v1/cameras', headers })).statusCode, 401);
  await eventually(() => sockets.every(({ connected }) => !connected), { what: 'its sockets to be closed' });
  const again = await app.inject({ method: 'DELETE', url: `/api/v1/tokens/${made.id}`, headers: as('admin') });
  assert.deepEqual([again.statusCode, again.json<{ code: string }>().code], [404, 'LOOKOUT_TOKEN_NOT_FOUND']);
});

test('a token that expires takes its sessions along', async (t) => {
  const bench = await apiBench(t);
  const { app } = bench;
  const made = await tokens(bench, { name: 'today', role: 'viewer', expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: made.token } });
  const cookie = login.cookies[0] as { value: string; maxAge?: number };
  assert.ok((cookie.maxAge ?? Infinity) <= 3600, 'the cookie ends with it');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_601_000 });
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: bearer(made.token) })).statusCode, 401);
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: { cookie: `lookout_session=${cookie.value}` } })).statusCode, 401);
});

test('a name is given once, and the names of Lookout\'s own tokens never', async (t) => {
  const bench = await apiBench(t);
  await tokens(bench, { name: 'guest', role: 'viewer' });
  for (const name of ['guest', 'admin', 'login-link']) assert.equal((await tokens(bench, { name, role: 'viewer' }, 409)).code, 'LOOKOUT_TOKEN_EXISTS');
});

test('a request that makes no sense is refused with the reason', async (t) => {
  const bench = await apiBench(t);
  const wrong: [object, RegExp][] = [
    [{ name: 'a', role: 'root' }, /role must be one of|role/u],
    [{ name: 'a', role: 'operator', cameras: ['gate'] }, /Only a viewer can be limited/u],
    [{ name: 'a', role: 'viewer', cameras: [] }, /cameras/u],
    [{ name: 'a', role: 'viewer', cameras: ['../etc'] }, /cameras/u],
    [{ name: 'a', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' }, /in the future/u],
    [{ name: 'a', role: 'viewer', expiresAt: 'tomorrow' }, /expiresAt/u],
    [{ name: 'a\nb', role: 'viewer' }, /name/u],
    [{ name: '', role: 'viewer' }, /name/u],
    [{ name: 'a', role: 'viewer', hash: 'x' }, /hash is not a field/u],
  ];
  for (const [payload, message] of wrong) assert.match((await tokens(bench, payload, 400)).message, message, JSON.stringify(payload));
});
