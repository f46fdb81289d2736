/**
 * Asks a host for signs of life: one heartbeat in flight, a deadline on each. A native call that blocks misses it. So does a host
 * that gets no processor; to kill it would cost more of what is short, so it is given time that a frozen one is not.
 */

/** A running watch. */
export type Heartbeat = {
  /** The host is ready, or is again: heartbeats begin. */
  begin(): void;
  /** It loads something, which may block it for as long as its start: it is not asked until `begin`. */
  rest(): void;
  pong(seq: number): void;
  /** The host said something else: a sign of life as well, so the next heartbeat can wait. */
  heard(): void;
  /** Asks at once; resolves with the answer to a question that was asked no earlier, and never where the host is beyond answering. */
  ask(): Promise<void>;
  /** True: others see that it lives, and only a word now and then is wanted of it. */
  relax(calm: boolean): void;
  stop(): void;
};

type Options = {
  heartbeatMs: number;
  /** Between two heartbeats of a host that is watched by its media. */
  calmMs: number;
  frozenMs: number;
  readyMs: number;
  /** How long the host has waited for a processor since it began, ms. A frozen one waits for none. */
  starvedMs: () => number;
  ping: (seq: number) => void;
  onFrozen: () => void;
};

/** Of the time in which no answer came, what a host must have waited for a processor to count as starved. */
const starvedShare = 0.3;
/** So often a starved host is given the same time again. */
const patience = 10;

/** Starts with the deadline for `begin`. */
export function watchHeartbeat(options: Options): Heartbeat {
  return new Watch(options);
}

class Watch implements Heartbeat {
  readonly #options: Options;
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  /** True between an answer and the next heartbeat. */
  #isWaiting = false;
  #isCalm = false;
  #starved = { ms: 0, times: 0 };
  #askers: { seq: number; resolve: () => void }[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#expire(0), options.readyMs);
  }

  begin(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#beat();
  }

  rest(): void {
    // An answer to what was asked before is none to this.
    if (this.#timer !== undefined) this.#anew(this.#options.readyMs);
  }

  pong(answered: number): void {
    if (answered !== this.#seq || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    // Marks this heartbeat as answered, should its deadline be in the queue already.
    this.#seq += 1;
    const [due, later] = [this.#askers.filter(({ seq }) => seq <= answered), this.#askers.filter(({ seq }) => seq > answered)];
    this.#askers = later;
    for (const { resolve } of due) resolve();
    if (later.length > 0) return this.#beat();
    this.#timer = setTimeout(() => this.#beat(), this.#isCalm ? this.#options.calmMs : this.#options.heartbeatMs);
    this.#isWaiting = true;
  }

  heard(): void {
    if (this.#isWaiting) this.#timer?.refresh();
  }

  ask(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#timer === undefined) return;
      // One in flight may have been answered before the question arose: the next one counts.
      this.#askers.push({ seq: this.#isWaiting ? this.#seq + 1 : this.#seq + 2, resolve });
      if (!this.#isWaiting) return;
      clearTimeout(this.#timer);
      this.#beat();
    });
  }

  relax(calm: boolean): void {
    this.#isCalm = calm;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    this.#anew(this.#options.frozenMs);
    this.#options.ping(this.#seq);
  }

  /** A new sequence number, whose answer is due in so long. */
  #anew(dueMs: number): void {
    this.#isWaiting = false;
    this.#seq += 1;
    this.#starved = { ms: this.#options.starvedMs(), times: 0 };
    this.#expect(this.#seq, dueMs);
  }

  #expect(asked: number, dueMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(asked), dueMs);
  }

  /** When our own event loop was late, the answer may wait unread: read once more before judging. */
  #expire(asked: number): void {
    setImmediate(() => setImmediate(() => {
      if (this.#timer === undefined || asked !== this.#seq) return;
      if (asked === 0 || !this.#isStarved()) return this.#options.onFrozen();
      this.#expect(asked, this.#options.frozenMs);
    }));
  }

  #isStarved(): boolean {
    const { ms: before, times } = this.#starved;
    const ms = this.#options.starvedMs();
    this.#starved = { ms, times: times + 1 };
    return times < patience && ms - before >= this.#options.frozenMs * starvedShare;
  }
}
