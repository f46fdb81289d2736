/** Sound in a real browser: nothing runs before somebody listens, it comes in step with the picture, and ends with the last listener. */
import assert from 'node:assert/strict';
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

const video = 'tiny-320x180-main';
/** Sound that is further from its picture is noticed (ITU-R BT.1359). */
const inSyncMs = 80;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'aac', video, audio: 'beep-aac' }, { name: 'pcmu', video, audio: 'beep-pcmu' }, { name: 'silent', video }] });
  lookout = await startLookout();
  for (const id of ['aac', 'pcmu', 'silent']) await lookout.add({ id, name: `Camera ${id}`, url: cameras.url(id) });
  for (const id of ['aac', 'pcmu', 'silent']) await lookout.until(id, 'streaming.live');
  browser = await openBrowser();
  ({ page } = await browser.open(lookout.loginLink, { width: 1280, height: 800, theme: 'dark' }));
});

after(async () => {
  await browser?.close();
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const soundOf = async (id: string) => (await lookout.until(id, 'streaming')).outputs.sound;
const open = async (id: string): Promise<void> => {
  await page.evaluate((to) => { location.hash = to; }, `#/camera/${id}`);
  await page.waitForSelector('.stage video');
};

/** ms from each flash to the beep nearest to it, as this browser shows and plays them. */
function offsets(seconds: number): Promise<number[]> {
  return page.evaluate(async (forSeconds) => {
    const picture = document.querySelector('.stage video') as HTMLVideoElement;
    const { srcObject } = document.querySelector('audio') as HTMLAudioElement;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 256 });
    context.createMediaStreamSource(srcObject as MediaStream).connect(analyser);
    const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
    const samples = new Float32Array(256);
    const flashes: number[] = [];
    const beeps: number[] = [];
    let [white, loudAt] = [true, performance.now()];
    const look = (_: number, { expectedDisplayTime }: VideoFrameCallbackMetadata): void => {
      pixel.drawImage(picture, 296, 12, 8, 8, 0, 0, 1, 1);
      const isWhite = pixel.getImageData(0, 0, 1, 1).data[0]! > 180;
      if (isWhite && !white) flashes.push(expectedDisplayTime);
      white = isWhite;
      picture.requestVideoFrameCallback(look);
    };
    picture.requestVideoFrameCallback(look);
    const listen = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (!samples.some((sample) => Math.abs(sample) > 0.05)) return;
      const now = performance.now();
      if (now - loudAt > 400) beeps.push(now);
      loudAt = now;
    }, 2);
    await new Promise((resolve) => setTimeout(resolve, forSeconds * 1_000));
    clearInterval(listen);
    await context.close();
    return beeps.flatMap((beep) => flashes.filter((flash) => Math.abs(flash - beep) < 500).map((flash) => Math.round(beep - flash)));
  }, seconds);
}

for (const { id, process } of [{ id: 'pcmu', process: 'as it is' }, { id: 'aac', process: 'as Opus' }]) {
  test(`the sound of ${id} comes ${process} while somebody listens, in step with the picture, and ends with the last one`, async (t) => {
    await open(id);
    assert.deepEqual([(await soundOf(id))!.state, (await soundOf(id))!.host], ['off', null], 'nothing runs while nobody listens');
    await page.click('[data-action="sound"]');
    await page.waitForSelector('[data-sound="playing"]');
    await lookout.until(id, 'streaming');
    await eventually(async () => (await soundOf(id))!.state === 'running', { timeoutMs: 10_000, what: 'the output of sound to run' });
    await eventually(() => page.evaluate(() => (document.querySelector('audio')?.currentTime ?? 0) > 1), { timeoutMs: 15_000, what: 'sound that plays' });
    // A jitter buffer settles first, and a busy machine may be late with one of ten.
    let told: number[] = [];
    await eventually(async () => {
      told = (await offsets(4)).toSorted((a, b) => a - b);
      return told.length >= 3 && Math.abs(told[Math.floor(told.length / 2)]!) <= inSyncMs;
    }, { timeoutMs: 30_000, what: 'sound in step' }).catch((error: unknown) => assert.fail(`${String(error)}; beep after flash, ms: ${told.join(' ')}`));
    t.diagnostic(`beep after flash, ms: ${told.join(' ')}`);
    await page.click('[data-action="sound"]');
    await page.waitForSelector('[data-sound="off"]');
    await eventually(async () => (await soundOf(id))!.state === 'off', { timeoutMs: 15_000, what: 'the output of sound to end' });
  });
}

test('a camera without sound has a button that says so and cannot be pressed', async () => {
  await open('silent');
  assert.ok(await page.isDisabled('[data-action="sound"]'));
  assert.equal(await page.getAttribute('[data-action="sound"]', 'title'), 'This camera has no sound.');
});

test('on the wall a tile has a mark where its camera has sound, which plays it there and ends it again', async () => {
  await page.evaluate(() => { location.hash = '#/'; });
  const mark = page.getByRole('button', { name: 'Listen to Camera pcmu' });
  await mark.waitFor();
  assert.equal(await page.locator('.tile-slot:has([data-tile="silent"]) .tile-sound').count(), 0);
  assert.equal(await page.locator('audio').count(), 0, 'nothing is heard that nobody asked for');
  await mark.click();
  await page.waitForSelector('.tile-slot:has([data-tile="pcmu"]) [data-sound="playing"]');
  await eventually(() => page.evaluate(() => (document.querySelector('audio')?.currentTime ?? 0) > 1), { timeoutMs: 15_000, what: 'sound that plays' });
  assert.equal(new URL(page.url()).hash, '#/', 'the camera was not opened');
  await page.locator('[data-tile="pcmu"]').focus();
  await page.keyboard.press('m');
  await page.waitForSelector('.tile-slot:has([data-tile="pcmu"]) [data-sound="off"]');
  await eventually(async () => (await soundOf('pcmu'))!.state === 'off', { timeoutMs: 15_000, what: 'the output of sound to end' });
});
