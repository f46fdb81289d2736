/** Raw frames and packets of the real program: read by our clients through restarts and crashes, and gone without a trace where they are switched off. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import type { FramesAccessView, PacketsAccessView } from '../../src/api/attach-protocol.ts';
import type { CameraView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { pythonClients, start, type ReaderProcess } from '../support/frame-readers.ts';
import { startGstRtspServer, type GstRtspServer } from '../support/gst-rtsp-server.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { decodes, ffprobe } from '../support/media-file.ts';
import { startSimulator } from '../support/simulator.ts';

const token = { LOOKOUT_TOKEN: 'test-admin-token-of-this-run', PYTHONDONTWRITEBYTECODE: '1' };
const typescriptClients = join(pythonClients, '..', 'typescript');

let dir: string;
let cameras: SimulatorProcess & AsyncDisposable;
let scenes: GstRtspServer;
let lookout: Lookout;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lookout-frames-'));
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }] });
  lookout = await startLookout({ config: { faults: { enabled: true } } });
  await lookout.add({ id: 'gate', url: cameras.url('gate'), outputs: { frames: { mode: 'always', width: 320, height: 180, fps: 10, format: 'I420' } } });
  await lookout.add({ id: 'hevc', url: cameras.url('hevc') });
  scenes = await startGstRtspServer({ mounts: { '/still': 'h264-still', '/ball': 'h264' } });
  for (const id of ['still', 'ball']) await lookout.add({ id, url: scenes.url(`/${id}`), outputs: { frames: { mode: 'always', format: id === 'ball' ? 'RGB' : 'NV12' } } });
  for (const id of ['gate', 'hevc', 'still', 'ball']) await lookout.until(id, 'streaming.live');
});
after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await scenes?.close();
  await cameras?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const python = (t: TestContext, file: string, ...args: string[]): ReaderProcess => start(t, '/usr/bin/python3', [join(pythonClients, file), lookout.url, ...args], token);
const typescript = (t: TestContext, file: string, ...args: string[]): ReaderProcess => start(t, process.execPath, [join(typescriptClients, file), lookout.url, ...args], token);
const frames = (): Promise<FramesAccessView> => lookout.api('GET', '/api/v1/cameras/gate/frames');
const framesAre = (state: string): Promise<CameraView> => eventually(async () => {
  const view = await lookout.camera('gate');
  return view.outputs.frames.state === state ? view : undefined;
}, { timeoutMs: 15_000, what: `frames to be ${state}` }) as Promise<CameraView>;

test('the motion example tells a ball that flies from a picture that stands, in both languages and over both transports', async (t) => {
  const scoresOf = ({ lines }: ReaderProcess): number[] => lines.slice(1, 9).map((line) => (JSON.parse(line) as { motion: number }).motion);
  const [balls, stills] = ['ball', 'still'].map((id) => [python(t, 'motion.py', id, 'shm'), typescript(t, 'motion.ts', id, 'tcp')]) as [ReaderProcess[], ReaderProcess[]];
  await eventually(() => [...balls, ...stills].every(({ lines }) => lines.length > 8), { timeoutMs: 20_000, what: 'eight frames after the first one' });
  for (const reader of stills) assert.deepEqual(scoresOf(reader), Array.from({ length: 8 }, () => 0));
  // The ball has a fiftieth of the picture: it leaves one place and comes to another.
  for (const reader of balls) for (const score of scoresOf(reader)) assert.ok(score > 0.002 && score < 0.1, scoresOf(reader).join(' '));
});

test('readers go on by themselves when the source restarts, and when the host of the output is killed; live is untouched by the latter', async (t) => {
  const readers = [python(t, 'lookout_frames.py', 'gate', 'shm'), typescript(t, 'frames.ts', 'gate', 'tcp')];
  const runsOf = ({ lines }: ReaderProcess): string[] => [...new Set(lines.map((line) => (JSON.parse(line) as { run: string }).run))];
  const inRun = (count: number): Promise<unknown> => eventually(() => readers.every((reader) => runsOf(reader).length >= count), { timeoutMs: 15_000, what: `run ${count} at all readers` });
  await inRun(1);
  const { outputs } = await framesAre('running');
  await eventually(async () => Object.values((await frames()).readers).reduce((sum, count) => sum + count, 0) === 2, { what: 'two readers to be counted' });
  const before = await lookout.camera('gate');
  process.kill(outputs.frames.host!.pid, 'SIGKILL');
  await inRun(2);
  const now = await framesAre('running');
  assert.deepEqual([now.host?.pid, now.since, now.restarts], [before.host?.pid, before.since, before.restarts]);
  assert.equal(now.outputs.frames.lastError?.class, 'host-crash');
  process.kill(now.host!.pid, 'SIGKILL');
  await inRun(3);
  for (const { lines } of readers) assert.deepEqual(JSON.parse(lines.at(-1)!) && Object.entries(JSON.parse(lines.at(-1)!) as object).filter(([key]) => ['format', 'width', 'height', 'bytes'].includes(key)).map(([, value]) => value as unknown).sort(), ['I420', 180, 320, 86_400].sort());
});

for (const { camera, codec, protocol } of [{ camera: 'gate', codec: 'h264', protocol: 'rtp-rfc4571' }, { camera: 'hevc', codec: 'h265', protocol: 'matroska' }] as const) {
  test(`the packets of a camera with ${codec} are recorded from outside, in Python and in TypeScript`, async (t) => {
    const found = await lookout.api<PacketsAccessView>('GET', `/api/v1/cameras/${camera}/packets`);
    assert.deepEqual([found.protocol, found.codec.toLowerCase()], [protocol, codec]);
    const folders = await Promise.all(['python', 'typescript'].map((name) => mkdtemp(join(dir, `${camera}-${name}-`))));
    const recorders = [python(t, 'lookout_packets.py', camera, folders[0]!, '3'), typescript(t, 'packets.ts', camera, folders[1]!, '3')];
    await eventually(() => recorders.every(({ lines }) => lines.length > 0), { timeoutMs: 15_000, what: 'both recordings' });
    for (const [index, folder] of folders.entries()) {
      const [name, ...more] = await readdir(folder);
      assert.deepEqual(more, []);
      const path = join(folder, name!);
      assert.equal(recorders[index]!.lines[0], path);
      const probed = await ffprobe(path);
      assert.deepEqual([probed.codec, probed.width, probed.firstIsKeyframe, probed.start], [codec === 'h264' ? 'h264' : 'hevc', found.width, true, 0]);
      assert.ok(probed.frames > 40, `${probed.frames} frames`);
      // Times are those of arrival, which a busy machine makes uneven: that nothing is missing shows over the whole.
      const due = Math.round(probed.times.at(-1)! * 25) + 1;
      assert.ok(Math.abs(probed.frames - due) <= 6, `${probed.frames} frames in the time of ${due}`);
      await decodes(path, codec);
    }
  });
}

test('frames that are switched off leave no socket, no memory and no host behind, and say so', async () => {
  const { sharedMemory: { socket } } = await frames();
  const ours = async (): Promise<string[]> => (await readdir('/dev/shm')).filter((name) => `/dev/shm/${name}`.startsWith(socket.replace(/sock$/u, '')));
  assert.ok((await ours()).length > 1);
  await lookout.api('PATCH', '/api/v1/cameras/gate', { body: { outputs: { frames: { mode: 'off' } } } });
  await framesAre('off');
  assert.deepEqual(await ours(), []);
  assert.equal((await lookout.api<{ code: string }>('GET', '/api/v1/cameras/gate/frames', { expect: 409 })).code, 'LOOKOUT_FRAMES_OFF');
  const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: `Bearer ${token.LOOKOUT_TOKEN}` } })).text();
  assert.match(metrics, /vms_media_output_state\{camera="gate",output="frames",state="off"\} 1/u);
  assert.match(metrics, /^vms_media_orphans 0$/mu);
  await lookout.api('POST', '/api/v1/cameras/hevc/stop');
  await lookout.until('hevc', 'stopped');
  assert.equal((await lookout.api<{ code: string }>('GET', '/api/v1/cameras/hevc/packets', { expect: 503 })).code, 'LOOKOUT_NOT_LIVE');
});
