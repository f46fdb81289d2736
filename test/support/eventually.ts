/** Waits for a condition instead of for a time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Asks until `condition` gives something truthy, and gives that back; rethrows its last error, or says what it was waiting for, after `timeoutMs`. `intervalMs`: between two questions. */
export async function eventually<T>(condition: () => T | Promise<T>, { timeoutMs = 5000, intervalMs = 10, what = 'the condition' }: { timeoutMs?: number; intervalMs?: number; what?: string } = {}): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await attempt(condition);
    if ('value' in outcome && outcome.value) return outcome.value;
    if (performance.now() > deadline) throw 'error' in outcome ? outcome.error : new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
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
