/** The full probe against real streams: what was seen, what each path can carry, and what was refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { ProbeReport } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const probe = (mount: string, seconds = 2): Promise<ProbeReport> => lookout.api('POST', '/api/v1/probe', { body: { url: cameras.url(mount), seconds } });

before(async () => {
  cameras = await startSimulator({
    mounts: [
      { name: 'main', video: 'parking-360p-main', audio: 'beep-pcmu' },
      { name: 'bframes', video: 'bframes-360p-high' },
      { name: 'hevc', video: 'hevc-360p' },
      { name: 'mpeg4', video: 'mpeg4-360p' },
      { name: 'locked', video: 'parking-360p-main', auth: { scheme: 'digest-md5', credentials: { username: 'u', password: 'right' } } },
    ],
  });
  lookout = await startLookout();
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

test('an H.264 main camera: profile, size, rate, GOP, audio, no B-frames, and every path can carry it', async () => {
  const report = await probe('main', 6);
  assert.equal(report.media?.codec, 'H264');
  assert.equal(report.media?.profile, 'main');
  assert.deepEqual([report.media?.width, report.media?.height], [640, 360]);
  assert.ok(report.media?.fps && Math.abs(report.media.fps - 25) < 2, `fps ${report.media?.fps}`);
  assert.ok(report.gopMs && Math.abs(report.gopMs - 2_000) < 100, `gop ${report.gopMs}`);
  assert.equal(report.media?.audio?.codec, 'PCMU');
  assert.equal(report.bFrames, false);
  for (const [path, verdict] of Object.entries(report.verdicts)) assert.equal(verdict.ok, true, path);
  await isPicture(report);
});

test('B-frames are seen, and the verdict on WebRTC says so', async () => {
  const report = await probe('bframes');
  assert.equal(report.bFrames, true);
  assert.equal(report.verdicts.webrtc.ok, false);
  assert.match(report.verdicts.webrtc.why, /B-frames/u);
  assert.equal(report.verdicts.recording.ok, true);
});

test('H.265 is recorded and served over HLS, and over WebRTC only as a transcode', async () => {
  const report = await probe('hevc', 4);
  assert.equal(report.media?.codec, 'H265');
  assert.equal(report.media?.profileLevelId, null);
  assert.equal(report.verdicts.webrtc.ok, false);
  assert.equal(report.verdicts.hls.ok, true);
  assert.match(report.verdicts.transcode?.why ?? '', /H\.264 of 640 × 360/u);
  assert.equal(report.bFrames, false);
  await isPicture(report);
});

test('where no keyframe comes the probe tells the rest, without a picture', async () => {
  await cameras.script('main', { keyframes: false });
  const { media, picture } = await probe('main', 0.5);
  assert.deepEqual([media?.codec, picture], ['H264', null]);
  await cameras.script('main', { keyframes: true });
});

test('a camera without a track we can carry is told apart from one that cannot be reached', async () => {
  const report = await probe('mpeg4');
  assert.equal(report.media, null);
  assert.equal(report.picture, null);
  assert.equal(report.verdicts.recording.ok, false);
});

test('a wrong password is answered with the refusal, and the password is in no line of the log', async () => {
  const url = cameras.url('locked').replace('right', 'wr0ng-pass');
  const { code, message } = await lookout.api<{ code: string; message: string }>('POST', '/api/v1/probe', { body: { url }, expect: 502 });
  assert.equal(code, 'LOOKOUT_PROBE_FAILED');
  assert.match(message, /401|password|credentials/iu);
  assert.ok(!lookout.lines.some((line) => line.includes('wr0ng-pass')));
});

test('after the probes no host of theirs is left', async () => {
  const hosts = async () => (await lookout.children()).filter(({ command }) => command.includes('host-main'));
  await eventually(async () => (await hosts()).length <= 1, { timeoutMs: 10_000, what: 'the warm spare at most' });
});

/** A JPEG that ffmpeg decodes, of the size it says, small, and not one colour. */
async function isPicture({ picture }: ProbeReport): Promise<void> {
  assert.ok(picture, 'a picture');
  const jpeg = Buffer.from(picture.jpeg, 'base64');
  assert.ok(jpeg.length < 200_000, `${jpeg.length} bytes`);
  const decoded = spawnSync('ffmpeg', ['-loglevel', 'error', '-i', '-', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], { input: jpeg });
  assert.equal(decoded.status, 0, String(decoded.stderr));
  assert.deepEqual([picture.width, picture.height, decoded.stdout.length], [480, 270, 480 * 270]);
  assert.ok(new Set(decoded.stdout).size > 50, 'it shows something');
}
