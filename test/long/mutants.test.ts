/**
 * Corrupt and odd streams: 500 seeded mutants of real streams through every output of the real program (issue 4, line 8).
 * LOOKOUT_MUTANTS=n for another number; one alone, by what a failure prints: LOOKOUT_MUTANT=123, or LOOKOUT_MUTANT=time-back:7:server.
 */
import { mutantTests } from '../support/mutant-tests.ts';
import { caseOf } from '../support/mutant-rig.ts';

const count = Number(process.env['LOOKOUT_MUTANTS'] ?? 500);

mutantTests({ cases: Array.from({ length: count }, (_, index) => caseOf(index + 1)), limitMs: 45 * 60_000 });
