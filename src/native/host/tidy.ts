/**
 * A host's JavaScript makes a few hundred bytes a second, so V8 would keep for hours what the start of a source left: 1.4 MB of each
 * host (docs/performance.md). It is given back once the start is over, and what gathers since then from time to time.
 */

/** A start is over by then: what it left is garbage. */
const settledMs = 10_000;
/** A collection takes some ms of a thread that media does not need. */
const everyMs = 600_000;

/** Asks V8 to give memory back; `node --expose-gc`, nothing without it. */
const collect = (): unknown => globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' });

export type Tidier = {
  /** Something starts. */
  began(): void;
  /** The host is awake anyway: no timer wakes it for this. */
  turn(): void;
};

/** Makes it. `now`: ms of a monotonic clock. */
export function createTidier({ now = () => performance.now(), tidy = collect }: { now?: () => number; tidy?: () => unknown } = {}): Tidier {
  let due = now() + settledMs;
  return {
    began() {
      due = now() + settledMs;
    },
    turn() {
      if (now() < due) return;
      due = now() + everyMs;
      tidy();
    },
  };
}
