/** A day of recordings as spans and gaps, and its times in the viewer's zone. Pure. */
import type { RecordingView } from '../../../src/api/protocol.ts';
import { reasonWords } from '../models/describe.ts';

/** In ms since the epoch. */
export type Span = { from: number; to: number };
/** `reason` is null where the journal knows none. */
export type Gap = Span & { reason: string | null; message: string | null };

/** Ends of files are rounded. */
const seamMs = 500;

/** The day around a moment, midnight to midnight in the viewer's zone; 23 or 25 h where clocks change. */
export function dayOf(at: number): Span {
  const from = new Date(at);
  from.setHours(0, 0, 0, 0);
  const to = new Date(from);
  to.setDate(to.getDate() + 1);
  return { from: from.getTime(), to: to.getTime() };
}

/** The moment that fields of a day and a time name; null where they name none. */
export function momentOf(date: string, time: string): number | null {
  const at = new Date(`${date}T${time}`).getTime();
  return Number.isFinite(at) ? at : null;
}

/** Recordings (oldest first) that follow each other without a gap are one span; what is being written ends `now`. */
export function spansOf(recordings: readonly RecordingView[], day: Span, now: number): Span[] {
  const spans: Span[] = [];
  for (const { startAt, endAt } of recordings) {
    const from = Math.max(day.from, Date.parse(startAt));
    const to = Math.min(day.to, endAt === null ? now : Date.parse(endAt));
    if (to <= from) continue;
    const last = spans.at(-1);
    if (last && from - last.to <= seamMs) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}

/** Why nothing was recorded in between. */
export function gapsOf(recordings: readonly RecordingView[], day: Span): Gap[] {
  return recordings.flatMap(({ gapBefore }) => {
    if (gapBefore === null) return [];
    const from = Math.max(day.from, Date.parse(gapBefore.from));
    const to = Math.min(day.to, Date.parse(gapBefore.to));
    if (to - from <= seamMs) return [];
    const cause = gapBefore.class as keyof typeof reasonWords | null;
    return [{ from, to, reason: cause === null ? null : reasonWords[cause] ?? cause, message: gapBefore.message }];
  });
}

/** The moment itself where it is recorded, else the beginning of what comes after it, else the last that there is. */
export function playableAt(spans: readonly Span[], at: number): Span | null {
  const next = spans.find(({ to }) => at < to) ?? spans.at(-1);
  return next ? { from: at < next.to ? Math.max(at, next.from) : next.from, to: next.to } : null;
}

/** Marks of the time line: as many as stay legible. */
export function ticksOf(view: Span, most: number): number[] {
  const steps = [5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 10_800_000, 21_600_000];
  const step = steps.find((one) => (view.to - view.from) / one <= most) ?? steps.at(-1)!;
  const { from } = dayOf(view.from);
  const ticks: number[] = [];
  for (let at = from + Math.ceil((view.from - from) / step) * step; at < view.to; at += step) ticks.push(at);
  return ticks;
}
