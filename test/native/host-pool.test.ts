/** Hosts under supervision: what kills, freezes or outlives them. Real processes throughout. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { clearOrphans, countOrphans } from '../../src/native/orphans.ts';
import { createRegistry } from '../../src/native/registry.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';

/** True while the process exists and is no zombie. */
function lives(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('host pool', () => {
  const hosts = startPool();
  after(() => hosts.close());

  test('host that is killed from outside is reported as crashed within 100 ms and its lease is gone', async () => {
    const host = await hosts.pool.take('camera:a/source');
    await eventually(() => hosts.pool.hosts().some((each) => each.rssBytes > 0), { what: 'the first heartbeat' });
    assert.deepEqual(hosts.registry.leases({ owner: 'camera:a' }).map(({ value }) => value), [String(host.pid)]);
    const killed = performance.now();
    process.kill(host.pid, 'SIGKILL');
    const exit = await host.exited;
    const ms = performance.now() - killed;
    assert.deepEqual(exit, { code: null, signal: 'SIGKILL', reason: 'crashed', beside: 0 });
    assert.ok(ms < 100, `${ms} ms`);
    assert.deepEqual(hosts.registry.leases({ owner: 'camera:a' }), []);
  });

  test('host that is stopped is found frozen within 2.5 s of default settings and killed', async () => {
    const host = await hosts.pool.take('camera:b/source');
    await eventually(() => hosts.pool.hosts().some((each) => each.rssBytes > 0), { what: 'the first heartbeat' });
    const stopped = performance.now();
    process.kill(host.pid, 'SIGSTOP');
    const exit = await host.exited;
    const ms = performance.now() - stopped;
    assert.equal(exit.reason, 'frozen');
    assert.ok(ms >= 1000 && ms < 2500, `${ms} ms`);
    assert.equal(lives(host.pid), false);
  });

  test('host whose pipe takes nothing for a second is clogged and killed, so that nothing piles up here', async () => {
    const host = await hosts.pool.take('camera:b/source');
    await eventually(() => hosts.pool.hosts().some((each) => each.rssBytes > 0), { what: 'the first heartbeat' });
    process.kill(host.pid, 'SIGSTOP');
    const spec = sourceSpec(`rtsp://127.0.0.1:1/${'x'.repeat(100_000)}`);
    for (let i = 0; i < 40; i += 1) host.send({ type: 'source.start', spec });
    assert.equal((await host.exited).reason, 'clogged');
  });

  test('host that dies of a segfault is reported with its signal, and what is sent afterwards is dropped', async () => {
    const host = await hosts.pool.take('camera:c/source');
    process.kill(host.pid, 'SIGSEGV');
    assert.deepEqual(await host.exited, { code: null, signal: 'SIGSEGV', reason: 'crashed', beside: 0 });
    host.send({ type: 'stop' });
    await Promise.all([host.release(), host.kill()]);
  });

  test('host ignores the signals that a terminal sends to the whole group', async () => {
    const host = await hosts.pool.take('camera:d/source');
    await eventually(() => hosts.pool.hosts().some((each) => each.rssBytes > 0), { what: 'the first heartbeat' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(host.pid, signal);
    const said = record(host);
    host.send({ type: 'stop' });
    await said.next('stopped');
    await host.release();
    assert.equal((await host.exited).reason, 'asked');
  });

  test('order with a number out of range is refused as local and the host stays usable', async () => {
    const host = await hosts.pool.take('camera:e/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec('rtsp://user:secret@127.0.0.1:1/x', { feed: { port: 70_000, bindPort: 1, ssrc: 1, payloadType: 96, open: true } }) });
    const { failure } = await said.next('source.failed');
    assert.equal(failure.class, 'local');
    assert.equal(JSON.stringify(said.events).includes('secret'), false);
    await host.release();
  });

  test('command line and environment of a host hold no credential and no token', async () => {
    process.env.LOOKOUT_TOKEN = 'token-of-the-supervisor';
    const host = await hosts.pool.take('camera:f/source');
    delete process.env.LOOKOUT_TOKEN;
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec('rtsp://user:hunter2@127.0.0.1:1/x') });
    await said.next('source.failed');
    const visible = readFileSync(`/proc/${host.pid}/cmdline`, 'utf8') + readFileSync(`/proc/${host.pid}/environ`, 'utf8');
    assert.equal(/hunter2|token-of-the-supervisor/u.test(visible + JSON.stringify(said.events) + hosts.stderr.join('\n')), false);
    assert.ok(visible.includes(`LOOKOUT_INSTANCE=${hosts.instance}`));
    await host.release();
  });

  test('revoking an owner kills its hosts and no one else\'s', async () => {
    const [mine, other] = await Promise.all([hosts.pool.take('camera:g/source'), hosts.pool.take('camera:g2/source')]);
    await hosts.registry.revoke('camera:g');
    assert.equal(lives(mine.pid), false);
    assert.equal(lives(other.pid), true);
    await other.release();
  });
});

describe('warm spare', () => {
  test('spare is taken over by its owner, replaced behind it, and closing the pool leaves no process', async () => {
    const hosts = startPool({ spares: 1 });
    const [spare] = hosts.pool.hosts();
    assert.equal(spare?.owner, 'pool/spare');
    const host = await hosts.pool.take('camera:a/source');
    assert.equal(host.pid, spare.pid);
    assert.equal(hosts.registry.leases({ owner: 'camera:a' }).length, 1);
    await eventually(() => hosts.pool.hosts().length === 2, { what: 'the next spare' });
    const pids = hosts.pool.hosts().map(({ pid }) => pid);
    await hosts.close();
    assert.deepEqual(pids.filter(lives), []);
    assert.deepEqual(hosts.registry.leases(), []);
    await assert.rejects(hosts.pool.take('camera:a/source'), /closed/u);
  });
});

describe('orphans', () => {
  test('process with our mark counts as an orphan until it is leased, and is cleared by its mark', async () => {
    const hosts = startPool();
    const host = await hosts.pool.take('camera:a/source');
    await eventually(() => hosts.pool.hosts().some((each) => each.rssBytes > 0), { what: 'the first heartbeat' });
    assert.equal(await countOrphans(hosts), 0);
    const stray = spawn('sleep', ['600'], { env: { ...process.env, LOOKOUT_INSTANCE: hosts.instance }, stdio: 'ignore' });
    await once(stray, 'spawn');
    await eventually(async () => (await countOrphans(hosts)) === 1, { what: 'the orphan' });
    await host.release();
    assert.deepEqual(await clearOrphans(hosts), [stray.pid]);
    assert.equal(await countOrphans(hosts), 0);
  });

  test('UDP port that a leased process has open counts as an orphan until the port is leased, too', async () => {
    const registry = createRegistry();
    const script = `const socket = require('node:dgram').createSocket('udp4'); socket.bind({ port: 0, address: '127.0.0.1' }, () => console.log(socket.address().port));`;
    const holder = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: holder.stdout }), 'line') as [string];
    const port = Number(line);
    const claim = { free: async () => undefined };
    registry.lease({ kind: 'pid', owner: 'camera:a/source', value: String(holder.pid), ...claim });
    const look = { instance: randomUUID(), registry, range: { from: port, to: port } };
    assert.equal(await countOrphans(look), 1);
    registry.lease({ kind: 'udp-port', owner: 'feed:a', value: line, ...claim });
    assert.equal(await countOrphans(look), 0);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });

  test('supervisor that is killed takes its hosts with it within 2 s, stopped ones too', async () => {
    const supervisor = spawn(process.execPath, [join(import.meta.dirname, '../support/two-hosts.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: supervisor.stdout }), 'line') as [string];
    const pids = JSON.parse(line) as number[];
    assert.deepEqual(pids.map(lives), [true, true]);
    process.kill(pids[1]!, 'SIGSTOP');
    const killed = performance.now();
    supervisor.kill('SIGKILL');
    await eventually(() => !pids.some(lives), { timeoutMs: 2000, what: 'both hosts to end' });
    console.log(`hosts ended ${Math.round(performance.now() - killed)} ms after the supervisor's SIGKILL`);
  });
});
