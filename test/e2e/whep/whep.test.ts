/** WHEP of the real program, played by RTCPeerConnection in Chromium without any client of ours. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import type { SimulatorProcess } from '../../../src/camera-sim/process.ts';
import { defer } from '../../support/defer.ts';
import { eventually } from '../../support/eventually.ts';
import { startLookout, type Lookout } from '../../support/lookout.ts';
import { startSimulator } from '../../support/simulator.ts';
import { openBrowser, type Browser } from '../page/browser.ts';
import { eyevinnPlayer } from './eyevinn.ts';

const token = 'test-admin-token-of-this-run';
const secret = 'test-internal-secret-of-this-run';
const authorization = `Bearer ${token}`;
const slow = { timeoutMs: 40_000 };
let cameras: SimulatorProcess & AsyncDisposable;
let browser: Browser;
let lookout: Lookout;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'main', video: 'tiny-320x180-main' }, { name: 'high', video: 'dock-360p-high' }, { name: 'hevc', video: 'hevc-360p' }] });
  browser = await openBrowser();
  lookout = await startLookout({ config: { faults: { enabled: true }, viewers: { lostMs: 1_000 } }, env: { LOOKOUT_INTERNAL_SECRET: secret } });
  for (const id of ['main', 'high']) await lookout.add({ id, url: cameras.url(id) });
  await lookout.add({ id: 'hevc', url: cameras.url('hevc'), outputs: { live: { transcode: 'on-demand' } } });
  for (const id of ['main', 'high', 'hevc']) await lookout.until(id, 'streaming.live');
});
after(async () => {
  await browser?.close();
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

/** What the page below tells of itself. */
type Reading = { status: number; location: string | null; link: string | null; etag: string | null; state: string; frames: number; width: number };
const read = (page: Page): Promise<Reading> => page.evaluate('read()');

/** A page that posts an offer and shows what comes, as any WHEP player does. */
async function play(t: TestContext, camera: string): Promise<Page> {
  const page = await browser.context.newPage();
  defer(t, () => page.close());
  await page.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<video muted autoplay></video>' }));
  await page.goto(`${lookout.url}/blank`);
  await page.evaluate(`(async () => {
    const video = document.querySelector('video');
    const peer = globalThis.peer = new RTCPeerConnection();
    peer.addTransceiver('audio', { direction: 'recvonly' });
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.ontrack = ({ track }) => track.kind === 'video' && (video.srcObject = new MediaStream([track]));
    await peer.setLocalDescription();
    const response = await fetch('/whep/${camera}', { method: 'POST', headers: { 'content-type': 'application/sdp', authorization: '${authorization}' }, body: peer.localDescription.sdp });
    const answer = await response.text();
    globalThis.read = () => ({
      status: response.status, location: response.headers.get('location'), link: response.headers.get('link'), etag: response.headers.get('etag'), state: peer.connectionState,
      frames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth,
    });
    if (response.status !== 201) throw new Error(answer);
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
  })()`);
  await eventually(async () => (await read(page)).frames > 25, { ...slow, what: `a second of ${camera}` });
  return page;
}

const viewersOf = async (camera: string): Promise<number> => (await lookout.camera(camera)).viewers;
const end = (location: string | null) => fetch(lookout.url + String(location), { method: 'DELETE', headers: { authorization } });

/** Transports, consumers, and the ports of the pipe behind them. */
const nothingHeld = (): Promise<unknown> => eventually(async () => {
  const { transports, consumers } = await lookout.sfu();
  const { held } = await (await fetch(`${lookout.url}/stats`, { headers: { 'x-internal-auth': secret } })).json() as { held: { leases: { owner: string }[] } };
  return transports.every(({ kind }) => kind === 'plain') && consumers.length === 0 && held.leases.every(({ owner }) => !owner.startsWith('edge:'));
}, { ...slow, what: 'everything to be released' });

test('a plain RTCPeerConnection plays a camera, is counted as a viewer, and DELETE ends it', async (t) => {
  const page = await play(t, 'main');
  const { status, location, link, etag, width, state } = await read(page);
  assert.deepEqual([status, width, state], [201, 320, 'connected']);
  assert.match(location ?? '', /^\/whep\/main\/[0-9a-f-]{36}$/u);
  assert.match(link ?? '', /<\/hls\/main\/index\.m3u8>; rel="alternate"/u);
  assert.match(etag ?? '', /^"[\w-]+"$/u);
  await eventually(async () => await viewersOf('main') === 1, { ...slow, what: 'the viewer to be counted' });
  assert.equal((await end(location)).status, 204);
  await eventually(async () => await viewersOf('main') === 0, { ...slow, what: 'the viewer to be gone' });
  await nothingHeld();
  assert.equal((await end(location)).status, 404);
});

test('a camera of High profile, offered or not, plays, over a crash of its source too, and closing the connection releases all', async (t) => {
  const page = await play(t, 'high');
  assert.equal((await read(page)).width, 640);
  await lookout.api('POST', '/api/v1/cameras/high/faults', { body: { fault: 'kill-host', target: 'source' } });
  await eventually(async () => (await lookout.camera('high')).restarts > 0, { ...slow, what: 'the crash' });
  await lookout.until('high', 'streaming.live', slow.timeoutMs);
  const { frames } = await read(page);
  await eventually(async () => (await read(page)).frames > frames + 25, { ...slow, what: 'pictures of the next source' });
  await page.evaluate('peer.close()');
  await eventually(async () => await viewersOf('high') === 0, { ...slow, what: 'the viewer to be gone' });
  await nothingHeld();
});

test('an H.265 camera is turned into H.264 for a plain RTCPeerConnection, which decodes it, and for nobody else', async (t) => {
  assert.equal((await lookout.camera('hevc')).outputs.transcode?.state, 'off');
  const page = await play(t, 'hevc');
  const { status, width, location } = await read(page);
  assert.deepEqual([status, width], [201, 640]);
  assert.equal((await lookout.camera('hevc')).outputs.transcode?.state, 'running');
  assert.equal((await end(location)).status, 204);
  await eventually(async () => (await lookout.camera('hevc')).outputs.transcode?.state === 'off', { ...slow, what: 'the transcode to end' });
  await nothingHeld();
});

test('@eyevinn/webrtc-player plays a camera, and its end releases all', async (t) => {
  const page = await browser.context.newPage();
  defer(t, () => page.close());
  await page.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<video muted autoplay playsinline></video>' }));
  await page.goto(`${lookout.url}/blank`);
  await page.evaluate(await eyevinnPlayer());
  await page.evaluate(`(async () => {
    globalThis.player = new Eyevinn.WebRTCPlayer({ video: document.querySelector('video'), type: 'whep', iceServers: [] });
    await player.load(new URL('/whep/main', location.href), '${authorization}');
  })()`);
  const frames = (): Promise<number> => page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames");
  await eventually(async () => await frames() > 25, { ...slow, what: 'a second of pictures' });
  assert.equal(await viewersOf('main'), 1);
  await page.evaluate('player.unload()');
  await nothingHeld();
});

test('a player on GStreamer’s webrtcbin plays a camera and ends its session', async () => {
  const player = join(import.meta.dirname, '..', '..', '..', 'examples', 'whep-client.py');
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [player, `${lookout.url}/whep/main`, '30'], { env: { ...process.env, LOOKOUT_TOKEN: token }, timeout: 60_000 });
  const { frames, ended, error } = JSON.parse(stdout) as { frames: number; ended: number; error: string | null };
  assert.deepEqual([frames >= 30, ended, error], [true, 204, null]);
  await nothingHeld();
});

test('a session ends with the media worker behind it', async (t) => {
  const { location } = await read(await play(t, 'main'));
  await lookout.api('POST', '/api/v1/cameras/main/faults', { body: { fault: 'kill-worker' } });
  await eventually(async () => await viewersOf('main') === 0, { ...slow, what: 'the viewer to be gone' });
  await nothingHeld();
  assert.equal((await end(location)).status, 404);
});
