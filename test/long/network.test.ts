/**
 * Cable pulls and lost routes, for real: cameras behind a veth pair in a network namespace of their own. Needs root. The
 * file runs itself once more in fresh network and mount namespaces, so that nothing of the machine's own network is touched.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import type { CameraView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { journalAfter } from '../support/fault-rig.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';

const camera = '10.77.0.2';
const port = 15_554;
const inside = process.env['LOOKOUT_IN_NAMESPACE'] === '1';

if (inside) insideTests();
else {
  test('cable pulls, lost routes, a full backlog and a dead resolver, in namespaces of their own', (t) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync('unshare', ['--net', '--mount', '--propagation', 'private', '--', process.execPath, '--test', '--test-reporter=tap', import.meta.filename], { env: { ...env, LOOKOUT_IN_NAMESPACE: '1' }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^# pass 5$/mu);
    for (const [line] of stdout.matchAll(/^(?:ok \d+ - .*|# (?:live|silence) .*)$/gmu)) t.diagnostic(line);
  });
}

function insideTests(): void {
  const dir = mkdtempSync(join(tmpdir(), 'lookout-network-'));
  const started: ChildProcess[] = [];
  let far: number;
  let lookout: Lookout;
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  const there = (...args: string[]): string[] => ['-t', String(far), '-n', '--', ...args];
  const start = (command: string, args: string[]): ChildProcess => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    started.push(child);
    return child;
  };
  const state = async (id = 'far'): Promise<CameraView> => lookout.camera(id);
  const newest = async (): Promise<number> => Math.max(0, ...(await lookout.events('far')).map(({ seq }) => seq));
  const classed = (cls: string, { seq, timeoutMs }: { seq: number; timeoutMs: number }, id = 'far') =>
    eventually(async () => (await journalAfter(lookout, id, seq)).find((row) => row.class === cls), { timeoutMs, what: `"${cls}" in the journal of ${id}` });
  /** The way back, and what must follow: live soon, with the neighbour untouched. */
  const restored = async (repair: () => void, neighbour: CameraView): Promise<number> => {
    const seq = await newest();
    const began = Date.now();
    repair();
    const live = await eventually(async () => (await journalAfter(lookout, 'far', seq)).find(({ to }) => to === 'streaming.live'), { timeoutMs: 15_000, what: 'the camera to be live again' });
    const now = await state('near');
    assert.equal(now.host?.pid, neighbour.host?.pid);
    assert.equal(now.since, neighbour.since, 'the neighbour did not notice');
    return Date.parse(live?.at ?? '') - began;
  };

  before(async () => {
    ip('link', 'set', 'lo', 'up');
    const holder = start('unshare', ['--net', '--', 'sleep', '3600']);
    far = holder.pid as number;
    // unshare execs sleep in the new namespace; before that, its own is still ours.
    await eventually(() => execFileSync('readlink', [`/proc/${far}/ns/net`], { encoding: 'utf8' }) !== execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }));
    ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'port', 'netns', String(far));
    ip('addr', 'add', '10.77.0.1/24', 'dev', 'cable');
    ip('link', 'set', 'cable', 'up');
    execFileSync('nsenter', there('sh', '-c', `ip link set lo up; ip addr add ${camera}/24 dev port; ip link set port up`));
    const mounts = join(dir, 'mounts.json');
    writeFileSync(mounts, JSON.stringify([{ name: 'far', video: 'tiny-320x180-main' }]));
    const entry = join(import.meta.dirname, '..', '..', 'src', 'camera-sim', 'main.ts');
    await listening(start('nsenter', there(process.execPath, entry, '--host', camera, '--port', String(port), '--mounts', mounts)));
    await listening(start(process.execPath, [entry, '--port', String(port), '--mounts', mounts]));
    lookout = await startLookout({ config: { rtsp: { connectMs: 1_000, answerMs: 1_000 } } });
    await lookout.add({ id: 'far', url: `rtsp://${camera}:${port}/far`, transport: 'tcp' });
    await lookout.add({ id: 'near', url: `rtsp://127.0.0.1:${port}/far`, transport: 'tcp' });
    for (const id of ['far', 'near']) await lookout.until(id, 'streaming.live');
  });

  after(async () => {
    await lookout?.[Symbol.asyncDispose]();
    for (const child of started.toReversed()) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  });

  test('a cable pulled on this side: silence is noticed, then the route is gone; plugged in again the camera is live', async (t) => {
    const neighbour = await state('near');
    const seq = await newest();
    const began = Date.now();
    ip('link', 'set', 'cable', 'down');
    const lost = await classed('silent', { seq, timeoutMs: 4_000 });
    t.diagnostic(`silence in the journal after ${Date.parse(lost?.at ?? '') - began} ms`);
    await classed('unreachable', { seq, timeoutMs: 10_000 });
    t.diagnostic(`live ${await restored(() => ip('link', 'set', 'cable', 'up'), neighbour)} ms after the cable is back`);
  });

  test('a cable pulled on the camera\'s side: nobody sends a FIN, and connecting gets no answer', async (t) => {
    const neighbour = await state('near');
    const seq = await newest();
    execFileSync('nsenter', there('ip', 'link', 'set', 'port', 'down'));
    await classed('silent', { seq, timeoutMs: 4_000 });
    await eventually(async () => (await journalAfter(lookout, 'far', seq)).some(({ class: cls }) => cls === 'timeout' || cls === 'unreachable'), { timeoutMs: 15_000, what: 'the failed attempt' });
    t.diagnostic(`live ${await restored(() => execFileSync('nsenter', there('ip', 'link', 'set', 'port', 'up')), neighbour)} ms after the cable is back`);
  });

  test('a route that is taken away is "unreachable" at once', async (t) => {
    const neighbour = await state('near');
    const seq = await newest();
    ip('route', 'add', 'unreachable', `${camera}/32`);
    await classed('silent', { seq, timeoutMs: 6_000 });
    const row = await classed('unreachable', { seq, timeoutMs: 4_000 });
    assert.match(row?.code ?? '', /unreach/u);
    t.diagnostic(`live ${await restored(() => ip('route', 'del', 'unreachable', `${camera}/32`), neighbour)} ms after the route is back`);
  });

  test('a camera whose accept queue is full is "timeout", never quarantined', async () => {
    const script = 'import socket,time\ns=socket.socket();s.bind(("10.77.0.2",15555));s.listen(0)\nc=[socket.socket() for _ in range(4)]\n[x.setblocking(False) or x.connect_ex(("10.77.0.2",15555)) for x in c]\nprint("full",flush=True);time.sleep(3600)';
    await listening(start('nsenter', there('python3', '-c', script)));
    await lookout.add({ id: 'full', url: `rtsp://${camera}:15555/x` });
    await classed('timeout', { seq: 0, timeoutMs: 6_000 }, 'full');
    assert.notEqual((await state('full')).state, 'quarantined');
    await lookout.api('DELETE', '/api/v1/cameras/full');
  });

  test('a name server that does not answer is "dns"; a camera with an address does not mind', async () => {
    const neighbour = await state('near');
    const resolv = join(dir, 'resolv.conf');
    writeFileSync(resolv, 'nameserver 10.77.0.9\n');
    // The program was started with the mounts of this namespace: it sees the new file at its next question.
    execFileSync('mount', ['--bind', resolv, '/etc/resolv.conf']);
    await lookout.add({ id: 'named', url: 'rtsp://camera.example.org:554/x' });
    await classed('dns', { seq: 0, timeoutMs: 8_000 }, 'named');
    assert.equal((await state('near')).since, neighbour.since);
    await lookout.api('DELETE', '/api/v1/cameras/named');
  });
}

/** The first line it prints says that it serves. */
async function listening(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('no output to read');
  const lines = createInterface({ input: child.stdout });
  await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => Promise.reject(new Error('it ended before it listened')))]);
}
