/** SIGTERM on the real program: whatever it is in the middle of, it refuses new work, tells its viewers, and leaves nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isAlive, startLookout, type Lookout } from '../support/lookout.ts';
import { tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
import { ask, collect, connectSocket } from '../support/socket-client.ts';

const video = 'tiny-320x180-main';
const auth = { token: 'test-admin-token-of-this-run' };

/** SIGTERM, and what must hold whatever it met. */
async function endsInOrder(lookout: Lookout): Promise<void> {
  const family = tree(lookout.pid);
  const began = performance.now();
  assert.deepEqual(await lookout.stop('SIGTERM'), { code: 0, signal: null }, lookout.lines.slice(-20).join('\n'));
  assert.ok(performance.now() - began < 10_000, `${Math.round(performance.now() - began)} ms`);
  const left = (await Promise.all(family.map(async (pid) => ((await isAlive(pid)) ? [pid] : [])))).flat();
  assert.deepEqual(left, []);
  assert.deepEqual(lookout.lines.filter((line) => line.includes('did not stop in time')), []);
}

test('with cameras that probe, wait, are quarantined and play', async () => {
  await using cameras = await startSimulator({ mounts: ['mute', 'shut', 'codec', 'live', 'stalled'].map((name) => ({ name, video: name === 'codec' ? 'mpeg4-360p' : video })) });
  await using lookout = await startLookout({ config: { supervision: { health: { silentMs: 60_000 } } } });
  await cameras.script('mute', { answer: false });
  await cameras.script('shut', { listen: 'closed' });
  for (const id of ['mute', 'shut', 'codec', 'live', 'stalled']) await lookout.add({ id, url: cameras.url(id) });
  await lookout.until('live', 'streaming.live');
  await lookout.until('stalled', 'streaming.live');
  await cameras.script('stalled', { media: 'none' });
  await lookout.until('stalled', 'streaming.stalled');
  await lookout.until('codec', 'quarantined');
  await lookout.until('shut', 'backoff');
  await lookout.until('mute', 'connecting.probing');
  await endsInOrder(lookout);
});

test('with a frozen host', async () => {
  await using cameras = await startSimulator({ mounts: [{ name: 'one', video }] });
  await using lookout = await startLookout({ config: { hosts: { frozenMs: 60_000 } } });
  await lookout.add({ id: 'one', url: cameras.url('one') });
  const { host } = await lookout.until('one', 'streaming.live');
  assert.ok(host);
  process.kill(host.pid, 'SIGSTOP');
  await endsInOrder(lookout);
});

test('with a frozen worker', async () => {
  await using cameras = await startSimulator({ mounts: [{ name: 'one', video }] });
  await using lookout = await startLookout({ config: { sfu: { requestMs: 60_000 } } });
  await lookout.add({ id: 'one', url: cameras.url('one') });
  const { worker } = await eventually(async () => {
    const view = await lookout.camera('one');
    return view.worker ? view : undefined;
  }, { timeoutMs: 10_000 }) as { worker: { pid: number } };
  process.kill(worker.pid, 'SIGSTOP');
  await endsInOrder(lookout);
});

test('meanwhile new work is refused and viewers are told', async (t) => {
  await using cameras = await startSimulator({ mounts: [{ name: 'one', video }] });
  // A frozen host holds up the end until it thaws, which leaves time to ask.
  await using lookout = await startLookout({ config: { hosts: { frozenMs: 60_000, stopMs: 8_000 } } });
  await lookout.add({ id: 'one', url: cameras.url('one') });
  const { host } = await lookout.until('one', 'streaming.live');
  const viewer = await connectSocket(t, `${lookout.url}/viewer`, { auth });
  const gone = collect<{ reason: string }>(viewer, 'gone');
  const joined = await ask(viewer, 'join', { camera: 'one' });
  assert.equal(joined.ok, true);
  const other = await connectSocket(t, `${lookout.url}/viewer`, { auth });
  assert.ok(host);
  process.kill(host.pid, 'SIGSTOP');
  process.kill(lookout.pid, 'SIGTERM');
  await eventually(() => gone.length === 1);
  assert.equal(gone[0]?.reason, 'shutdown');
  const refusals: [string, string, unknown][] = [
    ['POST', '/api/v1/cameras', { id: 'two', url: cameras.url('one') }], ['PATCH', '/api/v1/cameras/one', { name: 'Renamed' }], ['DELETE', '/api/v1/cameras/one', undefined],
    ['POST', '/api/v1/cameras/one/restart', undefined], ['POST', '/api/v1/probe', { url: cameras.url('one') }],
  ];
  for (const [method, path, body] of refusals) {
    const { code } = await lookout.api<{ code: string }>(method, path, { body, expect: 503 });
    assert.equal(code, 'LOOKOUT_SHUTTING_DOWN', `${method} ${path}`);
  }
  assert.equal((await ask(other, 'join', { camera: 'one' })).error?.code, 'LOOKOUT_SHUTTING_DOWN');
  assert.deepEqual(await lookout.api<{ ready: boolean; reasons: string[]; warnings: string[] }>('GET', '/readyz', { expect: 503 }), { ready: false, reasons: ['Lookout is shutting down.'], warnings: [] });
  process.kill(host.pid, 'SIGCONT');
  assert.deepEqual(await lookout.stop('SIGCONT'), { code: 0, signal: null });
});

test('a second SIGTERM ends at once, with nothing left', async () => {
  await using cameras = await startSimulator({ mounts: [{ name: 'one', video }] });
  await using lookout = await startLookout({ config: { hosts: { frozenMs: 60_000, stopMs: 5_000 } } });
  await lookout.add({ id: 'one', url: cameras.url('one') });
  const { host } = await lookout.until('one', 'streaming.live');
  const family = tree(lookout.pid);
  assert.ok(host);
  process.kill(host.pid, 'SIGSTOP');
  process.kill(lookout.pid, 'SIGTERM');
  await eventually(() => lookout.lines.some((line) => line.includes('"stopping"')));
  const began = performance.now();
  assert.deepEqual(await lookout.stop('SIGTERM'), { code: 1, signal: null });
  assert.ok(performance.now() - began < 5_000, 'sooner than the grace of a frozen host');
  await eventually(async () => (await Promise.all(family.map(isAlive))).every((alive) => !alive), { timeoutMs: 2_000, what: 'the family to be gone' });
});
