/** One tick for every age and countdown of the page, and the server's clock as the page knows it. */
import { signal } from '@preact/signals';

/** Ages are shown to a tenth of a second; twice a second is as often as a person can read them. */
const tickMs = 500;

export type Clock = {
  /** ms since the epoch on this machine. Whoever reads it while rendering renders again every {@link tickMs}. */
  now: () => number;
  /** The same on the server's clock, as the stamps of its messages tell it. */
  serverNow: () => number;
  /** Tells the time of a server's message that has just arrived. */
  observe: (at: string) => void;
  dispose: () => void;
};

/** Starts the clock. */
export function createClock(): Clock {
  const ticks = signal(0);
  let offsetMs = 0;
  const timer = setInterval(() => {
    ticks.value += 1;
  }, tickMs);
  const now = (): number => {
    void ticks.value;
    return Date.now();
  };
  return {
    now,
    serverNow: () => now() + offsetMs,
    observe: (at) => {
      const time = Date.parse(at);
      if (Number.isFinite(time)) offsetMs = time - Date.now();
    },
    dispose: () => clearInterval(timer),
  };
}
