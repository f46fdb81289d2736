/** Makes a test of mutants: what `npm test` runs of them, and what `test:long` does. `LOOKOUT_MUTANT=seed` (or `kind:seed`, or `kind:seed:camera`) runs one alone. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { mutantKinds, type MutantKind } from '../../src/camera-sim/mutator.ts';
import { caseOf, fits, mutantMounts, startMutantRig, type MutantCase, type MutantOutcome, type MutantRig } from './mutant-rig.ts';

/** The case that the environment asks for, and the camera; undefined where it asks for none. */
export function askedCase(value = process.env['LOOKOUT_MUTANT']): (MutantCase & { camera?: string | undefined }) | undefined {
  if (value === undefined) return undefined;
  const [first = '', second, camera] = value.split(':');
  const seed = Number(second ?? first);
  assert.ok(Number.isInteger(seed), `LOOKOUT_MUTANT=${value} is neither a seed nor kind:seed nor kind:seed:camera`);
  return second === undefined ? caseOf(seed) : { seed, kind: first as MutantKind, camera };
}

/** One test over all of the cases, on several cameras at once; what `limitMs` does not let begin is said, and is no success. */
export function mutantTests({ cases, limitMs, mounts = mutantMounts }: { cases: readonly MutantCase[]; limitMs: number; mounts?: typeof mutantMounts }): void {
  let rig: MutantRig;
  const asked = askedCase();
  const chosen = asked ? [asked] : cases;

  before(async () => {
    rig = await startMutantRig(asked ? mounts.filter((mount) => fits(asked, mount) && (asked.camera ?? mount.id) === mount.id).slice(0, 1) : mounts);
  });
  after(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  test(`${chosen.length} mutants of ${new Set(chosen.map(({ kind }) => kind)).size} kinds: whatever a camera sends, every output is valid, delivers again, and nobody else notices`, async (t) => {
    const outcomes = await runAll(t, { rig, cases: chosen, limitMs });
    const remaining = await rig.finish();
    const failed = outcomes.filter(({ faults }) => faults.length > 0);
    t.diagnostic(`${outcomes.length} mutants, ${new Set(outcomes.map(({ kind }) => kind)).size} of ${mutantKinds.length} kinds; slowest ${Math.max(...outcomes.map(({ seconds }) => seconds)).toFixed(1)} s until all outputs delivered again`);
    assert.deepEqual([...failed.map(report), ...remaining], []);
    assert.equal(outcomes.length, chosen.length, `within ${limitMs / 60_000} minutes`);
  });
}

const report = ({ kind, seed, camera, classes, faults }: MutantOutcome): string => `LOOKOUT_MUTANT=${kind}:${seed}:${camera} [${classes.join(' ')}]: ${faults.slice(0, 4).join(' · ')}`;

async function runAll(t: TestContext, { rig, cases, limitMs }: { rig: MutantRig; cases: readonly MutantCase[]; limitMs: number }): Promise<MutantOutcome[]> {
  const queue = [...cases];
  const outcomes: MutantOutcome[] = [];
  const until = performance.now() + limitMs;
  await Promise.all(rig.cameras.map(async (camera) => {
    for (;;) {
      const at = queue.findIndex((each) => fits(each, camera.mount));
      if (at === -1 || performance.now() > until) return;
      const outcome = await rig.run(camera, queue.splice(at, 1)[0]!);
      outcomes.push(outcome);
      if (outcome.faults.length > 0) t.diagnostic(report(outcome));
    }
  }));
  return outcomes;
}
