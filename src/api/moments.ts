/** Moments and spans of time as requests name them. */
import Type from 'typebox';
import { LookoutError } from '../errors.ts';

/** The most that is played or exported at once, hours. */
export const mostSpanHours = 6;

/** A moment in UTC. */
export const momentSchema = (description: string) => Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,3})?)?Z$', description: `${description}, as 2026-11-25T01:23:45Z` });

/** What {@link momentSchema} describes, in ms since the epoch. */
export function momentOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new LookoutError('LOOKOUT_VALIDATION', { message: `There is no such moment: ${text}.` });
  return at;
}

/** The span itself. Throws `LOOKOUT_VALIDATION` where it does not end after its beginning, or is too long. Moments in ms since the epoch. */
export function checkSpan(span: { from: number; to: number }): { from: number; to: number } {
  const { from, to } = span;
  if (from >= to || to - from > mostSpanHours * 3_600_000) throw new LookoutError('LOOKOUT_VALIDATION', { message: `"to" must be later than "from", by ${mostSpanHours} hours at most.` });
  return span;
}
