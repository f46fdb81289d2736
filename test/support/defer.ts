/** Clean-up in reverse order: what was made last goes first. `t.after` runs in the order of registration. */
import type { TestContext } from 'node:test';

type Cleanup = () => unknown;

const stacks = new WeakMap<TestContext, Cleanup[]>();

/** Registers a clean-up; all of them run, and the first failure is told. */
export function defer(t: TestContext, cleanup: Cleanup): void {
  const existing = stacks.get(t);
  if (existing !== undefined) return void existing.push(cleanup);
  const stack = [cleanup];
  stacks.set(t, stack);
  t.after(async () => {
    const outcomes: PromiseSettledResult<unknown>[] = [];
    for (const next of stack.toReversed()) outcomes.push(...await Promise.allSettled([(async () => next())()]));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
}
