/** The frames of a span of time over several recordings, on one time line without its gaps. Pure. */
import type { Frame, VideoFrames } from './frames.ts';
import { soundOfSpan, type Placed, type SpanSound } from './span-sound.ts';

/** A recording that was read; `startAt`: when its first frame was, ms since the epoch. */
export type SpanFile = { startAt: number; video: VideoFrames };

/** A frame of one of the files (by its place in the list); `timeMs` on the time line of the whole. */
export type SpanFrame = Frame & { file: number };

/** Time without a recording; `atMs`: where it was left out of the whole. Moments in ms since the epoch. */
export type SpanGap = { from: number; to: number; atMs: number };

/** What the span holds. It begins with the keyframe at or before the moment asked for, and that is its 0. */
export type Span = { video: Omit<VideoFrames, 'frames'>; frames: SpanFrame[]; sound: SpanSound | null; /** Some of its sound has another format and is left out. */ soundChanged: boolean; startAt: number; endAt: number; durationMs: number; gaps: SpanGap[] };

/** The picture changed its form within a span, at `at`: one track cannot hold it. */
export class FormatChange extends Error {
  override readonly name = 'FormatChange';
  readonly at: number;

  constructor(at: number) {
    super(`The camera changed its picture at ${new Date(at).toISOString()}. Export what is before and behind it one by one.`);
    this.at = at;
  }
}

/** Two files whose frames follow each other are this far apart at most; more is a gap. */
export const seamMs = 500;
/** How long a picture lasts that is alone in its file. */
const aloneMs = 40;

/** Joins files, oldest first, between two moments. Null where they hold no frame of it. Throws {@link FormatChange}. */
export function spanOf(files: readonly SpanFile[], { from, to }: { from: number; to: number }): Span | null {
  const frames: SpanFrame[] = [];
  const gaps: SpanGap[] = [];
  const placed: Placed[] = [];
  let first: { file: SpanFile; at: number } | null = null;
  let [endAt, endMs, lastMs] = [from, 0, 0];
  for (const [file, entry] of files.entries()) {
    const taken = framesWithin(entry, { from: first === null ? from : -Infinity, to, before: files[file + 1]?.startAt ?? Infinity });
    if (taken === null) continue;
    if (first !== null && !sameForm(first.file.video, entry.video)) throw new FormatChange(taken.startAt);
    first ??= { file: entry, at: taken.startAt };
    const missingMs = taken.startAt - endAt;
    if (missingMs > seamMs) gaps.push({ from: endAt, to: taken.startAt, atMs: endMs });
    // Clocks are rounded: a file may seem to begin a little before the last frame of the one before has ended.
    const base = frames.length === 0 ? 0 : endMs + (Math.abs(missingMs) > seamMs ? 0 : Math.max(missingMs, -lastMs / 2));
    for (const frame of taken.frames) frames.push({ ...frame, file, timeMs: base + frame.timeMs - taken.firstMs });
    placed.push({ file, firstMs: taken.firstMs, baseMs: base, durationMs: taken.durationMs });
    endMs = base + taken.durationMs;
    lastMs = taken.frameMs;
    endAt = taken.startAt + taken.durationMs;
  }
  if (first === null) return null;
  if (to - endAt > seamMs) gaps.push({ from: endAt, to, atMs: endMs });
  const { codec, codecPrivate, width, height } = first.file.video;
  const { sound, changed: soundChanged } = soundOfSpan(files, placed);
  return { video: { codec, codecPrivate, width, height }, sound, soundChanged, frames, startAt: first.at, endAt, durationMs: endMs, gaps };
}

type Taken = { frames: readonly Frame[]; firstMs: number; startAt: number; durationMs: number; frameMs: number };

/**
 * Of one file: from the keyframe at or before `from` up to the last frame that is needed before `to`. Nothing that is in
 * the next file as well, which begins at `before`: a recorder that came anew begins with the keyframe its hub still has.
 */
function framesWithin({ startAt, video: { frames } }: SpanFile, { from, to, before }: { from: number; to: number; before: number }): Taken | null {
  const zero = frames[0]!.timeMs;
  const wall = (frame: Frame): number => startAt + frame.timeMs - zero;
  const frameMs = frames.length < 2 ? aloneMs : (latest(frames) - zero) / (frames.length - 1);
  if (startAt + latest(frames) - zero + frameMs <= from) return null;
  const begin = Math.max(frames.findLastIndex((frame) => frame.key && wall(frame) <= from), frames.findIndex(({ key }) => key));
  if (begin === -1) return null;
  const end = Math.min(frames.findLastIndex((frame) => wall(frame) < to) + 1, upTo(frames.findIndex((frame, index) => index >= begin && isBeyond(frame, wall(frame), before)), frames.length));
  // What is shown before the keyframe refers to what is not here.
  const firstMs = frames[begin]!.timeMs;
  const taken = frames.slice(begin, end).filter(({ timeMs }) => timeMs >= firstMs);
  if (taken.length === 0) return null;
  return { frames: taken, firstMs, startAt: wall(frames[begin]!), durationMs: latest(taken) - firstMs + frameMs, frameMs };
}

/** Whether a frame belongs to what begins at a moment. Moments are rounded, and frames stamped on arrival may be close: only a keyframe is told exactly. */
export function isBeyond({ key }: Frame, at: number, moment: number): boolean {
  return key ? at >= moment - 2 : at >= moment + 20;
}

const upTo = (index: number, otherwise: number): number => (index === -1 ? otherwise : index);

function latest(frames: readonly Frame[]): number {
  return frames.reduce((most, { timeMs }) => Math.max(most, timeMs), -Infinity);
}

function sameForm(a: VideoFrames, b: VideoFrames): boolean {
  return a.codec === b.codec && a.width === b.width && a.height === b.height && Buffer.from(a.codecPrivate).equals(b.codecPrivate);
}
