/** Guessed tokens: ten in a minute for one address, by whatever door and however many at once; who is in stays in. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { hashToken } from '../../src/api/auth.ts';
import { createGuessLimit } from '../../src/api/limits.ts';
import { apiBench } from '../support/api.ts';
import { connectSocket } from '../support/socket-client.ts';

test('guessing tokens ends in 429 after ten mistakes, while those who are in stay in', async (t) => {
  const { app, as } = await apiBench(t);
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: as('admin') })).statusCode, 200);
  const guess = (n: number) => app.inject({ method: 'POST', url: '/api/v1/session', payload: { token: `guess-${n}` } });
  const codes: number[] = [];
  for (let n = 0; n < 12; n += 1) codes.push((await guess(n)).statusCode);
  assert.deepEqual(codes, [...Array<number>(10).fill(401), 429, 429]);
  const refused = await app.inject({ url: '/api/v1/cameras', headers: { authorization: 'Bearer another-guess' } });
  assert.equal(refused.statusCode, 429);
  assert.equal(refused.json<{ code: string }>().code, 'LOOKOUT_RATE_LIMITED');
  assert.equal(refused.headers['retry-after'], '60');
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: as('admin') })).statusCode, 200);
});

test('a hundred guesses at the same moment are ten guesses', async (t) => {
  const { app } = await apiBench(t);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => app.inject({ url: '/api/v1/cameras', headers: { authorization: `Bearer guess-${n}` } })));
  assert.equal(answers.filter(({ statusCode }) => statusCode === 401).length, 10);
  assert.equal(answers.filter(({ statusCode }) => statusCode === 429).length, 90);
});

test('thirty programs of one machine that connect at once with right tokens are all let in', async (t) => {
  const { app, store } = await apiBench(t);
  const names = Array.from({ length: 30 }, (_, n) => `program-${n}`);
  for (const name of names) await store.tokens.put({ name, role: 'viewer', hash: hashToken(`${name}-token`) });
  const answers = await Promise.all(names.map((name) => app.inject({ url: '/api/v1/cameras', headers: { authorization: `Bearer ${name}-token` } })));
  assert.deepEqual([...new Set(answers.map(({ statusCode }) => statusCode))], [200]);
});

test('sockets and routes count together, and another address is not locked out', async (t) => {
  const { app, listen } = await apiBench(t);
  const base = await listen();
  for (let n = 0; n < 5; n += 1) await assert.rejects(connectSocket(t, `${base}/status`, { auth: { token: `guess-${n}` } }));
  const guess = async (n: number) => (await app.inject({ url: '/api/v1/cameras', headers: { authorization: `Bearer other-${n}` }, remoteAddress: '127.0.0.1' })).statusCode;
  const codes: number[] = [];
  for (let n = 0; n < 6; n += 1) codes.push(await guess(n));
  assert.deepEqual(codes, [401, 401, 401, 401, 401, 429]);
  const error = await connectSocket(t, `${base}/viewer`, { auth: { token: 'guess' } }).then(() => undefined, (reason: { data?: { code: string } }) => reason.data?.code);
  assert.equal(error, 'LOOKOUT_RATE_LIMITED');
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: { authorization: 'Bearer guess' }, remoteAddress: '192.0.2.1' })).statusCode, 401);
});

test('one subscriber is one address: a /64 of IPv6, and IPv4 however it is written', async () => {
  const wrong = (address: string, limit = createGuessLimit(1)) => ({ limit, outcome: limit.guess(address, () => Promise.resolve(undefined)) });
  const same: [string, string][] = [['2001:db8::1', '2001:db8:0:0:ffff:1:2:3'], ['::ffff:192.0.2.1', '192.0.2.1'], ['fe80::1%eth0', 'fe80::2']];
  for (const [first, second] of same) {
    const { limit, outcome } = wrong(first);
    await outcome;
    await assert.rejects(limit.guess(second, () => Promise.resolve('right')), { code: 'LOOKOUT_RATE_LIMITED' }, `${first} and ${second}`);
  }
  const { limit, outcome } = wrong('2001:db8::1');
  await outcome;
  assert.equal(await limit.guess('2001:db8:0:1::1', () => Promise.resolve('right')), 'right');
});
