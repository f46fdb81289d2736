/** `WatchStreams`: the snapshot and what follows, slow readers, and every way it ends. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { StoredToken } from '../../../src/store/types.ts';
import { apiBench } from '../../support/api.ts';
import { eventually } from '../../support/eventually.ts';
import { grpcClient, type Message } from '../../support/grpc.ts';
import { cameraView, scriptedControl } from '../../support/scripted-control.ts';

async function bench(t: TestContext, ids = ['gate', 'yard']) {
  const made = await apiBench(t, { script: scriptedControl(ids), level: 'info' });
  await made.listen();
  return { ...made, client: grpcClient(t, made.app.grpc?.port() ?? 0, { token: 'viewer-token' }) };
}

const complete = (events: Message[]) => events.some(({ event }) => event === 'snapshotComplete');
const kinds = (events: Message[]) => events.map((event) => {
  const { stream, removed } = event as { stream?: { id: string; attempt?: number }; removed?: string };
  return stream === undefined ? removed ?? 'complete' : `${stream.id} ${stream.attempt ?? 0}`;
});

test('every stream comes once, then the end of the snapshot, then changes and removals in their order', async (t) => {
  const { client, script } = await bench(t);
  const watch = client.stream('WatchStreams');
  await eventually(() => complete(watch.events), { what: 'the snapshot' });
  assert.deepEqual(kinds(watch.events), ['gate 0', 'yard 0', 'complete']);
  assert.deepEqual(watch.events[2]?.['snapshotComplete'], { streams: 2 });
  script.emit({ type: 'camera', id: 'gate', camera: cameraView('gate', { attempt: 1 }) });
  script.emit({ type: 'camera', id: 'yard', camera: null });
  await eventually(() => watch.events.length === 5, { what: 'two changes' });
  assert.deepEqual(kinds(watch.events).slice(3), ['gate 1', 'yard']);
});

test('only the streams that are named are sent, also one that is made later', async (t) => {
  const { client, script } = await bench(t);
  const watch = client.stream('WatchStreams', { ids: ['yard', 'later'] });
  await eventually(() => complete(watch.events), { what: 'the snapshot' });
  for (const id of ['gate', 'later']) script.emit({ type: 'camera', id, camera: cameraView(id) });
  await eventually(() => watch.events.length === 3, { what: 'the later one' });
  assert.deepEqual(kinds(watch.events), ['yard 0', 'complete', 'later 0']);
});

test('of three hundred changes within a moment a few arrive, the last one last', async (t) => {
  const { client, script } = await bench(t);
  const watch = client.stream('WatchStreams');
  await eventually(() => complete(watch.events), { what: 'the snapshot' });
  const began = performance.now();
  for (let attempt = 1; attempt <= 300; attempt += 1) script.emit({ type: 'camera', id: 'gate', camera: cameraView('gate', { attempt }) });
  await eventually(() => kinds(watch.events).at(-1) === 'gate 300', { what: 'the last change' });
  assert.ok(watch.events.length - 3 <= 2 + 5 * ((performance.now() - began) / 1000), `${watch.events.length - 3} changes`);
});

test('a client that does not read holds one change of each stream, and reads the latest when it goes on', async (t) => {
  const ids = Array.from({ length: 50 }, (_, n) => `cam-${String(n).padStart(2, '0')}`);
  const { client, script } = await bench(t, ids);
  const watch = client.stream('WatchStreams');
  await eventually(() => complete(watch.events), { what: 'the snapshot' });
  watch.call.pause();
  const fat = 'x'.repeat(20_000);
  const before = process.memoryUsage().rss;
  let attempt = 0;
  for (const until = performance.now() + 3000; performance.now() < until;) {
    attempt += 1;
    for (const id of ids) script.emit({ type: 'camera', id, camera: cameraView(id, { attempt, name: fat }) });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Fifty streams of 20 kB at five changes a second are 15 MB in this time; what may wait is one of each and the transport's buffers.
  assert.ok(process.memoryUsage().rss - before < 150_000_000);
  const sent = watch.events.length;
  watch.call.resume();
  await eventually(() => ids.every((id) => watch.events.some(({ stream }) => (stream as { id: string; attempt: number } | undefined)?.id === id && (stream as { attempt: number }).attempt === attempt)), { timeoutMs: 10_000, what: 'the latest of each' });
  const after = watch.events.slice(sent).length;
  assert.ok(after < 50 * 3 * 5, `${after} events of ${50 * 3 * 5} that a reader would have got`);
  watch.call.cancel();
});

test('a watch ends with its deadline, its caller, its token and the program, and leaves nothing behind', async (t) => {
  const { client, app, as } = await bench(t);
  const watches = async (options: object = {}) => {
    const watch = client.stream('WatchStreams', {}, options);
    await eventually(() => complete(watch.events), { what: 'the snapshot' });
    return watch;
  };
  assert.equal((await (await watches({ timeoutMs: 400 })).ended)?.code, status.DEADLINE_EXCEEDED);

  const cancelled = await watches();
  cancelled.call.cancel();
  assert.equal((await cancelled.ended)?.code, status.CANCELLED);

  const made = (await app.inject({ method: 'POST', url: '/api/v1/tokens', headers: as('admin'), payload: { name: 'guest', role: 'viewer' } })).json<StoredToken & { token: string }>();
  const revoked = await watches({ token: made.token });
  await app.inject({ method: 'DELETE', url: `/api/v1/tokens/${made.id}`, headers: as('admin') });
  assert.equal((await revoked.ended)?.reason, 'LOOKOUT_UNAUTHENTICATED');

  const short = (await app.inject({ method: 'POST', url: '/api/v1/tokens', headers: as('admin'), payload: { name: 'short', role: 'viewer', expiresAt: new Date(Date.now() + 1500).toISOString() } })).json<{ token: string }>();
  assert.equal((await (await watches({ token: short.token })).ended)?.reason, 'LOOKOUT_UNAUTHENTICATED', 'expired');

  const last = await watches();
  await app.close();
  assert.deepEqual([(await last.ended)?.code, (await last.ended)?.reason], [status.UNAVAILABLE, 'LOOKOUT_SHUTTING_DOWN']);
});

test('nothing listens to the supervisor after a thousand watches that came and went', async (t) => {
  const { client, script } = await bench(t);
  const listeners = script.listeners();
  for (let round = 0; round < 20; round += 1) {
    const watches = Array.from({ length: 50 }, () => client.stream('WatchStreams'));
    await eventually(() => watches.every(({ events }) => complete(events)), { timeoutMs: 10_000, what: 'fifty snapshots' });
    for (const { call } of watches) call.cancel();
    await Promise.all(watches.map(({ ended }) => ended));
  }
  assert.equal(script.listeners(), listeners);
  const one = client.stream('WatchStreams');
  await eventually(() => complete(one.events), { what: 'one more' });
  one.call.cancel();
});

test('more watches than the program serves are refused, and places become free again', async (t) => {
  const { client } = await bench(t);
  const watches = Array.from({ length: 199 }, () => client.stream('WatchStreams'));
  await eventually(() => watches.every(({ events }) => complete(events)), { timeoutMs: 10_000, what: 'all of them' });
  // A second connection, since one carries 200 streams.
  const last = client.stream('WatchStreams');
  await eventually(() => complete(last.events), { what: 'the last place' });
  last.call.cancel();
  for (const { call } of watches) call.cancel();
  await Promise.all(watches.map(({ ended }) => ended));
});
