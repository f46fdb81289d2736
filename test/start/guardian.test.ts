/** The guardian: whatever happens to the supervisor, it is there again, on the same port, with its cameras, sessions and links. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CameraView } from '../../src/api/protocol.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { childrenOf, isAlive, startLookout, type Lookout } from '../support/lookout.ts';
import { tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
import { collect, connectSocket } from '../support/socket-client.ts';

/** As `scripts/start.mjs` starts it. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'compile') };
const guardian = join(import.meta.dirname, '..', '..', 'src', 'cli', 'guardian.ts');

/** The supervisor that the guardian runs now; `not` is one that was. */
const supervisorOf = (lookout: Lookout, not = 0): Promise<number> => eventually(async () => {
  const child = (await childrenOf(lookout.pid)).find(({ pid, command }) => pid !== not && command.includes('src/main.ts'));
  return child?.pid;
}, { timeoutMs: 10_000, what: 'a supervisor' }) as Promise<number>;

const allGone = (pids: number[], timeoutMs = 2_000): Promise<unknown> =>
  eventually(async () => (await Promise.all(pids.map(isAlive))).every((alive) => !alive), { timeoutMs, what: `${pids.join(' ')} to be gone` });

test('a killed supervisor is back on its port with its cameras; link, session and sockets go on as if nothing had happened', async (t) => {
  await using cameras = await startSimulator({ mounts: [{ name: 'one', video: 'tiny-320x180-main' }] });
  await using lookout = await startLookout({ guarded: true, env: { ...env, LOOKOUT_TOKEN: '' } });
  const link = new URL(lookout.loginLink);
  const login = await fetch(`${link.origin}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: link.hash.slice('#token='.length) }) });
  assert.equal(login.status, 200);
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const bearer = { authorization: `Bearer ${link.hash.slice('#token='.length)}`, 'content-type': 'application/json' };
  const made = await fetch(`${link.origin}/api/v1/cameras`, { method: 'POST', headers: bearer, body: JSON.stringify({ id: 'one', url: cameras.url('one') }) });
  assert.equal(made.status, 201);
  const camera = async (headers: Record<string, string>): Promise<CameraView> => await (await fetch(`${link.origin}/api/v1/cameras/one`, { headers })).json() as CameraView;
  await eventually(async () => (await camera(bearer)).substate === 'live', { timeoutMs: 15_000 });
  const snapshots = collect(await connectSocket(t, `${link.origin}/status`, { reconnection: true, extraHeaders: { cookie } }), 'snapshot');

  const was = await supervisorOf(lookout);
  const family = tree(was);
  const before = snapshots.length;
  process.kill(was, 'SIGKILL');
  await allGone(family);
  await supervisorOf(lookout, was);
  await eventually(async () => (await camera({ cookie })).substate === 'live', { timeoutMs: 10_000, what: 'the camera, seen with the old session' });
  assert.equal((await camera(bearer)).substate, 'live', 'the token of the first link is still one');
  await eventually(() => snapshots.length > before, { timeoutMs: 10_000, what: 'the socket to connect again by itself' });
  assert.match(lookout.lines.join('\n'), /was ended by SIGKILL. Starting it again \(1 of at most 5 restarts within 60 s\)/u);
});

test('a standby waits with its code loaded, takes over from a killed supervisor, and another one waits behind it', async () => {
  await using lookout = await startLookout({ guarded: true, env });
  const standby = (not = 0): Promise<number> => eventually(async () => (await childrenOf(lookout.pid)).find(({ pid, command }) => pid !== not && command.startsWith('lookout: standby'))?.pid, { timeoutMs: 30_000, intervalMs: 200, what: 'a standby' }) as Promise<number>;
  const waits = await standby();
  const was = await supervisorOf(lookout);
  assert.notEqual(waits, was);
  process.kill(was, 'SIGKILL');
  assert.equal(await supervisorOf(lookout, was), waits);
  await eventually(() => lookout.cameras(), { timeoutMs: 10_000, what: 'it to answer on the same port' });
  const next = await standby(waits);
  // It is no process of the program's: killed, it is nobody's loss, and the program does not count it.
  process.kill(next, 'SIGKILL');
  await allGone([next]);
  assert.deepEqual(await lookout.stop('SIGTERM'), { code: 0, signal: null });
  await allGone([waits]);
});

test('a supervisor that stands still is killed and replaced', async () => {
  await using lookout = await startLookout({ guarded: true, env, config: { guardian: { frozenMs: 2_000 } } });
  const was = await supervisorOf(lookout);
  process.kill(was, 'SIGSTOP');
  await supervisorOf(lookout, was);
  await eventually(() => lookout.cameras(), { timeoutMs: 10_000, what: 'it to answer on the same port' });
  assert.match(lookout.lines.join('\n'), /did not answer for 2 s and was killed/u);
});

test('SIGHUP reaches the supervisor, which reads its configuration again; after its death gRPC is on the same port', async () => {
  await using lookout = await startLookout({ guarded: true, env });
  const grpcPorts = () => lookout.lines.flatMap((line) => (line.includes('gRPC is served') ? [(JSON.parse(line) as { port: number }).port] : []));
  process.kill(lookout.pid, 'SIGHUP');
  await eventually(() => lookout.lines.some((line) => line.includes('the configuration was read again') && line.includes('SIGHUP')), { what: 'the word of it' });
  const was = await supervisorOf(lookout);
  process.kill(was, 'SIGKILL');
  await supervisorOf(lookout, was);
  await eventually(() => grpcPorts().length === 2, { timeoutMs: 15_000, what: 'gRPC of the second supervisor' });
  assert.equal(grpcPorts()[0], grpcPorts()[1]);
});

test('SIGTERM ends supervisor and guardian in order with 0', async () => {
  await using lookout = await startLookout({ guarded: true, env });
  const family = tree(lookout.pid);
  assert.deepEqual(await lookout.stop('SIGTERM'), { code: 0, signal: null });
  assert.equal(lookout.lines.filter((line) => line.includes('"stopping"')).length, 1);
  await allGone(family, 0);
});

test('a second signal ends at once, even a supervisor that cannot hear it', async () => {
  await using lookout = await startLookout({ guarded: true, env });
  const family = tree(lookout.pid);
  process.kill(await supervisorOf(lookout), 'SIGSTOP');
  const began = performance.now();
  // Two of the same kind may be delivered as one.
  process.kill(lookout.pid, 'SIGINT');
  await lookout.stop('SIGTERM');
  assert.ok(performance.now() - began < 3_000);
  await allGone(family);
});

test('a killed guardian takes supervisor, hosts and workers with it within two seconds', async () => {
  await using lookout = await startLookout({ guarded: true, env });
  const family = tree(lookout.pid);
  assert.ok(family.length >= 4, 'guardian, supervisor, a spare host, workers');
  await lookout.stop('SIGKILL');
  await allGone(family);
});

test('a supervisor that dies too often is given up with the reason and its exit code', async () => {
  await using lookout = await startLookout({ guarded: true, env, config: { guardian: { restarts: 1 } } });
  const first = await supervisorOf(lookout);
  process.kill(first, 'SIGKILL');
  const second = await supervisorOf(lookout, first);
  await eventually(() => lookout.lines.filter((line) => line.includes('Lookout is running')).length === 2, { timeoutMs: 15_000 });
  process.kill(second, 'SIGKILL');
  await eventually(async () => !(await isAlive(lookout.pid)));
  assert.deepEqual(await lookout.stop(), { code: 137, signal: null });
  assert.match(lookout.lines.join('\n'), /was ended by SIGKILL; that was 2 times within 60 s. Giving up/u);
});

test('a configuration that cannot be used is told once, with exit code 2', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'lookout-guardian-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  const child = spawn(process.execPath, [guardian, '--data', dir, '--port', 'ninety'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  assert.deepEqual(await once(child, 'close'), [2, null]);
  assert.equal(told.match(/has 1 mistake/gu)?.length, 1);
});
