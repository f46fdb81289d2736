/** When each access unit of a looping track is due, and its RTP time. Counted from monotonic origins: it never drifts. */
import type { Track, TrackUnit } from './track.ts';

/** Behind by more than this (the process was stopped), units are skipped instead of sent in a burst. */
const maxLagMs = 1000;

/** A stretch during which clip, speed and clock are unchanged: `position` is due at `originMs` with RTP time `ticks`. */
type Stretch = { originMs: number; position: number; ticks: number; speed: number };

/** An access unit that is due. `ticks` is its RTP time without a session's random offset. */
export type DueUnit = { unit: TrackUnit; ticks: number };

/** The life of one track of a camera, watched or not. Positions count access units over all loops of the clip. */
export class Timeline {
  #track: Track;
  #stretch: Stretch;
  #next: number;
  #frozenTicks: number | undefined;
  /** Units by which presentation runs ahead of decoding (B-frames): stamps are put back by it, or they would lie in the future. */
  #reorder: number;

  /** `position` of the track is due at `originMs` (of `performance.now()`). */
  constructor(track: Track, { originMs, position }: { originMs: number; position: number }) {
    this.#track = track;
    this.#reorder = reorderOf(track);
    this.#stretch = { originMs, position, ticks: 0, speed: 1 };
    this.#next = position;
  }

  get track(): Track {
    return this.#track;
  }

  /** Forgets units that came due while nobody watched. */
  skipTo(nowMs: number): void {
    const { originMs, position } = this.#stretch;
    this.#next = Math.max(this.#next, position + Math.ceil((nowMs - originMs) / this.#unitMs));
  }

  /** The next unit, if it is due by now. */
  take(nowMs: number): DueUnit | undefined {
    const lateMs = nowMs - this.#dueMs(this.#next);
    if (lateMs < 0) return undefined;
    if (lateMs > maxLagMs) this.skipTo(nowMs - this.#unitMs);
    const position = this.#next;
    this.#next += 1;
    const { units } = this.#track;
    const unit = units[position % units.length] as TrackUnit;
    return { unit, ticks: this.#ticksOf(position - (position % units.length) + unit.order - this.#reorder) };
  }

  /** When the unit that comes next is due. */
  get nextDueMs(): number {
    return this.#dueMs(this.#next);
  }

  /** RTP time of the unit that comes next. */
  get nextTicks(): number {
    return this.#ticksOf(this.#next);
  }

  /** RTP time at an instant, as sender reports state it. */
  ticksAt(nowMs: number): number {
    if (this.#frozenTicks !== undefined) return this.#frozenTicks;
    return Math.round(this.#stretch.ticks + (nowMs - this.#stretch.originMs) * this.#track.clockRate / 1000);
  }

  /** RTP time jumps. */
  jump(seconds: number): void {
    this.#stretch.ticks += Math.round(seconds * this.#track.clockRate);
  }

  /** RTP time stands still, or runs again from where it would be. */
  freeze(frozen: boolean): void {
    this.#frozenTicks = frozen ? this.#frozenTicks ?? this.nextTicks : undefined;
  }

  /** From the next unit on, units come `speed` times as fast as the clip says. */
  pace(speed: number): void {
    if (speed !== this.#stretch.speed) this.#begin({ position: this.#next, speed });
  }

  /** From the next due time on, another clip from its first unit. Its clock rate must be the same. */
  play(track: Track): void {
    const speed = this.#stretch.speed;
    this.#begin({ position: this.#next, speed });
    this.#track = track;
    this.#reorder = reorderOf(track);
    this.#stretch.position = 0;
    this.#next = 0;
  }

  get #unitMs(): number {
    return this.#track.unitTicks * 1000 / this.#track.clockRate / this.#stretch.speed;
  }

  #begin({ position, speed }: { position: number; speed: number }): void {
    const offset = position - this.#stretch.position;
    const ticks = this.#stretch.ticks + Math.round(offset * this.#track.unitTicks / this.#stretch.speed);
    this.#stretch = { originMs: this.#dueMs(position), position, ticks, speed };
  }

  #dueMs(position: number): number {
    return this.#stretch.originMs + (position - this.#stretch.position) * this.#unitMs;
  }

  #ticksOf(position: number): number {
    return this.#frozenTicks ?? Math.round(this.#stretch.ticks + (position - this.#stretch.position) * this.#track.unitTicks / this.#stretch.speed);
  }
}

function reorderOf({ units }: Track): number {
  return units.reduce((most, unit, index) => Math.max(most, unit.order - index), 0);
}
