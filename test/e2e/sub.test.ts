/** Main and sub in a real browser: the wall plays sub and the single view main, and what happens to one of them the other never notices. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { RecordingView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { watchPage, type ConsumerReading, type PageViewers } from '../support/page-viewers.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
let viewers: PageViewers;
let page: Page;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'parking-360p-main' }, { name: 'small', video: 'tiny-320x180-main' }] });
  lookout = await startLookout();
  await lookout.add({ id: 'gate', url: cameras.url('gate'), sub: { url: cameras.url('small') }, source: { closeAfterSeconds: 1 }, transport: 'tcp', outputs: { record: { mode: 'continuous', segmentSeconds: 2 } } });
  await lookout.until('gate', 'streaming.live');
  viewers = await watchPage(lookout.loginLink);
  ({ page } = viewers);
});

after(async () => {
  await viewers?.[Symbol.asyncDispose]();
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const tile = '[data-tile="gate"]';
/** Widths of the pictures there, as far as they have one, and how many video elements there are. */
const widths = (where: string): Promise<number[]> => page.evaluate((selector) => [...document.querySelectorAll(`${selector} video`)].map((video) => (video as HTMLVideoElement).videoWidth), where);
const shows = (where: string, width: number): Promise<unknown> => eventually(async () => (await widths(where)).join() === String(width), { timeoutMs: 30_000, what: `${where} to show ${width} pixels` });
const substate = (): Promise<string | null | undefined> => lookout.camera('gate').then(({ sub }) => sub?.substate);
const reading = (): Promise<ConsumerReading> => eventually(async () => (await viewers.read())['gate'], { timeoutMs: 15_000, what: 'a consumer' }) as Promise<ConsumerReading>;
const recordings = async (): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', '/api/v1/recordings?camera=gate')).recordings.toReversed();
/** Every moment in which no picture was on the screen is counted by the page itself. */
const watchForBlack = (): Promise<void> => page.evaluate(() => {
  const watched = window as unknown as { bare: number };
  watched.bare = 0;
  const look = (): void => {
    const picture = document.querySelector('.stage-picture .picture, .tile .picture');
    const covers = picture && [...picture.querySelectorAll('video')].some((video) => video.readyState >= 2);
    const frozen = picture?.querySelector('canvas')?.width;
    if (picture && !covers && !frozen && !picture.querySelector('img')) watched.bare += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});

test('the wall plays sub, the single view main, back and forth without a moment of black', async () => {
  await shows(tile, 320);
  assert.deepEqual((await lookout.camera('gate')).viewers, 0, 'nobody has to pull main for a wall');
  await watchForBlack();
  await page.locator(tile).click();
  await shows('.stage', 640);
  await eventually(async () => (await lookout.camera('gate')).sub?.state === 'idle', { timeoutMs: 20_000, what: 'sub to rest behind the single view' });
  await page.keyboard.press('Escape');
  await shows(tile, 320);
  await eventually(async () => (await lookout.camera('gate')).viewers === 0, { timeoutMs: 20_000, what: 'the viewer of main to leave' });
  assert.equal(await page.evaluate(() => (window as unknown as { bare: number }).bare), 0);
});

test('sub goes silent, then away, then comes back: the tile falls back to main, says so and returns; the recording has no gap', async () => {
  await shows(tile, 320);
  const before = await lookout.camera('gate');
  await cameras.script('small', { media: 'none' });
  await shows(tile, 640);
  await page.locator(`${tile} [data-stream="main"]`, { hasText: 'main stream' }).waitFor({ timeout: 15_000 });
  await cameras.script('small', { media: 'all', listen: 'closed' });
  await cameras.act('small', { type: 'reset' });
  await eventually(async () => (await lookout.camera('gate')).sub?.lastError?.class === 'refused', { timeoutMs: 20_000, what: 'sub to be refused' });
  assert.equal((await lookout.camera('gate')).state, 'streaming', 'a camera whose sub fails is not down');
  assert.match(await page.locator(`${tile} [data-stream="main"]`).getAttribute('title') ?? '', /^Sub stream: /u);
  await cameras.script('small', { listen: 'open' });
  await shows(tile, 320);
  await page.locator(`${tile} [data-stream="main"]`).waitFor({ state: 'detached', timeout: 15_000 });
  const { since, host, restarts } = await lookout.camera('gate');
  assert.deepEqual([since, host?.pid, restarts], [before.since, before.host?.pid, 0]);
  const { length } = await recordings();
  await eventually(async () => (await recordings()).length > length + 1, { timeoutMs: 20_000, what: 'recordings that were closed since' });
  const files = (await recordings()).filter(({ closed }) => closed);
  assert.deepEqual(files.filter(({ gapBefore }) => gapBefore !== null), []);
  assert.deepEqual(files.filter(({ width }) => width !== 640), [], 'main is what is recorded');
  const seconds = files.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
  const frames = files.reduce((sum, file) => sum + file.frames, 0);
  assert.ok(Math.abs(frames - seconds * 25) <= files.length + 1, `${frames} frames in ${seconds} s`);
  assert.ok(Math.abs(Date.parse(files.at(-1)!.endAt!) - Date.parse(files[0]!.startAt) - seconds * 1_000) < 500, 'no time is missing between them');
});

test('main is reset: the wall, which plays sub, loses no packet', async () => {
  await shows(tile, 320);
  await eventually(async () => (await substate()) === 'live');
  const before = await reading();
  const { restarts } = await lookout.camera('gate');
  await cameras.act('gate', { type: 'reset' });
  await eventually(async () => (await lookout.camera('gate')).restarts > restarts, { timeoutMs: 20_000, what: 'main to be connected anew' });
  await lookout.until('gate', 'streaming.live');
  await eventually(async () => (await reading()).decoded > before.decoded + 50, { timeoutMs: 20_000, what: 'two seconds of pictures' });
  const now = await reading();
  assert.deepEqual({ connection: now.connection, lost: now.lost }, { connection: before.connection, lost: before.lost });
  assert.deepEqual(await widths(tile), [320]);
  assert.equal((await lookout.camera('gate')).sub?.restarts, (await lookout.camera('gate')).sub?.restarts);
});

test('the last viewer leaves: sub is closed, main is recorded on, and nothing is left over', async () => {
  await page.goto('about:blank');
  await eventually(async () => (await lookout.camera('gate')).sub?.state === 'idle', { timeoutMs: 20_000, what: 'sub to rest' });
  await eventually(async () => (await cameras.stats('small')).sessions === 0, { what: 'the session at the camera to end' });
  assert.equal((await cameras.stats('gate')).sessions, 1);
  await eventually(async () => {
    const text = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
    return /^vms_media_orphans 0$/mu.test(text);
  }, { timeoutMs: 10_000, what: 'no orphan' });
  assert.equal((await lookout.sfu()).consumers.length, 0);
});
