/** A camera whose RTP sequence numbers jump, and jump back: what comes behind them is taken at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { seeded } from '../../src/camera-sim/random.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const hosts = startPool();
let simulator: SimulatorProcess;
before(async () => {
  simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }] });
});
after(async () => {
  await hosts.close();
  await simulator.close();
});

/** By how much the numbers of a mutant jump (`mutants-packets.ts`); the seeds of those that its jitter buffer took for late packets on their way back. */
const jumpOf = (seed: number): number => seeded(seed).pick([1, 100, 3_000, 30_000, 65_000]);
const seeds = [100, 3_000].map((jump) => Array.from({ length: 100 }, (_, seed) => seed).find((seed) => jumpOf(seed) === jump)!);

test('sequence numbers that jump back over TCP cost no time without pictures', async () => {
  const host = await hosts.pool.take('camera:tiny/source');
  const said = record(host);
  host.send({ type: 'source.start', spec: sourceSpec(simulator.url('tiny')) });
  await said.next('source.flowing');
  const frames = (): number => said.events.findLast((event) => event.type === 'source.stats')?.stats.frames ?? 0;
  for (const seed of seeds) {
    const began = frames();
    await simulator.act('tiny', { type: 'mutate', mutant: { kind: 'sequence-jumps', seed, ms: 600 } });
    await eventually(async () => !(await simulator.stats('tiny')).mutates, { what: 'the numbers to jump back' });
    await eventually(() => frames() > began + 40, { what: 'pictures of the time behind' });
  }
  assert.deepEqual(said.events.filter(({ type }) => type === 'source.stalled' || type === 'source.failed'), []);
  await host.release();
});
