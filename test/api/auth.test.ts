/** The way in: the admin token and the login link over restarts, and who stays in while the store is away. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createAuth, ensureAdminToken, hashToken } from '../../src/api/auth.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/index.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';

const silent = createLog({ level: 'silent' });

async function way(t: TestContext, env: Record<string, string> = {}, dir?: string) {
  const data = dir ?? await temporaryDir(t);
  const store = await openStore({ dir: data, log: silent });
  defer(t, () => store.close());
  const config = loadConfig([], env);
  return { store, dir: data, config, auth: createAuth({ store, config }), token: (await ensureAdminToken({ store, config })).token };
}

const credentials = (token: string) => ({ authorization: `Bearer ${token}`, address: '127.0.0.1' });

test('the token of the first start opens the API after a restart, beside that start\'s own link', async (t) => {
  const first = await way(t);
  assert.equal((await first.auth.identify(credentials(first.token)))?.role, 'admin');
  await first.store.close();
  const second = await way(t, {}, first.dir);
  assert.notEqual(second.token, first.token);
  for (const token of [first.token, second.token]) assert.equal((await second.auth.identify(credentials(token)))?.role, 'admin');
  await second.store.close();
  const third = await way(t, {}, first.dir);
  assert.equal((await third.auth.identify(credentials(first.token)))?.role, 'admin');
  await assert.rejects(third.auth.identify(credentials(second.token)), { code: 'LOOKOUT_UNAUTHENTICATED' }, 'a link ends with its start');
});

test('a configured token opens the API, is not in the link, and ends when it is configured no more', async (t) => {
  const first = await way(t, { LOOKOUT_TOKEN: 'configured-token' });
  assert.notEqual(first.token, 'configured-token');
  for (const token of ['configured-token', first.token]) assert.equal((await first.auth.identify(credentials(token)))?.role, 'admin');
  await first.store.close();
  const second = await way(t, {}, first.dir);
  await assert.rejects(second.auth.identify(credentials('configured-token')), { code: 'LOOKOUT_UNAUTHENTICATED' });
  assert.equal((await second.auth.identify(credentials(second.token)))?.role, 'admin');
});

test('who was let in stays in while the store is away, and a stranger is told the store is away', async (t) => {
  const { auth, token, store } = await way(t);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await auth.identify(credentials(token));
  await store.close();
  t.mock.timers.tick(60_000);
  assert.equal((await auth.identify(credentials(token)))?.role, 'admin');
  await assert.rejects(auth.identify(credentials('stranger')), { code: 'LOOKOUT_STORE_UNAVAILABLE' });
});

test('a session ends at its time', async (t) => {
  const { auth, token, store } = await way(t);
  const { session, identity } = await auth.login(token, '127.0.0.1');
  const stored = await store.sessions.find(hashToken(session));
  assert.equal(stored?.expiresAt, identity.expiresAt);
  t.mock.timers.enable({ apis: ['Date'], now: identity.expiresAt + 1 });
  await store.sessions.put({ hash: hashToken(session), name: 'admin', role: 'admin', cameras: null, token: '', expiresAt: 1 });
  await assert.rejects(auth.identify({ session, address: '127.0.0.1' }), { code: 'LOOKOUT_UNAUTHENTICATED' });
});
