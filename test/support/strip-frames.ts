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

/** How much later `frames` showed what `reference` showed, ms: the median over those between `from` and `to`; undefined where none fits. */
export function behind(frames: readonly PaintedFrame[], reference: readonly PaintedFrame[], { from, to }: { from: number; to: number }): number | undefined {
  const lags = frames.filter(({ at }) => at >= from && at <= to).flatMap(({ at, index }) => {
    const same = reference.filter((other) => other.index === index && index !== null).map((other) => at - other.at);
    const [nearest] = same.toSorted((a, b) => Math.abs(a) - Math.abs(b));
    return nearest === undefined ? [] : [nearest];
  });
  return lags.toSorted((a, b) => a - b)[Math.floor(lags.length / 2)];
}

/**
 * The change from one video element to the next: the longest time a frame stood within a second of it, and how far the picture jumped
 * back or ahead of where it should have been, ms. Undefined where there was no change.
 */
export function seam(frames: readonly PaintedFrame[], { frameMs, loopFrames }: { frameMs: number; loopFrames: number }): { stoodMs: number; jumpMs: number } | undefined {
  const seen = visible(frames);
  const at = seen.findIndex(({ video }, place) => place > 0 && video !== seen[place - 1]?.video);
  const [before, after] = [seen[at - 1], seen[at]];
  if (!before || !after) return undefined;
  const near = seen.filter((frame) => Math.abs(frame.at - after.at) < 1_000);
  const stoodMs = Math.max(...near.slice(1).map((frame, place) => frame.at - near[place]!.at));
  if (before.index === null || after.index === null) return { stoodMs, jumpMs: Number.NaN };
  // Modulo the clip's length, signed.
  const steps = ((after.index - before.index + loopFrames * 1.5) % loopFrames) - loopFrames / 2;
  return { stoodMs, jumpMs: Math.abs(steps * frameMs - (after.at - before.at)) };
}
