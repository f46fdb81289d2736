/**
 * Joins at random phases in a real browser, 720p with 2 Mbit/s and GOPs of 1, 2, 4 and 10 s, with primers and without: from the request
 * (the operator opens the wall) to the first painted frame; how far the picture 1 s after the join is behind what the camera's own producer
 * shows; and what the change to that looks like. Frames are told apart by the clip's frame counter. The window is small: without a
 * graphics card the painting of large ones would be what is measured.
 * Usage: npm run bench -- first-frame [joins=30]
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser, type Browser } from '../e2e/page/browser.ts';
import { benchClip } from '../support/bench-clips.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { behind, paintedFrames, seam, stripObserver, visible, type PaintedFrame } from '../support/strip-frames.ts';

const [joins = 30] = process.argv.slice(2, 3).map(Number);
const targets = { firstFrameMs: 300, behindMs: 150, seamMs: 100 };
const fps = 25;
const frameMs = 1_000 / fps;
/** A page keeps the viewer of a tile that went away for 2 s; then it is a new join. */
const lingerMs = 2_500;
const recipe = { width: 1280, height: 720, kbps: 2000, profile: 'main', noise: 40, view: { pattern: 'checks', hue: 220 }, title: 'GOP' } as const;
const seconds = { 1: 4, 2: 4, 4: 8, 10: 10 } as const;

type Join = { firstFrameMs: number; behindMs: number | undefined; seam: ReturnType<typeof seam> };
/** One join: the wall is opened, and watched until a second after the change of tracks that follows the next keyframe. */
async function join(page: Page, { gop, primers }: { gop: number; primers: boolean }): Promise<Join> {
  await page.evaluate(`location.hash = '#/recordings'`);
  await sleep(lingerMs + randomInt(0, gop * 1_000));
  await paintedFrames(page);
  const began: number = await page.evaluate(`location.hash = '#/'; performance.timeOrigin + performance.now()`);
  const frames: PaintedFrame[] = [];
  const more = async (): Promise<void> => void frames.push(...await paintedFrames(page));
  const done = (): boolean => {
    const last = frames.at(-1)?.at ?? 0;
    const changed = new Set(frames.map(({ video }) => video)).size > 1;
    return last - began > 1_500 && (changed || !primers || last - began > gop * 1_000 + 2_500);
  };
  await eventually(async () => {
    await more();
    return done();
  }, { timeoutMs: gop * 1_000 + 20_000, intervalMs: 100, what: 'the pictures of a join' });
  await sleep(primers ? 1_000 : 0);
  await more();
  const seen = visible(frames);
  const loop = { frameMs, loopFrames: seconds[gop as keyof typeof seconds] * fps };
  const newest = seen.at(-1);
  const after = (ms: number) => ({ at }: PaintedFrame): boolean => at > began + ms - 100 && at < began + ms + 100;
  return {
    firstFrameMs: Math.round((seen[0]?.at ?? Number.NaN) - began),
    behindMs: behind(seen.filter(after(1_000)), seen.filter(({ at, video }) => video === newest?.video && at > newest.at - 700), loop),
    seam: seam(frames, loop),
  };
}

async function measure(browser: Browser, video: string, { gop, primers }: { gop: number; primers: boolean }): Promise<Join[]> {
  await using simulator = await startSimulator({ mounts: [{ name: 'camera', video }] });
  await using lookout = await startLookout({ config: { primers: { most: primers ? 64 : 0 } } });
  await lookout.add({ id: 'camera', url: simulator.url('camera'), transport: 'tcp' });
  await eventually(async () => (await lookout.camera('camera')).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: 'a first keyframe' });
  const { page } = await browser.open(lookout.loginLink, { width: 480, height: 400, theme: 'dark' });
  try {
    await eventually(async () => (await paintedFrames(page)).length > 0 && (await lookout.sfu()).primers.length === 0, { timeoutMs: 40_000, what: 'the first picture' });
    const results: Join[] = [];
    for (let nth = 0; nth < joins; nth += 1) results.push(await join(page, { gop, primers }));
    return results;
  } finally {
    await page.close();
  }
}

function percentiles(values: (number | undefined)[]): string {
  const sorted = values.filter((value) => value !== undefined && !Number.isNaN(value)).map((value) => Math.round(value as number)).sort((a, b) => a - b);
  const at = (share: number): number | string => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? '–';
  return `${at(0.5)} / ${at(0.95)} / ${at(1)}`;
}
const p95 = (text: string): number => Number(text.split(' / ')[1]);

const browser = await openBrowser();
await browser.context.addInitScript({ path: stripObserver });
const results = [];
try {
  for (const [gop, length] of Object.entries(seconds)) {
    const video = await benchClip({ ...recipe, seconds: length, gop: Number(gop) * fps });
    for (const primers of [true, false]) {
      const taken = await measure(browser, video, { gop: Number(gop), primers });
      const row = {
        gopSeconds: Number(gop), primers, joins: taken.length, firstFrameMs: percentiles(taken.map(({ firstFrameMs }) => firstFrameMs)),
        behindMs: percentiles(taken.map(({ behindMs }) => behindMs)), seamStoodMs: percentiles(taken.map((each) => each.seam?.stoodMs)), seamAgainMs: percentiles(taken.map((each) => each.seam?.againMs)),
      };
      console.log(JSON.stringify(row));
      results.push(row);
    }
  }
} finally {
  await browser.close();
}
console.log('p50 / p95 / max, ms');
console.table(results);
const primed = results.filter(({ primers }) => primers);
const met = {
  firstFrame: primed.every((row) => p95(row.firstFrameMs) <= targets.firstFrameMs), behind: primed.every((row) => p95(row.behindMs) <= targets.behindMs),
  seam: primed.every((row) => p95(row.seamStoodMs) <= targets.seamMs && p95(row.seamAgainMs) <= targets.seamMs),
};
console.log(JSON.stringify({ bench: 'first-frame', joins, targets, met, results }));
process.exitCode = Object.values(met).every(Boolean) ? 0 : 1;
