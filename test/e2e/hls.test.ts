/** HLS of the real program: read by a parser, a browser, ffmpeg and GStreamer, through restarts and crashes that nobody who watches may notice twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import HLS from 'hls-parser';
import type { CameraView } from '../../src/api/protocol.ts';
import type { CameraInput } from '../../src/camera-config.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { openBrowser } from './page/browser.ts';

type Media = HLS.types.MediaPlaylist;

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');
const headers = { authorization: 'Bearer test-admin-token-of-this-run' };
const quick = { hls: { segmentSeconds: 1, segments: 4, idleSeconds: 5 }, faults: { enabled: true } };
let cameras: SimulatorProcess & AsyncDisposable;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }, { name: 'bframes', video: 'bframes-360p-high' }] });
});
after(async () => {
  await cameras?.[Symbol.asyncDispose]();
});

async function program(t: TestContext, camera: Omit<CameraInput, 'url'> = {}, mount = 'gate'): Promise<Lookout> {
  const lookout = await startLookout({ config: quick });
  defer(t, () => lookout[Symbol.asyncDispose]());
  await lookout.add({ id: 'cam', url: cameras.url(mount), ...camera });
  await lookout.until('cam', 'streaming.live');
  return lookout;
}

const address = (lookout: Lookout, query = ''): string => `${lookout.url}/hls/cam/index.m3u8${query}`;

/** The playlist of now; undefined while the camera has none. */
async function fetchPlaylist(lookout: Lookout): Promise<Media | undefined> {
  const response = await fetch(address(lookout), { headers });
  if (response.status === 503) return undefined;
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/vnd\.apple\.mpegurl/u);
  return HLS.parse(await response.text()) as Media;
}

/** Fetches until the playlist is as wanted; every one seen on the way goes on from the one before. */
async function follow(lookout: Lookout, seen: Map<number, string>, wanted: (playlist: Media) => boolean, what: string): Promise<Media> {
  return await eventually(async () => {
    const playlist = await fetchPlaylist(lookout);
    if (playlist === undefined) return undefined;
    for (const { mediaSequenceNumber, uri, duration } of playlist.segments) {
      assert.equal(seen.get(mediaSequenceNumber) ?? uri, uri, 'a number means one segment for good');
      seen.set(mediaSequenceNumber, uri);
      assert.ok(Math.round(duration) <= playlist.targetDuration, `${duration} s of at most ${playlist.targetDuration}`);
    }
    return wanted(playlist) ? playlist : undefined;
  }, { timeoutMs: 30_000, what }) as Media;
}

const hlsIs = (lookout: Lookout, state: string): Promise<CameraView> => eventually(async () => {
  const view = await lookout.camera('cam');
  return view.outputs.hls.state === state ? view : undefined;
}, { timeoutMs: 30_000, what: `HLS to be ${state}` }) as Promise<CameraView>;

test('HLS begins with the first request, numbers its segments without a break through crashes and restarts, and ends when nobody asks', async (t) => {
  const lookout = await program(t);
  const was = await lookout.camera('cam');
  assert.deepEqual([was.outputs.hls.state, was.outputs.hls.host], ['off', null]);
  const seen = new Map<number, string>();
  const first = await follow(lookout, seen, ({ segments }) => segments.length === 4, 'a full window');
  assert.ok(first.segments.every(({ discontinuity, programDateTime }) => !discontinuity && Math.abs(Date.now() - programDateTime!.getTime()) < 60_000));
  for (const [index, { programDateTime, duration }] of first.segments.entries()) {
    const next = first.segments[index + 1]?.programDateTime;
    if (next) assert.ok(Math.abs(next.getTime() - programDateTime!.getTime() - duration * 1_000) < 100);
  }
  const running = await hlsIs(lookout, 'running');
  assert.ok(running.outputs.hls.host!.pid !== running.host!.pid);

  await lookout.api('POST', '/api/v1/cameras/cam/faults', { body: { fault: 'kill-host', target: 'hls' } });
  const mended = await follow(lookout, seen, ({ segments }) => segments.some(({ discontinuity }) => discontinuity), 'a segment of the next host');
  const after = await lookout.camera('cam');
  assert.deepEqual([after.host?.pid, after.since, after.restarts, after.outputs.hls.lastError?.class], [was.host?.pid, was.since, was.restarts, 'host-crash'], 'the camera heard nothing');

  await lookout.api('POST', '/api/v1/cameras/cam/faults', { body: { fault: 'kill-host', target: 'source' } });
  const sessions = new Set(mended.segments.map(({ uri }) => uri.split('/')[0]));
  const later = await follow(lookout, seen, ({ segments }) => segments.some(({ uri, discontinuity }) => discontinuity && !sessions.has(uri.split('/')[0])), 'a segment of the next source');
  assert.ok(later.discontinuitySequenceBase! > first.discontinuitySequenceBase! || later.segments.filter(({ discontinuity }) => discontinuity).length >= 1);
  const numbers = [...seen.keys()].sort((a, b) => a - b);
  assert.equal(numbers.at(-1)! - numbers[0]!, numbers.length - 1, 'no number was left out');

  await hlsIs(lookout, 'off');
  await eventually(async () => (await readdir(join(lookout.dataDir, 'hls'))).length === 0, { timeoutMs: 15_000, what: 'its folders to be removed' });
  const again = await follow(lookout, seen, ({ segments }) => segments.length > 0, 'the output to begin again');
  assert.ok(again.mediaSequenceBase! > Math.max(...later.segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber)));
});

test('a token in the address opens the playlist and every URI in it; without one there is nothing', async (t) => {
  const lookout = await program(t);
  const text = await (await fetch(address(lookout, '?token=test-admin-token-of-this-run'))).text();
  const [segment] = (HLS.parse(text) as Media).segments;
  assert.equal((await fetch(new URL(segment!.uri, address(lookout)))).status, 200);
  assert.equal((await fetch(new URL(segment!.uri.split('?')[0]!, address(lookout)))).status, 401);
  assert.equal((await fetch(address(lookout))).status, 401);
  assert.equal((await fetch(address(lookout, '?token=wrong'))).status, 401);
  assert.equal((await fetch(`${lookout.url}/api/v1/cameras?token=test-admin-token-of-this-run`)).status, 401, 'nowhere else');
  assert.ok(!lookout.lines.some((line) => line.includes('token=test-admin')));
  await lookout.api('PATCH', '/api/v1/cameras/cam', { body: { outputs: { hls: { mode: 'off' } } } });
  const refused = await fetch(address(lookout), { headers });
  assert.deepEqual([refused.status, (await refused.json() as { code: string }).code], [409, 'LOOKOUT_HLS_OFF']);
});

type Playing = { frames: number; width: number; time: number; fatal: string[] };

/** Plays the camera by hls.js in Chromium, until two seconds of it were seen. */
async function playWithHlsJs(t: TestContext, lookout: Lookout): Promise<() => Promise<Playing>> {
  const browser = await openBrowser();
  defer(t, () => browser.close());
  const page = await browser.context.newPage();
  // A document of the same origin without the page's own script; its policy does not bind what the test brings along.
  await page.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<video muted autoplay></video>' }));
  await page.goto(`${lookout.url}/blank`);
  await page.addScriptTag({ path: join(repository, 'node_modules/hls.js/dist/hls.min.js') });
  await page.evaluate(`
    globalThis.fatal = [];
    const hls = new Hls({ liveSyncDurationCount: 2 });
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && fatal.push(data.details));
    hls.loadSource('/hls/cam/index.m3u8?token=test-admin-token-of-this-run');
    hls.attachMedia(document.querySelector('video'));
  `);
  const playing = async (): Promise<Playing> => page.evaluate('(() => { const v = document.querySelector("video"); return { frames: v.getVideoPlaybackQuality().totalVideoFrames, width: v.videoWidth, time: v.currentTime, fatal }; })()');
  await eventually(async () => (await playing()).frames > 50, { timeoutMs: 30_000, what: 'two seconds of video' });
  return playing;
}

test('hls.js in Chromium plays an H.264 camera, and goes on over a restart of its source', async (t) => {
  const lookout = await program(t, { outputs: { hls: { mode: 'always' } } });
  const playing = await playWithHlsJs(t, lookout);
  assert.equal((await playing()).width, 320);
  await lookout.api('POST', '/api/v1/cameras/cam/faults', { body: { fault: 'kill-host', target: 'source' } });
  await eventually(async () => (await fetchPlaylist(lookout))?.segments.some(({ discontinuity }) => discontinuity), { timeoutMs: 30_000, what: 'the next source in the playlist' });
  const { frames } = await playing();
  await eventually(async () => (await playing()).frames > frames + 150, { timeoutMs: 60_000, what: 'six seconds more, which reach over the restart' });
  assert.deepEqual((await playing()).fatal, []);
});

test('hls.js in Chromium plays an H.264 camera with B-frames', async (t) => {
  const lookout = await program(t, { outputs: { hls: { mode: 'always' } } }, 'bframes');
  const { width, fatal } = await (await playWithHlsJs(t, lookout))();
  assert.deepEqual([width, fatal], [640, []]);
});

test('an H.265 camera is offered as fragmented MP4, which ffmpeg and GStreamer play', async (t) => {
  const lookout = await program(t, { outputs: { hls: { mode: 'always' } } }, 'hevc');
  const playlist = await follow(lookout, new Map(), ({ segments }) => segments.length >= 3, 'three segments');
  assert.ok(playlist.segments.every(({ uri }) => uri.endsWith('.m4s')) && playlist.segments[0]!.map?.uri.endsWith('.mp4'));
  const source = address(lookout, '?token=test-admin-token-of-this-run');
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=codec_name,width', '-read_intervals', '%+2', '-show_packets', '-of', 'json', source], { timeout: 40_000, maxBuffer: 16_000_000 });
  const probed = JSON.parse(stdout) as { streams: { codec_name: string; width: number }[]; packets: { pts_time: string; flags: string }[] };
  assert.deepEqual([probed.streams[0]?.codec_name, probed.streams[0]?.width], ['hevc', 640]);
  const times = probed.packets.map(({ pts_time: time }) => Number(time));
  assert.ok(times.length >= 40 && times.slice(1).every((time, index) => time > times[index]!));
  // A live playlist never ends: the error after so many decoded frames, more than one segment holds, is the success.
  const ended = run('gst-launch-1.0', ['-q', 'souphttpsrc', `location=${source}`, '!', 'hlsdemux', '!', 'qtdemux', '!', 'h265parse', '!', 'avdec_h265', 'max-threads=1', '!', 'identity', 'error-after=60', '!', 'fakesink', 'sync=false'], { timeout: 60_000 });
  await assert.rejects(ended, /Failed after iterations as requested/u);
});
