/** What a wall has decoded, and at which rate, as the page's own video elements count. */
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';

/** Frames decoded so far, by camera. */
export const decodedFrames = (page: Page): Promise<Record<string, number>> => page.evaluate(() => Object.fromEntries(
  [...document.querySelectorAll('[data-tile]')].map((tile) => {
    // While a primer shows the first pictures there are two, and the one that counts is still to come.
    const [video, next] = tile.querySelectorAll('video');
    return [(tile as HTMLElement).dataset['tile'], next ? 0 : video?.getVideoPlaybackQuality().totalVideoFrames ?? 0];
  }),
));

/** Waits until so many cameras show pictures, then until so many more frames came on average; the rate of each camera, frames a second. */
export async function frameRates(page: Page, { cameras, frames }: { cameras: number; frames: number }): Promise<Record<string, number>> {
  await eventually(async () => Object.values(await decodedFrames(page)).filter((count) => count > 0).length === cameras, { timeoutMs: 45_000, what: `${cameras} pictures` });
  const start = { at: performance.now(), frames: await decodedFrames(page) };
  const since = (now: Record<string, number>): [string, number][] => Object.entries(now).map(([id, count]) => [id, count - (start.frames[id] ?? 0)]);
  const all = async (): Promise<boolean> => since(await decodedFrames(page)).reduce((sum, [, count]) => sum + count, 0) >= frames * cameras;
  await eventually(all, { timeoutMs: 60_000, what: `${frames} frames of each camera on average` });
  const now = await decodedFrames(page);
  const seconds = (performance.now() - start.at) / 1_000;
  return Object.fromEntries(since(now).map(([id, count]) => [id, count / seconds]));
}
