/**
 * Joins at random phases in a real browser, 720p with 2 Mbit/s and GOPs of 1, 2, 4 and 10 s, with primers and without: from the request
 * (the operator opens the wall) to the first painted frame; how far the picture 1 s after the join is behind what the camera's own producer
 * shows; what the change to that looks like, and how long a picture stood anywhere after the first. Frames are told apart by the clip's
 * frame counter. The window is small: without a graphics card the painting of large ones would be what is measured. Several browsers take
 * turns: the first second of a join has the machine to itself.
 * Usage: npm run bench -- first-frame [30] [joins=30] [gops=1,2,4,10] [primers=both|with|without] [browsers=3] [catchups=on|off] [link=20]
 * `link`: the browser is behind a link of so many Mbit/s, in a network namespace of its own (needs root); figures only, one browser.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser, type Browser } from '../e2e/page/browser.ts';
import { benchClip } from '../support/bench-clips.ts';
import { benchOptions } from '../support/bench-options.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { isInside, openLink, runInside, type SlowLink } from '../support/slow-link.ts';
import { behind, inSight, paintedFrames, receivedStreams, seam, steadiness, stripObserver, visible, type PaintedFrame, type ReceivedStream, type Steadiness } from '../support/strip-frames.ts';

const options = benchOptions({ joins: '30', gops: '1,2,4,10', primers: 'both', browsers: '3', catchups: 'on', link: '0' }, 'joins');
const [joins, mbit] = [Number(options.joins), Number(options.link)];
const targets = { firstFrameMs: 300, behindMs: 150, seamMs: 100 };
const fps = 25;
const frameMs = 1_000 / fps;
/** A page keeps the viewer of a tile that went away for 2 s; then it is a new join. */
const lingerMs = 2_500;
/** So much of a join is measured against the clock. */
const aloneMs = 1_200;
const recipe = { width: 1280, height: 720, kbps: 2000, profile: 'main', noise: 40, view: { pattern: 'checks', hue: 220 }, title: 'GOP' } as const;
/** A clip is longer than twice its GOP: a picture that is a whole GOP behind must not be taken for one that is ahead. */
const clipSeconds = (gop: number): number => Math.max(4, gop * 3);

/** A name that browsers trust without a certificate: only there they let their frames be read without painting them. */
const trusted = 'lookout.localhost';

type Join = { firstFrameMs: number; behindMs: number | undefined; seam: Steadiness | undefined; whole: Steadiness; nacks: number; lost: number; decodeMs: number };

let turn = Promise.resolve();
/** One at a time. */
function alone(work: () => Promise<void>): Promise<void> {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

/** One join: the wall is opened, and watched until a second after the change of tracks that follows the next keyframe. */
async function join(page: Page, { gop, primers }: { gop: number; primers: boolean }): Promise<Join> {
  await page.evaluate(`location.hash = '#/recordings'`);
  await sleep(lingerMs + randomInt(0, gop * 1_000));
  const frames: PaintedFrame[] = [];
  const more = async (): Promise<void> => void frames.push(...await paintedFrames(page));
  let [began, counted] = [0, [] as ReceivedStream[]];
  await alone(async () => {
    await paintedFrames(page);
    began = await page.evaluate(`location.hash = '#/'; performance.timeOrigin + performance.now()`);
    await sleep(aloneMs);
    counted = await receivedStreams(page);
  });
  const done = (): boolean => {
    const last = frames.at(-1)?.at ?? 0;
    const changed = new Set(frames.map(({ video }) => video)).size > 1;
    return last - began > 1_500 && (changed || !primers || last - began > gop * 1_000 + 2_500);
  };
  await eventually(async () => {
    await more();
    return done();
  }, { timeoutMs: gop * 1_000 + 20_000, intervalMs: 200, what: 'the pictures of a join' });
  await sleep(primers ? 1_000 : 0);
  await more();
  const seen = visible(frames);
  const loop = { frameMs, loopFrames: clipSeconds(gop) * fps };
  const newest = seen.at(-1);
  return {
    firstFrameMs: Math.round((seen[0]?.at ?? Number.NaN) - began),
    behindMs: behind(inSight(seen, began + 1_000, 100), seen.filter(({ at, video }) => video === newest?.video && at > newest.at - 700), loop),
    seam: seam(frames, loop),
    whole: steadiness(seen, loop),
    nacks: sum(counted.map(({ nacks }) => nacks)), lost: sum(counted.map(({ lost }) => lost)),
    decodeMs: sum(counted.map(({ decodeSeconds }) => decodeSeconds)) * 1_000 / sum(counted.map(({ decoded }) => decoded)),
  };
}

async function measure(browsers: Browser[], video: string, { gop, primers, link }: { gop: number; primers: boolean; link: SlowLink | undefined }): Promise<{ taken: Join[]; again: number }> {
  await using simulator = await startSimulator({ mounts: [{ name: 'camera', video }] });
  await using lookout = await startLookout({ config: { primers: { most: primers ? 64 : 0, ...(options.catchups === 'off' && { catchUpBytes: 0 }) }, ...(link && { host: link.address }) } });
  await lookout.add({ id: 'camera', url: simulator.url('camera'), transport: 'tcp' });
  await eventually(async () => (await lookout.camera('camera')).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: 'a first keyframe' });
  const pages: Page[] = [];
  for (const browser of browsers) pages.push((await browser.open(link ? lookout.loginLink.replace(link.address, trusted) : lookout.loginLink, { width: 480, height: 400, theme: 'dark' })).page);
  try {
    for (const page of pages) await eventually(async () => (await paintedFrames(page)).length > 0, { timeoutMs: 40_000, what: 'the first picture' });
    await eventually(async () => (await lookout.sfu()).primers.length === 0, { timeoutMs: 40_000, what: 'the primers to be gone' });
    const results: Join[] = [];
    let left = joins;
    await Promise.all(pages.map(async (page) => {
      while (left > 0) {
        left -= 1;
        results.push(await join(page, { gop, primers }));
      }
    }));
    const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
    return { taken: results, again: Number(/^vms_media_primers_repeats_total (\d+)/mu.exec(metrics)?.[1]) };
  } finally {
    for (const page of pages) await page.close();
  }
}

function percentiles(values: (number | undefined)[], digits = 0): string {
  const sorted = values.filter((value) => value !== undefined && !Number.isNaN(value)).map((value) => Number(value!.toFixed(digits))).sort((a, b) => a - b);
  const at = (share: number): number | string => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? '–';
  return `${at(0.5)} / ${at(0.95)} / ${at(1)}`;
}
const p95 = (text: string): number => Number(text.split(' / ')[1]);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

async function bench(): Promise<boolean> {
  await using link = mbit > 0 ? await openLink({ mbit }) : undefined;
  // A page that is not the one in front of its browser is painted once a second.
  const browsers = await Promise.all(Array.from({ length: link ? 1 : Number(options.browsers) }, () => openBrowser(link ? { executable: link.chromium, more: [`--host-resolver-rules=MAP ${trusted} ${link.address}`] } : {})));
  for (const { context } of browsers) await context.addInitScript({ path: stripObserver });
  const results = [];
  try {
    for (const gop of options.gops.split(',').map(Number)) {
      const video = await benchClip({ ...recipe, seconds: clipSeconds(gop), gop: gop * fps });
      for (const primers of options.primers === 'both' ? [true, false] : [options.primers === 'with']) {
        const { taken, again } = await measure(browsers, video, { gop, primers, link });
        const seams = taken.flatMap((each) => each.seam ?? []);
        const row = {
          gopSeconds: gop, primers, joins: taken.length, firstFrameMs: percentiles(taken.map(({ firstFrameMs }) => firstFrameMs)),
          behindMs: percentiles(taken.map(({ behindMs }) => behindMs)), late: taken.filter(({ behindMs = 0 }) => behindMs > targets.behindMs).length, stoodMs: percentiles(taken.map(({ whole }) => whole.stoodMs)),
          seams: seams.length, seamStoodMs: percentiles(seams.map(({ stoodMs }) => stoodMs)), seamAgainMs: percentiles(seams.map(({ againMs }) => againMs)),
          repeated: sum(taken.map(({ whole }) => whole.repeated)), back: sum(taken.map(({ whole }) => whole.back)),
          nacks: sum(taken.map(({ nacks }) => nacks)), lost: sum(taken.map(({ lost }) => lost)), again, decodeMs: percentiles(taken.map(({ decodeMs }) => decodeMs), 1),
        };
        console.log(JSON.stringify(row));
        results.push(row);
      }
    }
  } finally {
    for (const browser of browsers) await browser.close();
  }
  console.log('p50 / p95 / max, ms');
  console.table(results);
  const primed = results.filter(({ primers }) => primers);
  const met = {
    firstFrame: primed.every((row) => p95(row.firstFrameMs) <= targets.firstFrameMs), behind: primed.every((row) => p95(row.behindMs) <= targets.behindMs),
    seam: primed.every((row) => p95(row.seamStoodMs) <= targets.seamMs && p95(row.seamAgainMs) <= targets.seamMs),
  };
  console.log(JSON.stringify({ bench: 'first-frame', joins, ...(link ? { linkMbit: mbit } : { targets, met }), results }));
  return link !== undefined || Object.values(met).every(Boolean);
}

if (mbit > 0 && !isInside) process.exitCode = runInside(import.meta.filename, process.argv.slice(2));
else process.exitCode = await bench() ? 0 : 1;
