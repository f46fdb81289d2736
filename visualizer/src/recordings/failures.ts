/** The failures of a day from the journal, and the marks that stand for them on the time line. Pure. */
import type { EventView } from '../../../src/api/protocol.ts';
import { reasonWords } from '../models/describe.ts';
import type { Span } from './day.ts';

/** `seq`: of its row in the journal; `at` in ms since the epoch. */
export type Failure = { seq: number; at: number; words: string; message: string };
/** At least one, oldest first; it stands where the first of them is. */
export type Mark = { at: number; failures: [Failure, ...Failure[]] };

/** Where a camera goes when it fails; what follows from there on is of the same failure. */
const down = new Set(['teardown', 'backoff', 'quarantined']);

/** The failures among rows of the journal, oldest first, each once. */
export function failuresOf(events: readonly EventView[]): Failure[] {
  return events.filter(isFailure).map(({ seq, at, class: cls, stream, message }) => {
    const words = reasonWords[cls!];
    return { seq, at: Date.parse(at), words: stream === 'sub' ? `sub stream: ${words}` : words, message };
  }).sort((a, b) => a.at - b.at || a.seq - b.seq);
}

/** Media that change are no failure, though their row has a class. */
function isFailure({ type, from, to, class: cls }: EventView): boolean {
  if (cls === null || type === 'media.changed') return false;
  return type !== 'camera.transition' || (down.has(to ?? '') && !down.has(from ?? ''));
}

/** Those of the view, in marks that are at least `apartMs` from each other. */
export function marksOf(failures: readonly Failure[], view: Span, apartMs: number): Mark[] {
  const marks: Mark[] = [];
  for (const failure of failures) {
    if (failure.at < view.from || failure.at >= view.to) continue;
    const last = marks.at(-1);
    if (last && failure.at - last.at < apartMs) last.failures.push(failure);
    else marks.push({ at: failure.at, failures: [failure] });
  }
  return marks;
}
