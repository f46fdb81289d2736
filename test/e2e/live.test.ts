/** The main job in a real browser: RTSP cameras in, decoded frames out, for every profile and both transports. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { openBrowser, type Browser } from './page/browser.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
let browser: Browser;
let page: Page;
let problems: string[];

const fleet = [
  { id: 'baseline', video: 'entrance-360p-baseline', transport: 'tcp' },
  { id: 'main', video: 'parking-360p-main', transport: 'udp' },
  { id: 'high', video: 'dock-360p-high', transport: 'tcp' },
  { id: 'street', video: 'street-720p-main', transport: 'udp' },
] as const;

/** Of the clip `server-360p-main`. */
const addedGopMs = 1_000;

before(async () => {
  cameras = await startSimulator({ mounts: [...fleet.map(({ id, video }) => ({ name: id, video })), { name: 'added', video: 'server-360p-main' }] });
  lookout = await startLookout();
  for (const { id, transport } of fleet) await lookout.add({ id, name: `Camera ${id}`, url: cameras.url(id), transport });
  for (const { id } of fleet) await lookout.until(id, 'streaming.live');
  browser = await openBrowser();
  ({ page, problems } = await browser.open(lookout.loginLink, { width: 1280, height: 800, theme: 'dark' }));
});

after(async () => {
  await browser?.close();
  await lookout?.[Symbol.asyncDispose]();
  // One that was started again left it to whoever started it.
  if (lookout) await rm(lookout.dataDir, { recursive: true, force: true });
  await cameras?.[Symbol.asyncDispose]();
});

/** Frames decoded so far, by camera. */
const decoded = (): Promise<Record<string, number>> => page.evaluate(() => Object.fromEntries(
  [...document.querySelectorAll('[data-tile]')].map((tile) => {
    // While a primer shows the first pictures there are two, and the one that counts is still to come.
    const [video, next] = tile.querySelectorAll('video');
    return [(tile as HTMLElement).dataset['tile'], next ? 0 : video?.getVideoPlaybackQuality().totalVideoFrames ?? 0];
  }),
));

/** Frames a second of each camera over its next hundred frames. */
async function nextRates(): Promise<Record<string, number>> {
  const start = { at: performance.now(), frames: await decoded() };
  await eventually(async () => Object.entries(await decoded()).every(([id, frames]) => frames >= (start.frames[id] ?? 0) + 100), { timeoutMs: 15_000, what: '100 more frames on all four' });
  const seconds = (performance.now() - start.at) / 1_000;
  return Object.fromEntries(Object.entries(await decoded()).map(([id, frames]) => [id, (frames - (start.frames[id] ?? 0)) / seconds]));
}

test('four cameras — baseline, main and high, over TCP and UDP — play at their frame rate', async () => {
  await eventually(async () => Object.values(await decoded()).filter((frames) => frames > 0).length === fleet.length, { timeoutMs: 20_000, what: 'four pictures' });
  // A browser that decodes on a busy machine falls behind for a while; pictures that play at their rate do so again within a few rounds.
  const told: string[] = [];
  for (let round = 1; round <= 5; round += 1) {
    const rates = Object.entries(await nextRates());
    if (rates.every(([, rate]) => rate > 22 && rate < 28)) return;
    told.push(rates.map(([id, rate]) => `${id} ${rate.toFixed(1)}`).join(', '));
  }
  assert.fail(`frames a second, round by round: ${told.join('; ')}`);
});

test('the page reports no error, and its login token is gone from the address bar', async () => {
  assert.deepEqual(problems, []);
  assert.doesNotMatch(page.url(), /token/u);
});

test('a camera added over REST shows video within its GOP plus one second', async () => {
  // A machine that is busy with something else may be late once; the camera is not late three times in a row.
  const taken: number[] = [];
  for (let nth = 1; nth <= 3; nth += 1) {
    const began = performance.now();
    await lookout.add({ id: 'added', url: cameras.url('added') });
    await eventually(async () => ((await decoded())['added'] ?? 0) > 0, { timeoutMs: 15_000, what: 'the first frame of the added camera' });
    taken.push(Math.round(performance.now() - began));
    if (taken.at(-1)! <= addedGopMs + 1_000) return;
    if (nth < 3) await lookout.api('DELETE', '/api/v1/cameras/added', { expect: 204 });
    await eventually(async () => nth === 3 || !('added' in await decoded()), { what: 'the tile to go' });
  }
  assert.fail(`first frames after ${taken.join(', ')} ms with a GOP of ${addedGopMs} ms`);
});

test('a camera that reboots goes on in the same video element, and the tile says why it stood still', async () => {
  await page.evaluate(() => document.querySelector('[data-tile="main"] video')?.setAttribute('data-marked', 'yes'));
  await cameras.act('main', { type: 'reboot', seconds: 2 });
  await eventually(() => page.evaluate(() => /reconnecting/iu.test(document.querySelector('[data-tile="main"]')?.textContent ?? '')), { timeoutMs: 10_000, what: 'the words on the tile' });
  await lookout.until('main', 'streaming.live', 20_000);
  const before = (await decoded())['main'] ?? 0;
  await eventually(async () => ((await decoded())['main'] ?? 0) > before + 25, { timeoutMs: 15_000, what: 'frames after the reboot' });
  assert.equal(await page.evaluate(() => document.querySelector('[data-tile="main"] video')?.getAttribute('data-marked')), 'yes');
});

test('a worker that dies under the page costs a moment: the viewers join again by themselves', async () => {
  const victim = (await lookout.sfu()).workers.find(({ routers }) => routers > 0);
  assert.ok(victim?.pid);
  process.kill(victim.pid, 'SIGKILL');
  await eventually(async () => (await lookout.sfu()).workers.every(({ state, pid }) => state === 'running' && pid !== victim.pid), { timeoutMs: 10_000 });
  await eventually(async () => {
    const sfu = await lookout.sfu();
    return sfu.consumers.length === fleet.length + 1;
  }, { timeoutMs: 15_000, what: 'all viewers to be back' });
  const before = await decoded();
  await eventually(async () => Object.entries(await decoded()).every(([id, frames]) => frames > (before[id] ?? 0) + 25), { timeoutMs: 15_000, what: 'frames on all tiles' });
});

test('the server restarts under an open page: the page says so, goes on by itself, and shows what is true by then', async () => {
  const { dataDir, url } = lookout;
  await lookout.stop();
  const lost = page.getByRole('alert').filter({ hasText: 'Connection to Lookout lost' });
  await lost.waitFor();
  assert.equal(await page.locator('.tile-state', { hasText: 'Live' }).count(), 0, 'nothing is said to be live that nobody hears of');
  await cameras.script('high', { listen: 'closed' });
  lookout = await startLookout({ dataDir, port: Number(new URL(url).port) });
  await lost.waitFor({ state: 'detached' });
  await page.locator('[data-tile="high"] .away', { hasText: /connection refused/iu }).waitFor();
  const others = ['baseline', 'main', 'street', 'added'];
  const before = await decoded();
  await eventually(async () => {
    const now = await decoded();
    return others.every((id) => (now[id] ?? 0) > 25 && now[id] !== before[id]);
  }, { timeoutMs: 30_000, what: 'pictures on the other tiles' });
  assert.deepEqual((await lookout.cameras()).map(({ id }) => id).toSorted(), await page.locator('[data-tile]').evaluateAll((tiles) => tiles.map((tile) => (tile as HTMLElement).dataset['tile']).sort()));
});

test('a closed tab leaves nothing behind', async () => {
  await page.close();
  await eventually(async () => {
    const { consumers, transports } = await lookout.sfu();
    return consumers.length === 0 && transports.every(({ kind }) => kind === 'plain');
  }, { timeoutMs: 5_000, what: 'the transports to be closed' });
  assert.ok((await lookout.cameras()).every(({ viewers }) => viewers === 0));
});
