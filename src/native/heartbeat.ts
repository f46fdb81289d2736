/** Asks a host for signs of life: one heartbeat in flight, a deadline on each. A native call that blocks misses it. */

/** A running watch. */
export type Heartbeat = {
  /** The host is ready: heartbeats begin. */
  begin(): void;
  pong(seq: number): void;
  /** The host said something else: a sign of life as well, so the next heartbeat can wait. */
  heard(): void;
  stop(): void;
};

type Options = {
  heartbeatMs: number;
  frozenMs: number;
  readyMs: number;
  ping: (seq: number) => void;
  onFrozen: () => void;
};

/** Starts with the deadline for `begin`. */
export function watchHeartbeat({ heartbeatMs, frozenMs, readyMs, ping, onFrozen }: Options): Heartbeat {
  let seq = 0;
  let timer: NodeJS.Timeout | undefined;
  /** True between an answer and the next heartbeat. */
  let isWaiting = false;

  /** When our own event loop was late, the answer may wait unread: read once more before judging. */
  const expire = (asked: number): void => {
    setImmediate(() => setImmediate(() => timer !== undefined && asked === seq && onFrozen()));
  };
  const beat = (): void => {
    isWaiting = false;
    seq += 1;
    const asked = seq;
    timer = setTimeout(() => expire(asked), frozenMs);
    ping(asked);
  };

  timer = setTimeout(() => expire(0), readyMs);
  return {
    begin() {
      if (timer === undefined) return;
      clearTimeout(timer);
      beat();
    },
    pong(answered) {
      if (answered !== seq || timer === undefined) return;
      clearTimeout(timer);
      // Marks this heartbeat as answered, should its deadline be in the queue already.
      seq += 1;
      timer = setTimeout(beat, heartbeatMs);
      isWaiting = true;
    },
    heard() {
      if (isWaiting) timer?.refresh();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
