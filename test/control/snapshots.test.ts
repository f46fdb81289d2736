/** Pictures from real hubs: each keyframe is decoded once for a width, of either codec, by a process that stays warm, is replaced where it dies or freezes, and goes when nobody asks. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createSnapshots, type PictureSource } from '../../src/control/snapshots.ts';
import { FailureError } from '../../src/errors.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const hosts = startPool();
let simulator: SimulatorProcess;
before(async () => {
  simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }, { name: 'other', video: 'odd-504x282-baseline' }] });
});
after(async () => {
  await hosts.close();
  await simulator.close();
});

/** A running source, as one that asks for its pictures knows it. */
async function source(camera: string, codec: 'H264' | 'H265', mount = camera) {
  const host = await hosts.pool.take(`camera:${camera}/source`);
  const said = record(host);
  host.send({ type: 'source.start', spec: sourceSpec(simulator.url(mount), { video: { codec } }) });
  const { hubPort } = await said.next('source.started');
  const newest: PictureSource = { camera, hubPort, codec, keyframes: 1, keyframeAt: 1_700_000_000_000 };
  return { newest, [Symbol.asyncDispose]: () => host.kill() };
}

const pictureHosts = (): number[] => hosts.pool.hosts().filter(({ owner }) => owner.endsWith('/snapshot')).map(({ pid }) => pid);
const gone = (): Promise<unknown> => eventually(() => pictureHosts().length === 0, { what: 'no process of pictures' });

for (const { name, codec, width } of [{ name: 'tiny', codec: 'H264', width: 320 }, { name: 'hevc', codec: 'H265', width: 640 }] as const) {
  test(`a keyframe of ${codec} is decoded once for each width, in one process, and says when it came`, async () => {
    await using camera = await source(name, codec);
    const { newest } = camera;
    let taken = 0;
    const snapshots = createSnapshots({ pool: { ...hosts.pool, take: (owner) => (taken += 1, hosts.pool.take(owner)) } });
    const first = await snapshots.take(newest, 0);
    assert.deepEqual([first.width, first.takenAt, Buffer.from(first.jpeg).readUInt16BE(0)], [width, 1_700_000_000_000, 0xffd8]);
    assert.equal(await snapshots.take(newest, 0), first);
    const small = await snapshots.take(newest, 160);
    assert.deepEqual([small.width, small.height], [160, 90]);
    assert.equal(await snapshots.take(newest, 0), first, 'another width takes nothing away');
    assert.equal(await snapshots.take(newest, 160), small);
    const next = await snapshots.take({ ...newest, keyframes: 2 }, 0);
    assert.notEqual(next, first);
    assert.equal(next.width, width, 'a width is that of one picture only');
    const unknown = { ...newest, keyframes: 0 };
    assert.notEqual(await snapshots.take(unknown, 0), await snapshots.take(unknown, 0), 'a keyframe that was not counted is not known again');
    const asked = await Promise.all([0, 0, 0, 160, 0, 160].map((wanted) => snapshots.take({ ...newest, keyframes: 3 }, wanted)));
    assert.equal(new Set(asked).size, 2, 'six who ask at once for two widths cost two pictures');
    assert.deepEqual(asked.map((picture) => picture.width), [width, width, width, 160, width, 160]);
    assert.equal(taken, 1, 'all of them came of one process');
    assert.equal(snapshots.host(name)?.pid, pictureHosts()[0]);
    snapshots.forget(name);
    await gone();
  });
}

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`${signal} of the process between two pictures: the next one comes all the same, and nothing stays`, async () => {
    await using camera = await source('tiny', 'H264');
    const snapshots = createSnapshots({ pool: hosts.pool });
    await snapshots.take(camera.newest, 0);
    const [was] = pictureHosts();
    process.kill(was!, signal);
    const picture = await snapshots.take({ ...camera.newest, keyframes: 2 }, 0);
    assert.equal(picture.width, 320);
    assert.equal(snapshots.lastFailure('tiny'), null);
    assert.ok(!pictureHosts().includes(was!), 'the old one is gone');
    assert.equal(pictureHosts().length, 1);
    snapshots.heard({ id: 'tiny', state: 'backoff' });
    assert.equal(pictureHosts().length, 1, 'one that lost its source may be asked again soon');
    snapshots.heard({ id: 'tiny', state: 'stopped' });
    await gone();
  });
}

test('a process goes when nobody asks any more; where there are as many as may be, the one that rested longest serves the next camera of its codec', async () => {
  await using one = await source('one', 'H264', 'tiny');
  await using two = await source('two', 'H264', 'other');
  await using third = await source('third', 'H265', 'hevc');
  const few = createSnapshots({ pool: hosts.pool, most: 1 });
  const pictures = [await few.take(one.newest, 0)];
  const [first] = pictureHosts();
  pictures.push(await few.take(two.newest, 0), await few.take({ ...one.newest, keyframes: 2 }, 160));
  assert.deepEqual(pictureHosts(), [first]);
  assert.deepEqual(pictures.map(({ width, height }) => [width, height]), [[320, 180], [504, 282], [160, 90]], 'each of its own camera, although their sizes differ');
  assert.deepEqual([few.host('one')?.pid, few.host('two')], [first, null]);
  assert.equal(hosts.registry.leases({ owner: 'camera:two/snapshot' }).length, 0);
  const atOnce = await Promise.all([few.take({ ...one.newest, keyframes: 3 }, 0), few.take({ ...two.newest, keyframes: 2 }, 0), few.take({ ...one.newest, keyframes: 3 }, 64)]);
  assert.deepEqual(atOnce.map(({ width }) => width), [320, 504, 64], 'no two orders in one process at a time');
  few.forget('two');
  await few.take({ ...one.newest, keyframes: 4 }, 0);
  await eventually(() => pictureHosts().length === 1, { what: 'the end of the other process' });
  assert.deepEqual(pictureHosts(), [first], 'it is another camera\'s now');
  assert.equal((await few.take(third.newest, 0)).width, 640);
  await eventually(() => pictureHosts().length === 1 && !pictureHosts().includes(first!), { what: 'one process, of the other codec' });
  assert.equal(few.host('one'), null);
  await hosts.registry.revoke('camera:third');
  await gone();
  const hasty = createSnapshots({ pool: hosts.pool, idleMs: 1 });
  await hasty.take(one.newest, 0);
  await gone();
});

test('a hub that is gone fails the picture, and the next hub is read by a fresh process', async () => {
  await using camera = await source('tiny', 'H264');
  const snapshots = createSnapshots({ pool: hosts.pool });
  await assert.rejects(snapshots.take({ ...camera.newest, hubPort: 9 }, 0), /hub ended before it gave a picture/u);
  assert.equal(snapshots.lastFailure('tiny')?.code, 'no-picture');
  assert.equal((await snapshots.take(camera.newest, 0)).width, 320);
  assert.equal(snapshots.lastFailure('tiny'), null);
  snapshots.forget('tiny');
  await gone();
});

test('what a hub begins with may give no picture alone: it comes with the units behind it, and that process takes no more', async () => {
  await using camera = await source('tiny', 'H264');
  // A slice of no picture, its marker set, before what the hub sends.
  const nothing = Buffer.concat([Buffer.of(0, 16, 0x80, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1), Buffer.of(0x41, 0xff, 0xff, 0xff)]);
  const hub = createServer((reader) => {
    reader.on('error', () => undefined).write(nothing);
    connect(camera.newest.hubPort, '127.0.0.1').on('error', () => undefined).pipe(reader);
  }).listen(0, '127.0.0.1');
  const snapshots = createSnapshots({ pool: hosts.pool });
  const { port: hubPort } = await new Promise<AddressInfo>((resolve) => hub.once('listening', () => resolve(hub.address() as AddressInfo)));
  const picture = await snapshots.take({ ...camera.newest, hubPort }, 0);
  assert.deepEqual([picture.width, Buffer.from(picture.jpeg).readUInt16BE(0)], [320, 0xffd8]);
  await gone();
  hub.close();
});

test('a keyframe that ends every process that decodes it is left alone until the next one comes', async () => {
  await using camera = await source('tiny', 'H264');
  let taken = 0;
  let isDeadly = true;
  const snapshots = createSnapshots({ pool: {
    ...hosts.pool,
    async take(owner) {
      const host = await hosts.pool.take(owner);
      taken += 1;
      if (isDeadly) process.kill(host.pid, 'SIGKILL');
      return host;
    },
  } });
  for (let nth = 0; nth < 3; nth += 1) await assert.rejects(snapshots.take(camera.newest, 0), (error) => error instanceof FailureError && error.failure.class === 'host-crash');
  assert.equal(taken, 2);
  isDeadly = false;
  assert.equal((await snapshots.take({ ...camera.newest, keyframes: 2 }, 0)).width, 320);
  snapshots.forget('tiny');
  await gone();
});
