/** What is killed comes back unaided: a host, a worker, the program itself — and nobody else notices. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const ids = ['one', 'two', 'three', 'four'];

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'parking-360p-main' })) });
  lookout = await startLookout();
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), outputs: { live: { feed: 'always' } } });
  for (const id of ids) await lookout.until(id, 'streaming.live');
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const orphans = async (): Promise<string | undefined> => /vms_media_orphans (\d+)/u.exec(await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text())?.[1];

test('a host that is killed returns with another process; its neighbours keep theirs', async () => {
  const was = await lookout.cameras();
  const victim = was.find(({ id }) => id === 'one');
  assert.ok(victim?.host);
  process.kill(victim.host.pid, 'SIGKILL');
  const back = await eventually(async () => {
    const view = await lookout.camera('one');
    return view.substate === 'live' && view.host?.pid !== victim.host?.pid ? view : undefined;
  }, { timeoutMs: 10_000 });
  assert.equal(back?.lastError?.class, 'host-crash');
  assert.equal(back?.restarts, victim.restarts + 1);
  const events = await lookout.events('one');
  const lost = events.find(({ to, class: cls }) => to === 'teardown' && cls === 'host-crash');
  assert.match(lost?.evidence ?? '', /SIGKILL/u);
  for (const neighbour of was.filter(({ id }) => id !== 'one')) {
    const now = await lookout.camera(neighbour.id);
    assert.equal(now.host?.pid, neighbour.host?.pid);
    assert.equal(now.since, neighbour.since, 'the neighbour has not changed state');
  }
});

test('a host that is frozen is found, killed and replaced', async () => {
  const { host } = await lookout.camera('two');
  assert.ok(host);
  process.kill(host.pid, 'SIGSTOP');
  const back = await eventually(async () => {
    const view = await lookout.camera('two');
    return view.substate === 'live' && view.host?.pid !== host.pid ? view : undefined;
  }, { timeoutMs: 10_000 });
  assert.equal(back?.lastError?.class, 'native-frozen');
  assert.equal(await isAlive(host.pid), false);
});

test('a worker that is killed takes no source with it: its ingests move and packets arrive again', async () => {
  const was = await lookout.cameras();
  const sfu = await lookout.sfu();
  const victim = sfu.workers[0];
  assert.ok(victim?.pid && victim.routers > 0);
  const moved = sfu.routers.filter(({ worker }) => worker === victim.index).map(({ camera }) => camera);
  process.kill(victim.pid, 'SIGKILL');
  await eventually(async () => {
    const now = await lookout.sfu();
    const flowing = now.producers.filter(({ camera, packetCount, paused }) => moved.includes(camera) && packetCount > 0 && !paused);
    return flowing.length === moved.length && now.workers.every(({ state, pid }) => state === 'running' && pid !== victim.pid);
  }, { timeoutMs: 10_000, what: 'the ingests on living workers' });
  for (const camera of was) {
    const now = await lookout.camera(camera.id);
    assert.equal(now.host?.pid, camera.host?.pid, 'the source runs on');
    assert.equal(now.since, camera.since);
  }
});

test('a frozen worker is found, killed and replaced', async () => {
  const victim = (await lookout.sfu()).workers.find(({ routers }) => routers > 0);
  assert.ok(victim?.pid);
  process.kill(victim.pid, 'SIGSTOP');
  await eventually(async () => {
    const view = await lookout.api<{ workers: { index: number; state: string; pid: number }[] }>('GET', '/api/v1/sfu');
    const now = view.workers.find(({ index }) => index === victim.index);
    return now?.state === 'running' && now.pid !== victim.pid;
  }, { timeoutMs: 15_000, what: 'a new worker' });
  assert.equal(await isAlive(victim.pid), false);
});

test('after all that nothing is orphaned', async () => {
  await eventually(async () => (await orphans()) === '0', { timeoutMs: 15_000, what: 'vms_media_orphans to read 0' });
});

test('killed by SIGKILL the program takes every child with it, frozen ones too, and a new start has all cameras live', async () => {
  const children = await lookout.children();
  assert.ok(children.length >= 6, `${children.length} children`);
  const { host } = await lookout.camera('three');
  assert.ok(host);
  process.kill(host.pid, 'SIGSTOP');
  const { dataDir } = lookout;
  await lookout.stop('SIGKILL');
  await eventually(async () => (await Promise.all(children.map(({ pid }) => isAlive(pid)))).every((alive) => !alive), { timeoutMs: 2_000, what: 'every child to be gone' });
  lookout = await startLookout({ dataDir });
  for (const id of ids) await lookout.until(id, 'streaming.live');
});

test('SIGTERM ends in order: exit code 0 within ten seconds, no child left', async () => {
  const children = await lookout.children();
  const began = performance.now();
  const { code } = await lookout.stop('SIGTERM');
  assert.equal(code, 0);
  assert.ok(performance.now() - began < 10_000);
  for (const { pid, command } of children) assert.equal(await isAlive(pid), false, command);
});
