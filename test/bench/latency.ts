/**
 * What Lookout adds between a camera and a decoded frame: one camera (720p25, 2 Mbit/s) in one page of Chromium twice, through Lookout and
 * through bare GStreamer and mediasoup, at the same time. A frame is told by the clip's counter; its latency is from when a plain RTSP client
 * had the whole of it to when it came out of the decoder. Each pair is a new join of both, watched for so long once the camera's own producer plays.
 * Usage: npm run bench -- latency [pairs=10] [seconds=10]
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser } from '../e2e/page/browser.ts';
import { openBareCamera, watchBare, type BareCamera } from '../support/bare-sfu.ts';
import { benchClip } from '../support/bench-clips.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { percentiles, type Percentiles } from '../support/percentiles.ts';
import { RtspPlayer } from '../support/rtsp-player.ts';
import { startSimulator } from '../support/simulator.ts';

const [pairs = 10, seconds = 10] = process.argv.slice(2, 4).map(Number);
const targetMs = 5;
const gop = 25;
const recipe = { width: 1280, height: 720, kbps: 2000, profile: 'main', noise: 40, view: { pattern: 'checks', hue: 220 }, title: 'GOP', seconds: 4, gop } as const;
/** A page keeps the viewer of a tile that went away for 2 s; then it is a new join. */
const lingerMs = 2_500;
/** The jitter buffers' first guesses are over by then. */
const settleMs = 3_000;
/** The client that tells when frames were whole asks for nothing once it plays. */
const clientLivesSeconds = 86_400;

/** `at`: ms since the epoch. */
type Decoded = { at: number; index: number | null; track: number; source: 'page' | 'bare' };
type InPage = { lookoutDecoded: { take: () => Decoded[]; answer: (offer: string) => Promise<string>; leave: () => void } };
/** When a frame was whole at an RTSP client, ms since the epoch, and its place behind the keyframe. */
type Arrival = { at: number; place: number };

await using simulator = await startSimulator({ mounts: [{ name: 'camera', video: await benchClip(recipe), sessionTimeoutSeconds: clientLivesSeconds }] });
await using lookout = await startLookout();
await using bare = await openBareCamera(simulator.url('camera'));
await using player = await RtspPlayer.play(simulator.url('camera'));
await lookout.add({ id: 'camera', url: simulator.url('camera'), transport: 'tcp' });
await eventually(async () => (await lookout.camera('camera')).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: 'a first keyframe' });
const browser = await openBrowser();
const latencies = { page: [] as number[], bare: [] as number[], added: [] as number[] };
try {
  await browser.context.addInitScript({ path: join(import.meta.dirname, '..', 'support', 'decoded-observer.js') });
  const { page } = await browser.open(lookout.loginLink, { width: 480, height: 400, theme: 'dark' });
  for (let pair = 0; pair < pairs; pair += 1) {
    const taken = await measure(page, { lookout, bare, isFirst: pair % 2 === 0 });
    for (const key of ['page', 'bare', 'added'] as const) latencies[key].push(...taken[key]);
    console.log(JSON.stringify({ pair, lookout: percentiles(taken.page), bare: percentiles(taken.bare), added: percentiles(taken.added) }));
  }
} finally {
  await browser.close();
}
const results: Record<string, Percentiles> = { Lookout: percentiles(latencies.page), bare: percentiles(latencies.bare), 'the same frame later in Lookout': percentiles(latencies.added) };
console.table(results);
const addedP95Ms = Math.round((percentiles(latencies.page).p95 - percentiles(latencies.bare).p95) * 10) / 10;
const met = addedP95Ms <= targetMs;
console.log(JSON.stringify({ bench: 'latency', pairs, seconds, results, addedP95Ms, targetMs, met }));
process.exitCode = met ? 0 : 1;

/** One pair: both join anew, in turns Lookout or the other first. */
async function measure(page: Page, { lookout: program, bare: other, isFirst }: { lookout: Lookout; bare: BareCamera; isFirst: boolean }): Promise<Record<keyof typeof latencies, number[]>> {
  await page.evaluate(`location.hash = '#/recordings'; lookoutDecoded.leave()`);
  await sleep(lingerMs);
  const joins = [() => page.evaluate(`location.hash = '#/'`), () => watchBare(other, (offer) => page.evaluate((sdp) => (globalThis as unknown as InPage).lookoutDecoded.answer(sdp), offer))];
  const watched = await Promise.all((isFirst ? joins : joins.toReversed()).map((start) => start()));
  await take(page);
  await eventually(async () => {
    const sources = new Set((await take(page)).map(({ source }) => source));
    return sources.size === 2 && (await program.sfu()).primers.length === 0;
  }, { timeoutMs: 30_000, intervalMs: 300, what: 'both pictures, without a primer' });
  await sleep(settleMs);
  await take(page);
  player.packets.splice(0, player.packets.length - 200);
  await sleep(seconds * 1_000);
  const frames = await take(page);
  const arrivals = arrivalsOf(player);
  (watched.find((each) => typeof (each as { close?: unknown } | undefined)?.close === 'function') as { close(): void }).close();
  const of = (source: Decoded['source']): Map<number, number> => {
    const own = frames.filter((frame) => frame.source === source);
    return new Map(own.filter(({ track }) => track === own.at(-1)?.track).flatMap(({ at, index }) => found(arrivals, at, index)));
  };
  const [viaLookout, viaOther] = [of('page'), of('bare')];
  return { page: [...viaLookout.values()], bare: [...viaOther.values()], added: [...viaLookout].flatMap(([frame, ms]) => (viaOther.has(frame) ? [ms - viaOther.get(frame)!] : [])) };
}

function take(page: Page): Promise<Decoded[]> {
  return page.evaluate(() => (globalThis as unknown as InPage).lookoutDecoded.take());
}

/** The newest frame of this place in its GOP that the camera had sent by then: which one it is, and how old. */
function found(arrivals: readonly Arrival[], at: number, index: number | null): [number, number][] {
  const nth = index === null ? -1 : arrivals.findLastIndex((arrival) => arrival.place === index % gop && arrival.at <= at);
  return nth < 0 ? [] : [[arrivals[nth]!.at, at - arrivals[nth]!.at]];
}

/** From the first keyframe on. */
function arrivalsOf({ packets }: RtspPlayer): Arrival[] {
  const arrivals: Arrival[] = [];
  let place = -1;
  let isKey = false;
  for (const { payload, marker, atMs } of packets) {
    const type = (payload[0] ?? 0) & 0x1f;
    const unit = type === 28 ? (payload[1] ?? 0) & 0x1f : type === 24 ? (payload[3] ?? 0) & 0x1f : type;
    isKey ||= unit === 5 || unit === 7;
    if (!marker) continue;
    place = isKey ? 0 : place < 0 ? -1 : place + 1;
    if (place >= 0) arrivals.push({ at: performance.timeOrigin + atMs, place });
    isKey = false;
  }
  return arrivals;
}
