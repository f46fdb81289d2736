/** What was painted, told by the frame counter of the simulator's clips: how far behind another picture, and what a change of track showed. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** One painted frame: when (ms since the epoch), its number in the clip (null where the strip could not be read), and in which video element. */
export type PaintedFrame = { at: number; index: number | null; video: number };

type InPage = { lookoutStrip: { take: () => PaintedFrame[] } };

/** To be injected into pages before their own code. */
export const stripObserver = join(import.meta.dirname, 'strip-observer.js');

/** The frames painted since the last call, in order. */
export async function paintedFrames(page: Page): Promise<PaintedFrame[]> {
  const frames = await page.evaluate(() => (globalThis as unknown as InPage).lookoutStrip.take());
  return frames.sort((a, b) => a.at - b.at);
}

/** Of the frames of two video elements what was in sight: the first one's until the second has a picture. */
export function visible(frames: readonly PaintedFrame[]): PaintedFrame[] {
  const newest = Math.max(...frames.map(({ video }) => video));
  const takeOver = frames.find(({ video }) => video === newest)?.at ?? 0;
  return frames.filter(({ video, at }) => (video === newest ? true : at < takeOver));
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

/**
 * The change from one video element to the next: the longest time that a frame stood within half a second of it, and how much of what had
 * been seen was shown again, ms. Undefined where there was no change.
 */
export function seam(frames: readonly PaintedFrame[], { frameMs, loopFrames }: Loop): { stoodMs: number; againMs: number } | undefined {
  const seen = visible(frames);
  const at = seen.findIndex(({ video }, place) => place > 0 && video !== seen[place - 1]?.video);
  const [before, after] = [seen[at - 1], seen[at]];
  if (!before || !after) return undefined;
  const near = seen.filter((frame) => Math.abs(frame.at - after.at) < seamMs);
  const stoodMs = Math.max(...near.slice(1).map((frame, place) => frame.at - near[place]!.at));
  if (before.index === null || after.index === null) return { stoodMs, againMs: Number.NaN };
  const steps = signed(after.index - before.index, loopFrames);
  return { stoodMs, againMs: Math.max(0, -steps * frameMs) };
}

/** What belongs to a change of tracks, ms to both sides. */
const seamMs = 500;

const median = (values: readonly number[]): number | undefined => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The remainder nearest to zero. */
function signed(value: number, modulus: number): number {
  const rest = ((value % modulus) + modulus) % modulus;
  return rest > modulus / 2 ? rest - modulus : rest;
}
