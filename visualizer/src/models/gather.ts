/** Changes of many cameras, a few renders a second: the first one at once, what follows closely together, the latest of each camera. */
import { batch } from '@preact/signals';
import type { StatusServerEvents } from '../../../src/api/protocol.ts';

/** Nobody reads faster; and between two renders the page has time for its user. */
const gatherMs = 100;

type Delta = Parameters<StatusServerEvents['camera']>[0];

export type Gathered = Pick<StatusServerEvents, 'snapshot' | 'camera'> & { dispose: () => void };

/** Passes on to `fleet`. A snapshot is newer than every change before it. */
export function gather(fleet: { snapshot: StatusServerEvents['snapshot']; delta: StatusServerEvents['camera'] }): Gathered {
  const waiting = new Map<string, Delta>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    if (waiting.size === 0) return;
    batch(() => waiting.forEach(fleet.delta));
    waiting.clear();
    timer = setTimeout(flush, gatherMs);
  };
  return {
    camera: (delta) => {
      // Removed and made again: the order of both must not change.
      waiting.delete(delta.id);
      waiting.set(delta.id, delta);
      if (timer === undefined) flush();
    },
    snapshot: (all) => {
      waiting.clear();
      fleet.snapshot(all);
    },
    dispose: () => clearTimeout(timer),
  };
}
