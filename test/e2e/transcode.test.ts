/** Cameras that WebRTC cannot carry, in a real browser: turned into H.264 where that is asked for and there is room, else shown another way, with the reason. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { CameraView, SfuView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { sdpOffer } from '../support/sdp-offer.ts';
import { startSimulator } from '../support/simulator.ts';
import { openBrowser, type Browser } from './page/browser.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
let browser: Browser;
let page: Page;

const look = { width: 1280, height: 800, theme: 'dark' } as const;
/** One transcode of 640×360 at 25 fps fits in, two do not. */
const transcode = { cores: 0.1, idleSeconds: 2 };

before(async () => {
  cameras = await startSimulator({ mounts: [...['first', 'second', 'never'].map((name) => ({ name, video: 'hevc-360p' })), { name: 'bframes', video: 'bframes-360p-high' }] });
  lookout = await startLookout({ config: { transcode } });
  browser = await openBrowser();
  // Before there are cameras: the wall would watch all of them at once.
  ({ page } = await browser.open(lookout.loginLink, look));
  await page.waitForSelector('main .message');
  await page.evaluate(() => { location.hash = '#/camera/none'; });
  for (const id of ['first', 'second']) await lookout.add({ id, url: cameras.url(id), outputs: { live: { transcode: 'on-demand' } } });
  for (const id of ['never', 'bframes']) await lookout.add({ id, url: cameras.url(id) });
  for (const id of ['first', 'second', 'never', 'bframes']) await lookout.until(id, 'streaming.live');
});

after(async () => {
  await browser?.close();
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const open = async (at: Page, id: string): Promise<void> => {
  await at.evaluate((to) => { location.hash = to; }, `#/camera/${id}`);
  await at.waitForSelector(`.stage`);
};
const decoded = (at: Page): Promise<number> => at.evaluate(() => document.querySelector<HTMLVideoElement>('.stage video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0);
const plays = async (at: Page, what: string): Promise<void> => {
  const from = await decoded(at);
  await eventually(async () => (await decoded(at)) >= from + 25, { timeoutMs: 25_000, what });
};
const words = (at: Page): Promise<string> => at.evaluate(() => document.querySelector('.stage .away')?.textContent ?? '');
const wayOf = (at: Page): Promise<string> => at.evaluate(() => document.querySelector('.stage .picture')?.getAttribute('data-way') ?? '');
const transcodeIs = (id: string, state: string, besides?: number): Promise<CameraView> => eventually(async () => {
  const view = await lookout.camera(id);
  return view.outputs.transcode?.state === state && (besides === undefined || view.outputs.transcode.host?.pid !== besides) ? view : undefined;
}, { timeoutMs: 20_000, what: `the transcode of ${id} to be ${state}` }) as Promise<CameraView>;
const own = (sfu: SfuView, id: string): string[] => sfu.consumers.filter(({ camera, role }) => camera === id && role !== 'edge').map((consumer) => consumer.id).sort();
const whep = (id: string): Promise<Response> => fetch(`${lookout.url}/whep/${id}`, { method: 'POST', headers: { authorization: 'Bearer test-admin-token-of-this-run', 'content-type': 'application/sdp' }, body: sdpOffer() });

test('H.265 is seen over WebRTC as H.264 while somebody watches, in a host of its own', async () => {
  await open(page, 'first');
  await plays(page, 'the first pictures');
  const { outputs, host } = await transcodeIs('first', 'running');
  assert.equal(await wayOf(page), 'webrtc');
  assert.deepEqual([outputs.live.carriage, outputs.live.verdict?.ok, outputs.live.state], ['transcode', true, 'open']);
  assert.ok(outputs.transcode?.host && outputs.transcode.host.pid !== host?.pid);
  assert.deepEqual([outputs.transcode.width, outputs.transcode.height], [640, 360]);
  assert.match(await page.textContent('[aria-labelledby="viewer"]') ?? '', /turned into H\.264/u);
  assert.ok(await page.evaluate(() => document.querySelector<HTMLVideoElement>('.stage video')!.videoWidth) === 640);
});

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`a transcode whose host gets ${signal} comes back in the same peer connection, and its source never notices`, async () => {
    const { outputs, host, restarts } = await transcodeIs('first', 'running');
    const consumers = own(await lookout.sfu(), 'first');
    await page.evaluate(() => document.querySelector('.stage video')?.setAttribute('data-marked', 'yes'));
    process.kill(outputs.transcode!.host!.pid, signal);
    const back = await transcodeIs('first', 'running', outputs.transcode!.host!.pid);
    await plays(page, `pictures after ${signal}`);
    assert.equal(await page.evaluate(() => document.querySelector('.stage video')?.getAttribute('data-marked')), 'yes');
    assert.deepEqual(own(await lookout.sfu(), 'first'), consumers);
    assert.deepEqual([back.host?.pid, back.restarts, back.state], [host?.pid, restarts, 'streaming']);
  });
}

test('while the budget is spent another camera is refused with its code, shown by stills, and gets its transcode once there is room', async () => {
  const answer = await whep('second');
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [503, 'LOOKOUT_TRANSCODE_BUDGET']);
  assert.equal((await lookout.camera('second')).outputs.transcode?.state, 'off');
  const { page: other } = await browser.open(`${lookout.url}/#/camera/second`, look);
  await eventually(async () => (await wayOf(other)) === 'stills' && /cores/u.test(await words(other)), { timeoutMs: 20_000, what: 'stills and why' });
  await other.waitForSelector('.stage img');
  const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  assert.match(metrics, /^vms_media_transcode_refused_total [1-9]/mu);
  assert.match(metrics, /^vms_media_transcode_budget_cores 0\.1$/mu);
  // The last viewer of the first one goes: its room is the second one's, whose viewer asks again by itself.
  await open(page, 'never');
  await transcodeIs('first', 'off');
  await plays(other, 'the camera that had to wait');
  assert.equal(await wayOf(other), 'webrtc');
  assert.equal((await whep('second')).status, 201);
  await other.close();
});

test('without a transcode H.265 is shown by stills where the browser has no decoder, and says why', async () => {
  await open(page, 'never');
  await eventually(async () => (await wayOf(page)) === 'stills' && /Still pictures.*H\.265 over WebRTC.*no decoder for H\.265/su.test(await words(page)), { timeoutMs: 15_000, what: 'the reason' });
  const source = (): Promise<string> => page.evaluate(() => document.querySelector<HTMLImageElement>('.stage img')?.src ?? '');
  const first = await eventually(source, { timeoutMs: 15_000, what: 'a still picture' });
  await eventually(async () => (await source()) !== first, { timeoutMs: 15_000, what: 'another one' });
  assert.match(await page.textContent('[data-why]') ?? '', /outputs\.live\.transcode/u);
  const answer = await whep('never');
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [422, 'LOOKOUT_UNSUPPORTED_MEDIA']);
});

test('H.264 with B-frames is told as such once it plays, and shown over HLS, with the reason', async () => {
  await eventually(async () => (await lookout.camera('bframes')).outputs.live.carriage === 'none', { timeoutMs: 15_000, what: 'the B-frames to be seen' });
  assert.match((await lookout.camera('bframes')).outputs.live.verdict?.why ?? '', /B-frames/u);
  await open(page, 'bframes');
  await eventually(async () => /^HLS.*B-frames/su.test(await words(page)), { timeoutMs: 15_000, what: 'the way and why' });
  await plays(page, 'the camera over HLS');
  assert.equal(await wayOf(page), 'hls');
});
