/** What was painted, told by the frame counter of the simulator's clips: how far behind another picture, and what a change of track showed. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** One painted frame: when (ms since the epoch), its number in the clip (null where the strip could not be read), in which video element, and how many that has painted. */
export type PaintedFrame = { at: number; index: number | null; video: number; presented: number };

/** One stream that a page receives, since its begin: repairs asked for, packets that never came, frames decoded and the seconds that took. */
export type ReceivedStream = { nacks: number; lost: number; decoded: number; decodeSeconds: number };

type InPage = { lookoutStrip: { take: () => Promise<PaintedFrame[]>; received: () => Promise<ReceivedStream[]> } };

/** To be injected into pages before their own code. */
export const stripObserver = join(import.meta.dirname, 'strip-observer.js');

/** The frames painted since the last call, in order. */
export async function paintedFrames(page: Page): Promise<PaintedFrame[]> {
  const frames = await page.evaluate(() => (globalThis as unknown as InPage).lookoutStrip.take());
  return frames.sort((a, b) => a.at - b.at);
}

/** What the page receives at this moment, as its connections count it. */
export const receivedStreams = (page: Page): Promise<ReceivedStream[]> => page.evaluate(() => (globalThis as unknown as InPage).lookoutStrip.received());

/** Of the frames of two video elements what was in sight: the first one's until the second has a picture. */
export function visible(frames: readonly PaintedFrame[]): PaintedFrame[] {
  const newest = Math.max(...frames.map(({ video }) => video));
  const takeOver = frames.find(({ video }) => video === newest)?.at ?? 0;
  return frames.filter(({ video, at }) => (video === newest ? true : at < takeOver));
}

/** What was in sight around a moment, within so many ms: the frames painted then, or the one that stood. */
export function inSight(seen: readonly PaintedFrame[], at: number, withinMs: number): PaintedFrame[] {
  const painted = seen.filter((frame) => Math.abs(frame.at - at) < withinMs);
  const standing = seen.findLast((frame) => frame.at <= at);
  return painted.length > 0 || standing === undefined ? painted : [{ ...standing, at }];
}

/** A clip: how long a frame lasts, and after how many it begins anew. */
export type Loop = { frameMs: number; loopFrames: number };

/**
 * How much later `frames` show what they show than `others` do, ms, by the camera's own pace: of both the median. Undefined where
 * either has no frame that could be read.
 */
export function behind(frames: readonly PaintedFrame[], others: readonly PaintedFrame[], loop: Loop): number | undefined {
  const loopMs = loop.frameMs * loop.loopFrames;
  const phases = (list: readonly PaintedFrame[]): number[] => list.flatMap(({ at, index }) => (index === null ? [] : [at - index * loop.frameMs]));
  const [origin] = phases(others);
  if (origin === undefined) return undefined;
  const lag = (list: readonly PaintedFrame[]): number | undefined => median(phases(list).map((phase) => signed(phase - origin, loopMs)));
  const [own, other] = [lag(frames), lag(others)];
  return own === undefined || other === undefined ? undefined : own - other;
}

/** What a change of tracks, or a whole join, looked like. */
export type Steadiness = {
  /** The longest time that one picture stood, ms. */
  stoodMs: number;
  /** Pictures painted twice in a row, and pictures older than the one before. */
  repeated: number;
  back: number;
  /** How much of what had been seen was shown again by the worst of them, ms. */
  againMs: number;
};

/** Of what was in sight, from its first picture on. */
export function steadiness(seen: readonly PaintedFrame[], { frameMs, loopFrames }: Loop): Steadiness {
  const read = seen.filter(({ index }) => index !== null);
  const steps = read.slice(1).map(({ index }, place) => signed(index! - read[place]!.index!, loopFrames));
  return {
    stoodMs: Math.max(0, ...seen.slice(1).map((frame, place) => stood(seen[place]!, frame))),
    repeated: steps.filter((step) => step === 0).length,
    back: steps.filter((step) => step < 0).length,
    againMs: Math.max(0, ...steps.map((step) => -step * frameMs)),
  };
}

/** How long the former stood, ms. What was painted in between while the page was too busy to be told of it, the browser has counted: taken as evenly spread. */
function stood(former: PaintedFrame, latter: PaintedFrame): number {
  const painted = former.video === latter.video ? Math.max(1, latter.presented - former.presented) : 1;
  return (latter.at - former.at) / painted;
}

/** The change from one video element to the next: the two pictures at it, and what was painted within half a second. Undefined where there was none. */
export function seam(frames: readonly PaintedFrame[], loop: Loop): Steadiness | undefined {
  const seen = visible(frames);
  const at = seen.findIndex(({ video }, place) => place > 0 && video !== seen[place - 1]?.video);
  const after = seen[at];
  if (!after || at < 1) return undefined;
  return steadiness(seen.filter((frame, place) => place === at - 1 || Math.abs(frame.at - after.at) < seamMs), loop);
}

/** What belongs to a change of tracks, ms to both sides. */
const seamMs = 500;

const median = (values: readonly number[]): number | undefined => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The remainder nearest to zero. */
function signed(value: number, modulus: number): number {
  const rest = ((value % modulus) + modulus) % modulus;
  return rest > modulus / 2 ? rest - modulus : rest;
}
