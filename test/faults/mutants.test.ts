/**
 * Corrupt and odd streams, one mutant of each of the kinds below: `test/long/mutants.test.ts` has 500 and all kinds.
 * One alone, by what a failure prints: LOOKOUT_MUTANT=time-back:7:server node --test test/faults/mutants.test.ts
 */
import type { MutantKind } from '../../src/camera-sim/mutator.ts';
import { mutantMounts } from '../support/mutant-rig.ts';
import { mutantTests } from '../support/mutant-tests.ts';

const kinds: readonly MutantKind[] = [
  'truncated-nal', 'parameter-change', 'units-missing', 'sound-garbage', 'bad-fragments', 'packets-lost', 'time-forward', 'time-back', 'time-still', 'framing-garbage',
];

/** A fifth camera: they mostly wait. */
const mounts = [...mutantMounts, { ...mutantMounts[0]!, id: 'tiny2' }];

mutantTests({ mounts, cases: kinds.map((kind, index) => ({ kind, seed: index + 1 })), limitMs: 180_000 });
