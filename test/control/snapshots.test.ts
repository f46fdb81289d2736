/** Pictures from real hubs: each keyframe is decoded once for a width, of either codec, and the next keyframe anew. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSnapshots, type PictureSource } from '../../src/control/snapshots.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const hosts = startPool();
let simulator: SimulatorProcess;
before(async () => {
  simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }] });
});
after(async () => {
  await hosts.close();
  await simulator.close();
});

for (const { name, codec, width } of [{ name: 'tiny', codec: 'H264', width: 320 }, { name: 'hevc', codec: 'H265', width: 640 }] as const) {
  test(`a keyframe of ${codec} is decoded once for each width, and says when it came`, async () => {
    const host = await hosts.pool.take(`camera:${name}/source`);
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url(name), { video: { codec } }) });
    const { hubPort } = await said.next('source.started');
    const snapshots = createSnapshots({ pool: hosts.pool });
    const source: PictureSource = { camera: name, hubPort, codec, keyframes: 1, keyframeAt: 1_700_000_000_000 };
    const first = await snapshots.take(source, 0);
    assert.deepEqual([first.width, first.takenAt, Buffer.from(first.jpeg).readUInt16BE(0)], [width, 1_700_000_000_000, 0xffd8]);
    assert.equal(await snapshots.take(source, 0), first);
    const small = await snapshots.take(source, 160);
    assert.equal(small.width, 160);
    assert.equal(await snapshots.take(source, 0), first, 'another width takes nothing away');
    assert.equal(await snapshots.take(source, 160), small);
    const next = await snapshots.take({ ...source, keyframes: 2 }, 0);
    assert.notEqual(next, first);
    const unknown = { ...source, keyframes: 0 };
    assert.notEqual(await snapshots.take(unknown, 0), await snapshots.take(unknown, 0), 'a keyframe that was not counted is not known again');
    let taken = 0;
    const counting = createSnapshots({ pool: { ...hosts.pool, take: (owner) => (taken += 1, hosts.pool.take(owner)) } });
    const [one, ...others] = await Promise.all([0, 0, 0, 160, 0, 160].map((wanted) => counting.take({ ...source, keyframes: 3 }, wanted)));
    assert.ok(others.filter((picture) => picture === one).length === 3 && taken === 2, `six who ask at once for two widths cost ${taken} decoders`);
    await host.kill();
  });
}
