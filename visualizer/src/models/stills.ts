/** Still pictures, a few at a time: each one costs the server a decoder for a moment, and a wall asks for many at once. */
import type { Adapter, StillRequest } from '../adapter.ts';

/** Requests under way at the same time. */
const maxConcurrent = 3;

export type Stills = {
  /** Loads a picture when its turn comes. Resolves with null where there is none, or when `signal` aborts. */
  load: (request: Omit<StillRequest, 'signal'>, signal: AbortSignal) => Promise<Blob | null>;
};

/** Makes the queue. */
export function createStills(adapter: Adapter): Stills {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    load: async (request, signal) => {
      if (running >= maxConcurrent) await new Promise<void>((resolve) => waiting.push(resolve));
      running += 1;
      try {
        return signal.aborted ? null : await adapter.still({ ...request, signal });
      } catch {
        // No picture is no news: the tile says in words how its camera is.
        return null;
      } finally {
        running -= 1;
        waiting.shift()?.();
      }
    },
  };
}
