/** Waits for a condition instead of for a time. */
import { setTimeout as delay } from 'node:timers/promises';

/** A busy machine gets that many times the time that a wait should need; what is promised in seconds is measured by the benches. */
const patience = 2;

/** Asks until `condition` gives something truthy, and gives that back; rethrows its last error, or says what it was waiting for, after `timeoutMs` and the patience above. `intervalMs`: between two questions. */
export async function eventually<T>(condition: () => T | Promise<T>, { timeoutMs = 5000, intervalMs = 10, what = 'the condition' }: { timeoutMs?: number; intervalMs?: number; what?: string } = {}): Promise<T> {
  const deadline = performance.now() + timeoutMs * patience;
  for (;;) {
    const outcome = await attempt(condition);
    if ('value' in outcome && outcome.value) return outcome.value;
    if (performance.now() > deadline) throw 'error' in outcome ? outcome.error : new Error(`Waited ${timeoutMs * patience} ms in vain for ${what}.`);
    await delay(intervalMs);
  }
}

async function attempt<T>(condition: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await condition() };
  } catch (error) {
    return { error };
  }
}
