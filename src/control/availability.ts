/** How available a camera was, folded from its journal: time live, gaps and their classes, time to recover. Pure. */
import type { StreamAvailability } from '../api/protocol.ts';
import type { Transition } from '../store/types.ts';

type Kind = 'live' | 'gap' | 'resting' | 'unknown';
type Gap = { from: number; class: string | null };
type Book = { seconds: Record<Kind, number>; recoveries: number[]; classes: Map<string, { losses: number; seconds: number }>; losses: number };

/** Stopped and idle cameras are away because somebody wants it so. */
const resting = new Set(['stopped', 'idle']);
const kindOf = (state: string | null): Kind => (state === 'streaming.live' ? 'live' : state !== null && resting.has(state) ? 'resting' : 'gap');

/**
 * The availability between `from` and `to` (ms since the epoch). `rows` are the camera's transitions in order, the last
 * one before `from` included; before the first one nothing is known, and unknown time counts neither way.
 */
export function availabilityOf(camera: string, rows: readonly Transition[], { from, to }: { from: number; to: number }): StreamAvailability {
  const book: Book = { seconds: { live: 0, gap: 0, resting: 0, unknown: 0 }, recoveries: [], classes: new Map(), losses: 0 };
  let at = from;
  let kind = 'unknown' as Kind;
  let gap: Gap | null = null;
  const spend = (until: number): void => {
    const end = Math.min(to, Math.max(at, until));
    book.seconds[kind] += (end - at) / 1_000;
    at = end;
  };
  const enter = (next: Kind, when: number, cls: string | null): void => {
    spend(when);
    if (next === 'gap' && kind === 'live') gap = { from: when, class: cls };
    else if (gap && next === 'gap') gap.class ??= cls;
    if (gap && next !== 'gap') {
      close(book, gap, { when, from, recovered: next === 'live' });
      gap = null;
    }
    kind = next;
  };
  for (const row of rows.filter((candidate) => candidate.at <= to)) {
    // Lookout itself was away: what was live until then was not seen by anybody afterwards.
    if (row.type === 'lookout.started') {
      if (kind !== 'resting' && row.awaySince !== null) enter('gap', Math.max(at, Math.min(row.at, row.awaySince)), 'lookout-away');
    } else enter(kindOf(row.to), row.at, row.class);
  }
  spend(to);
  if (gap) close(book, gap, { when: to, from, recovered: false });
  return viewOf(camera, book, { from, to });
}

/** A gap without a class was asked for by an operator: it is time, but no loss. */
function close(book: Book, gap: Gap, { when, from, recovered }: { when: number; from: number; recovered: boolean }): void {
  if (gap.class === null) return;
  const seconds = Math.max(0, when - Math.max(from, gap.from)) / 1_000;
  const entry = book.classes.get(gap.class) ?? { losses: 0, seconds: 0 };
  book.classes.set(gap.class, { losses: entry.losses + 1, seconds: entry.seconds + seconds });
  book.losses += 1;
  if (recovered) book.recoveries.push((when - gap.from) / 1_000);
}

function viewOf(camera: string, { seconds, recoveries, classes, losses }: Book, period: { from: number; to: number }): StreamAvailability {
  const wanted = seconds.live + seconds.gap;
  const sorted = recoveries.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return {
    camera,
    from: new Date(period.from).toISOString(),
    to: new Date(period.to).toISOString(),
    uptime: wanted > 0 ? seconds.live / wanted : null,
    liveSeconds: round(seconds.live),
    gapSeconds: round(seconds.gap),
    gapMinutes: round(seconds.gap / 60),
    restingSeconds: round(seconds.resting),
    unknownSeconds: round(seconds.unknown),
    losses,
    recovery: sorted.length === 0 ? null : { count: sorted.length, medianSeconds: round(rank(0.5)), p95Seconds: round(rank(0.95)), maxSeconds: round(rank(1)) },
    byClass: [...classes].map(([cls, entry]) => ({ class: cls, losses: entry.losses, gapSeconds: round(entry.seconds) })).sort((a, b) => b.gapSeconds - a.gapSeconds),
  };
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
