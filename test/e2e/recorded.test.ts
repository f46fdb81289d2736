/** What the real program makes of its recordings: exports and playlists, frame by frame what they held, as ffprobe, GStreamer and a browser read them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import HLS from 'hls-parser';
import type { ExportView, RecordingView } from '../../src/api/protocol.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { decodes, ffprobe, type ProbedFile } from '../support/media-file.ts';
import { recordCameras, type Recorded } from '../support/recorded.ts';
import { openBrowser } from './page/browser.ts';

const run = promisify(execFile);
const headers = { authorization: 'Bearer test-admin-token-of-this-run' };
const frameMs = 40;
let recorded: Recorded;

before(async () => {
  recorded = await recordCameras();
});
after(async () => {
  await recorded?.[Symbol.asyncDispose]();
});

const pathOf = ({ path }: RecordingView): string => join(recorded.lookout.dataDir, 'recordings', path);
/** What each packet holds, in the order of the file. */
const packets = async (path: string): Promise<string[]> => (await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_packets', '-show_entries', 'packet=data_hash', '-show_data_hash', 'md5', '-of', 'csv=p=0', path], { maxBuffer: 16_000_000 })).stdout.trim().split('\n');

async function exported(body: object): Promise<ExportView> {
  const { lookout } = recorded;
  const { id } = await lookout.api<ExportView>('POST', '/api/v1/exports', { body });
  return await eventually(async () => {
    const now = await lookout.api<ExportView>('GET', `/api/v1/exports/${id}`);
    return ['done', 'failed'].includes(now.state) ? now : undefined;
  }, { timeoutMs: 20_000, what: 'the export to end' }) as ExportView;
}

async function download(t: TestContext, { id, format }: ExportView): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lookout-export-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  const path = join(dir, `export.${format}`);
  await writeFile(path, Buffer.from(await (await fetch(`${recorded.lookout.url}/api/v1/exports/${id}/file`, { headers })).arrayBuffer()));
  return path;
}

/** The recordings of a camera and what is in them; read once. */
const held = new Map<string, Promise<{ files: RecordingView[]; sources: ProbedFile[]; packets: string[] }>>();
function heldBy(camera: string): Promise<{ files: RecordingView[]; sources: ProbedFile[]; packets: string[] }> {
  const known = held.get(camera) ?? recorded.files(camera).then(async (files) => ({
    files,
    sources: await Promise.all(files.map((file) => ffprobe(pathOf(file)))),
    packets: (await Promise.all(files.map((file) => packets(pathOf(file))))).flat(),
  }));
  held.set(camera, known);
  return known;
}

for (const [camera, codec, ...formats] of [['gate', 'h264', 'mp4', 'mkv'], ['hevc', 'h265', 'mp4', 'mkv'], ['bframes', 'h264', 'mp4']] as const) {
  for (const format of formats) {
    test(`${camera} as ${format} holds every frame of its recordings as it is, on one time line that grows`, async (t) => {
      const { files, sources, packets: wanted } = await heldBy(camera);
      assert.ok(files.length >= 2);
      const made = await exported({ camera, from: files[0]!.startAt, to: files.at(-1)!.endAt!, format });
      assert.deepEqual([made.state, made.error, made.progress], ['done', null, 1]);
      const path = await download(t, made);
      const probed = await ffprobe(path);
      assert.deepEqual(await packets(path), wanted, `byte for byte: ${JSON.stringify({ made, files }, null, 1)}`);
      assert.deepEqual([probed.codec, probed.width, probed.frames, probed.frames, probed.keyframes], [sources[0]!.codec, sources[0]!.width, made.frames, sources.reduce((sum, { frames }) => sum + frames, 0), sources.reduce((sum, { keyframes }) => sum + keyframes, 0)]);
      assert.ok(probed.firstIsKeyframe && Math.abs(probed.start) * 1_000 <= frameMs, `starts at ${probed.start}`);
      // Frames are stamped when they arrive: of those that were sent out of order and read at once, two may be shown in one ms.
      for (const [index, time] of probed.times.slice(1).entries()) assert.ok(time > probed.times[index]! || (camera === 'bframes' && time === probed.times[index]), `${time} after ${probed.times[index]}`);
      assert.ok(Math.abs(probed.duration! * 1_000 - made.durationMs!) < frameMs, `${probed.duration} s, told ${made.durationMs} ms`);
      const recordedMs = files.reduce((sum, { durationMs }) => sum + durationMs, 0);
      assert.ok(Math.abs(made.durationMs! - recordedMs) <= files.length * frameMs, `${made.durationMs} ms of ${recordedMs} ms`);
      await decodes(path, codec, format === 'mp4' ? 'qtdemux' : 'matroskademux');
      if (camera !== 'gate') return assert.deepEqual(made.gaps, []);
      const next = files.find(({ gapBefore }) => gapBefore !== null)!;
      assert.equal(made.gaps.length, 1);
      const [{ to, durationMs, atMs }] = made.gaps as [ExportView['gaps'][0]];
      assert.ok(Math.abs(Date.parse(to) - Date.parse(next.startAt)) <= 1 && Math.abs(durationMs - next.gapBefore!.durationMs) <= frameMs);
      assert.ok(probed.times.some((time) => Math.abs(time * 1_000 - atMs) <= frameMs), 'the film goes on where the gap is said to be');
    });
  }
}

test('it begins with the keyframe at or before the moment asked for, and ends with the last frame before the other', async (t) => {
  const [file] = await recorded.files('gate');
  const startAt = Date.parse(file!.startAt);
  const made = await exported({ camera: 'gate', from: new Date(startAt + 1_500).toISOString(), to: new Date(startAt + 1_900).toISOString() });
  const path = await download(t, made);
  const { times, firstIsKeyframe } = await ffprobe(path);
  assert.ok(firstIsKeyframe && Date.parse(made.startAt!) <= startAt + 1_500 && Date.parse(made.startAt!) > startAt, made.startAt!);
  assert.ok(Math.abs(Date.parse(made.startAt!) + times.at(-1)! * 1_000 - (startAt + 1_900 - frameMs / 2)) <= 2 * frameMs, 'up to the end');
  assert.deepEqual(made.gaps, []);
});

test('a time without recordings is a 404; a removed export is gone from the disk', async () => {
  const { lookout } = recorded;
  const ask = (body: object) => fetch(`${lookout.url}/api/v1/exports`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const none = await ask({ camera: 'gate', from: '2020-01-01T00:00:00Z', to: '2020-01-01T01:00:00Z' });
  assert.deepEqual([none.status, (await none.json() as { code: string }).code], [404, 'LOOKOUT_RECORDING_NOT_FOUND']);
  const { exports } = await lookout.api<{ exports: ExportView[] }>('GET', '/api/v1/exports');
  for (const { id } of exports) await lookout.api('DELETE', `/api/v1/exports/${id}`);
  assert.deepEqual(await readdir(join(lookout.dataDir, 'exports')), []);
});

const token = 'token=test-admin-token-of-this-run';
const spanOf = async (camera: string): Promise<{ files: RecordingView[]; url: string }> => {
  const files = await recorded.files(camera);
  return { files, url: `${recorded.lookout.url}/hls/${camera}/recorded.m3u8?from=${files[0]!.startAt}&to=${files.at(-1)!.endAt}&${token}` };
};

test('a playlist of a span lists everything recorded, with the time of each segment and a discontinuity at the gap', async () => {
  const { files, url } = await spanOf('gate');
  const response = await fetch(url);
  assert.equal(response.status, 200);
  const list = HLS.parse(await response.text()) as HLS.types.MediaPlaylist;
  assert.deepEqual([list.playlistType, list.endlist, list.segments.filter(({ discontinuity }) => discontinuity).length], ['VOD', true, 1]);
  const gap = list.segments.find(({ discontinuity }) => discontinuity)!;
  assert.equal(gap.programDateTime!.toISOString(), files.find(({ gapBefore }) => gapBefore !== null)!.startAt);
  assert.equal(list.segments[0]!.programDateTime!.toISOString(), files[0]!.startAt);
  assert.ok(list.segments.every(({ duration }) => Math.round(duration) <= list.targetDuration));
  const total = list.segments.reduce((sum, { duration }) => sum + duration * 1_000, 0);
  assert.ok(Math.abs(total - files.reduce((sum, { durationMs }) => sum + durationMs, 0)) <= files.length * frameMs, `${total} ms`);
  const segment = new URL(list.segments[0]!.uri, url);
  assert.equal((await fetch(segment)).status, 200);
  assert.equal((await fetch(`${segment.origin}${segment.pathname}`)).status, 401);
  assert.equal((await fetch(`${recorded.lookout.url}/hls/gate/recorded/${files[0]!.id}/1-2-3.m4s?${token}`)).status, 404);
  assert.equal((await fetch(`${recorded.lookout.url}/hls/hevc/recorded/${files[0]!.id}/init.mp4?${token}`)).status, 404, 'of another camera');
});

for (const camera of ['gate', 'hevc', 'bframes']) {
  test(`ffmpeg gets every frame of ${camera} out of the playlist`, async () => {
    const { url } = await spanOf(camera);
    const { sources } = await heldBy(camera);
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-count_packets', '-show_entries', 'stream=nb_read_packets,codec_name', '-of', 'json', url], { timeout: 40_000 });
    const { streams: [stream] } = JSON.parse(stdout) as { streams: { nb_read_packets: string; codec_name: string }[] };
    assert.deepEqual([stream?.codec_name, Number(stream?.nb_read_packets)], [sources[0]!.codec, sources.reduce((sum, { frames }) => sum + frames, 0)]);
  });
}

test('hls.js in Chromium plays the recordings, and seeks to what is behind the gap', async (t) => {
  const { lookout } = recorded;
  const { url } = await spanOf('gate');
  const browser = await openBrowser();
  defer(t, () => browser.close());
  const page = await browser.context.newPage();
  await page.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<video muted autoplay></video>' }));
  await page.goto(`${lookout.url}/blank`);
  await page.addScriptTag({ path: join(import.meta.dirname, '..', '..', 'node_modules/hls.js/dist/hls.min.js') });
  await page.evaluate(`
    globalThis.fatal = [];
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && fatal.push(data.details));
    hls.loadSource(${JSON.stringify(url)});
    hls.attachMedia(document.querySelector('video'));
  `);
  const state = async (): Promise<{ time: number; duration: number; width: number; frames: number; fatal: string[] }> => page.evaluate('(() => { const v = document.querySelector("video"); return { time: v.currentTime, duration: v.duration, width: v.videoWidth, frames: v.getVideoPlaybackQuality().totalVideoFrames, fatal }; })()');
  await eventually(async () => (await state()).frames > 10, { timeoutMs: 20_000, what: 'the first pictures' });
  const { duration, width, frames } = await state();
  assert.equal(width, 320);
  await page.evaluate(`document.querySelector("video").currentTime = ${duration - 2}`);
  await eventually(async () => (await state()).frames > frames + 10 && (await state()).time > duration - 2, { timeoutMs: 20_000, what: 'pictures of the end' });
  assert.deepEqual((await state()).fatal, []);
});
