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

/** Numbers of the elements that show the cameras: after a primer there is another one, which counts from 0. */
const elements = (page: Page): Promise<string> => page.evaluate(() => {
  const numbered = globalThis as { videosSeen?: WeakMap<Element, number>; videos?: number };
  const seen = (numbered.videosSeen ??= new WeakMap());
  return [...document.querySelectorAll('[data-tile] video')].map((video) => {
    if (!seen.has(video)) seen.set(video, (numbered.videos = (numbered.videos ?? 0) + 1));
    return seen.get(video);
  }).join(' ');
});

/** Waits until so many cameras show pictures, then until so many more frames came on average; the rate of each camera, frames a second. Begins again where a primer was relieved meanwhile. */
export async function frameRates(page: Page, wanted: { cameras: number; frames: number }): Promise<Record<string, number>> {
  const { cameras, frames } = wanted;
  await eventually(async () => Object.values(await decodedFrames(page)).filter((count) => count > 0).length === cameras, { timeoutMs: 45_000, what: `${cameras} pictures` });
  const before = await elements(page);
  const start = { at: performance.now(), frames: await decodedFrames(page) };
  const since = (now: Record<string, number>): [string, number][] => Object.entries(now).map(([id, count]) => [id, count - (start.frames[id] ?? 0)]);
  const all = async (): Promise<boolean> => await elements(page) !== before || since(await decodedFrames(page)).reduce((sum, [, count]) => sum + count, 0) >= frames * cameras;
  await eventually(all, { timeoutMs: 60_000, what: `${frames} frames of each camera on average` });
  const now = await decodedFrames(page);
  const seconds = (performance.now() - start.at) / 1_000;
  if (await elements(page) !== before) return frameRates(page, wanted);
  return Object.fromEntries(since(now).map(([id, count]) => [id, count / seconds]));
}
