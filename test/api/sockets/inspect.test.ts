/** Namespace `/inspect` with real clients: who gets in, what is asked for, slow readers, the end of a look. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { io } from 'socket.io-client';
import type { ActorView } from '../../../src/api/protocol.ts';
import { apiBench } from '../../support/api.ts';
import { defer } from '../../support/defer.ts';
import { eventually } from '../../support/eventually.ts';
import { ask, collect, connectSocket } from '../../support/socket-client.ts';

test('only an admin may look at the actors', async (t) => {
  const { listen, script } = await apiBench(t);
  const base = await listen();
  const code = async (options: object) => connectSocket(t, `${base}/inspect`, options).then(() => 'connected', (error: { data?: { code: string } }) => error.data?.code);
  assert.equal(await code({}), 'LOOKOUT_UNAUTHENTICATED');
  for (const role of ['viewer', 'operator']) assert.equal(await code({ auth: { token: `${role}-token` } }), 'LOOKOUT_FORBIDDEN', role);
  assert.equal(script.looks.size, 0, 'nobody who was refused looks');
  assert.equal(await code({ auth: { token: 'admin-token' } }), 'connected');
});

test('a look begins with everything, answers what is asked for, refuses the rest, and ends with its connection', async (t) => {
  const { listen, script } = await apiBench(t);
  const socket = io(`${await listen()}/inspect`, { transports: ['websocket'], reconnection: false, forceNew: true, auth: { token: 'admin-token' } });
  defer(t, () => void socket.disconnect());
  const snapshots = collect<{ actors: ActorView[] }>(socket, 'snapshot');
  await eventually(() => snapshots.length === 1, { what: 'the snapshot' });
  assert.deepEqual(snapshots[0]?.actors.map(({ id }) => id), ['supervisor']);
  assert.equal(script.looks.size, 1);

  assert.equal((await ask(socket, 'watch', { actor: 'supervisor' })).ok, true);
  assert.deepEqual(await ask(socket, 'watch', { actor: null }), { ok: true, value: null });
  assert.equal((await ask(socket, 'watch', { actor: 'nobody' })).error?.code, 'LOOKOUT_ACTOR_NOT_FOUND');
  for (const wrong of [undefined, 'supervisor', {}, { actor: 7 }, { actor: '' }, { actor: 'supervisor', more: 1 }]) {
    assert.equal((await ask(socket, 'watch', wrong)).error?.code, 'LOOKOUT_VALIDATION', JSON.stringify(wrong));
  }
  assert.deepEqual(await ask(socket, 'sequence', { below: 'supervisor' }), { ok: true, value: null });
  assert.deepEqual(await ask(socket, 'send', { actor: 'supervisor', event: { type: 'hello', wanted: true } }), { ok: true, value: null });
  assert.deepEqual(script.calls, ['sequence supervisor', 'admin sends {"type":"hello","wanted":true}']);
  assert.equal((await ask(socket, 'send', { actor: 'nobody', event: { type: 'hello' } })).error?.code, 'LOOKOUT_ACTOR_NOT_FOUND');
  for (const wrong of [undefined, {}, { actor: 'supervisor' }, { actor: 'supervisor', event: 'hello' }, { actor: 'supervisor', event: {} }, { actor: 'supervisor', event: { type: 7 } }]) {
    assert.equal((await ask(socket, 'send', wrong)).error?.code, 'LOOKOUT_VALIDATION', JSON.stringify(wrong));
  }
  const messages = collect<{ below: string }>(socket, 'messages');
  for (const tell of script.looks) tell.messages({ below: 'supervisor', messages: [] });
  await eventually(() => messages.length === 1, { what: 'the messages' });
  const deltas = collect<{ removed: string[] }>(socket, 'actors');
  for (const tell of script.looks) tell.actors({ changed: [], removed: ['supervisor/camera:gate'] });
  await eventually(() => deltas.length === 1, { what: 'the change' });
  assert.deepEqual(deltas[0]?.removed, ['supervisor/camera:gate']);

  socket.disconnect();
  await eventually(() => script.looks.size === 0, { what: 'the look to end' });
});

test('a client that does not keep up gets everything again instead of an endless backlog', async (t) => {
  const { listen, script } = await apiBench(t);
  const socket = io(`${await listen()}/inspect`, { transports: ['websocket'], reconnection: false, forceNew: true, auth: { token: 'admin-token' } });
  defer(t, () => void socket.disconnect());
  const snapshots = collect(socket, 'snapshot');
  const deltas = collect(socket, 'actors');
  await eventually(() => snapshots.length === 1, { what: 'the snapshot' });
  // Without a turn of the loop between them nothing can leave, however fast the client is.
  for (let n = 0; n < 1_000; n += 1) for (const tell of script.looks) tell.actors({ changed: [], removed: [`supervisor/camera:${n}`] });
  await eventually(() => snapshots.length === 2, { what: 'the second snapshot' });
  assert.ok(deltas.length < 1_000, `${deltas.length} changes were sent`);
});
