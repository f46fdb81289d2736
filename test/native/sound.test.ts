/** Sound beside the video: a source's hub of sound, and what recorders and HLS make of it, read by ffprobe and ffmpeg. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { SoundFormat } from '../../src/media.ts';
import type { HostEvent } from '../../src/native/protocol.ts';
import { partFrom, timelineFrom } from '../../src/recordings/reading.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { soundOffsets } from '../support/flash-and-beep.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const run = promisify(execFile);
const aac: SoundFormat = { codec: 'AAC', rate: 16_000, channels: 1, config: '1408' };
const g711 = (codec: 'PCMU' | 'PCMA'): SoundFormat => ({ codec, rate: 8_000, channels: 1, config: null });
const inSyncMs = 80;

type Stream = { codec_name: string; start_time?: string; nb_read_packets?: string };

/** Tracks of a file by codec: when they begin (s), and packets. */
async function tracks(path: string): Promise<Record<string, { start: number; packets: number }>> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-count_packets', '-show_entries', 'stream=codec_name,start_time,nb_read_packets', '-of', 'json', path]);
  const { streams } = JSON.parse(stdout) as { streams: Stream[] };
  return Object.fromEntries(streams.map(({ codec_name, start_time, nb_read_packets }) => [codec_name, { start: Number(start_time), packets: Number(nb_read_packets ?? 0) }]));
}

/** The second segment of an HLS output, with what a player needs before it. */
async function playable({ said, dir }: { said: { events: HostEvent[] }; dir: string }): Promise<string> {
  const { name, map } = said.events.flatMap((event) => (event.type === 'segment.closed' ? [event.segment] : []))[1]!;
  const path = join(dir, `whole-${name.replace('.m4s', '.mp4')}`);
  await writeFile(path, Buffer.concat(await Promise.all([...(map === null ? [] : [map]), name].map((part) => readFile(join(dir, part))))));
  return path;
}

/** A whole recording as one segment of playback, with what a player needs before it. */
async function playableOf(recording: string): Promise<string> {
  const path = `${recording}.mp4`;
  const part = { fromMs: 0, toMs: timelineFrom(recording)!.endMs, baseMs: 0 };
  await writeFile(path, Buffer.concat([partFrom(recording, null)!, partFrom(recording, part)!]));
  return path;
}

/** They wait for seconds to pass, not for the machine. */
describe('sound', { concurrency: 3 }, () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  before(async () => {
    const mount = (name: string, audio: string, video = 'tiny-320x180-main') => ({ name, video, audio });
    simulator = await startSimulator({ mounts: [mount('aac', 'beep-aac'), mount('pcmu', 'beep-pcmu'), mount('pcma', 'beep-pcma', 'hevc-360p'), mount('aac-hevc', 'beep-aac', 'hevc-360p'), mount('quiet', 'beep-aac'), mount('gone', 'beep-aac')] });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  const source = async (name: string, sound: SoundFormat | null, codec: 'H264' | 'H265' = 'H264') => {
    const host = await hosts.pool.take('camera:cam/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url(name), { video: { codec }, sound }) });
    const { hubPort, soundPort } = await said.next('source.started');
    await said.next('source.media');
    return { host, said, hub: { port: hubPort, codec, gopMs: 1_000, sound: sound && soundPort ? { ...sound, port: soundPort } : null } };
  };
  const output = async (t: TestContext, kind: 'record' | 'hls', hub: Awaited<ReturnType<typeof source>>['hub'], segmentMs = 2_000) => {
    const dir = await mkdtemp(join(tmpdir(), `lookout-sound-${kind}-`));
    defer(t, () => rm(dir, { recursive: true, force: true }));
    const host = await hosts.pool.take(`camera:cam/${kind}`);
    const said = record(host);
    const common = { camera: 'cam', hub, dir, segmentMs };
    host.send({ type: 'output.start', spec: kind === 'hls' ? { output: kind, ...common, keep: 100 } : { output: kind, ...common, segmentBytes: 0 } });
    const files = (): string[] => said.events.flatMap((event: HostEvent) => (event.type === 'file.closed' ? [join(dir, event.file.path)] : event.type === 'segment.closed' ? [join(dir, event.segment.name)] : []));
    return {
      said, files, dir,
      async finish() {
        host.send({ type: 'output.finish', drainMs: 0 });
        await said.next('output.finished');
        await host.release();
      },
    };
  };

  for (const { name, sound, codec, names } of [
    { name: 'aac', sound: aac, codec: 'H264', names: ['h264', 'aac'] },
    { name: 'pcmu', sound: g711('PCMU'), codec: 'H264', names: ['h264', 'pcm_mulaw'] },
    { name: 'pcma', sound: g711('PCMA'), codec: 'H265', names: ['hevc', 'pcm_alaw'] },
    { name: 'aac-hevc', sound: aac, codec: 'H265', names: ['hevc', 'aac'] },
  ] as const) {
    test(`files of a camera with ${sound.codec} beside ${codec} hold both, from the same moment on and in step; HLS has what players take`, async (t) => {
      const { host, hub } = await source(name, sound, codec);
      const [recorder, hls] = await Promise.all([output(t, 'record', hub), output(t, 'hls', hub)]);
      await eventually(() => recorder.files().length >= 2 && hls.files().length >= 2, { timeoutMs: 20_000, what: 'files and segments' });
      await Promise.all([recorder.finish(), hls.finish()]);
      await host.release();
      assert.deepEqual([...new Set(recorder.said.events.flatMap((event) => (event.type === 'file.closed' ? [event.file.sound] : [])))], [sound.codec], 'a file says what sound it has');
      // The last one may be short.
      const files = recorder.files().slice(0, -1);
      const offsets: number[] = [];
      for (const [index, file] of files.entries()) {
        const found = await tracks(file);
        assert.deepEqual(Object.keys(found).sort(), names.toSorted());
        const [video, audio] = names.map((each) => found[each]!);
        // The first frame of sound that is not older than the keyframe; of AAC at 16 kHz one lasts 64 ms. At its start a camera may be late with one of its tracks.
        assert.ok(Math.abs(audio!.start - video!.start) <= (index === 0 ? 2 : 0.15), `${file}: sound begins at ${audio!.start}, the video at ${video!.start}`);
        assert.ok(audio!.packets >= (sound.codec === 'AAC' ? 12 : 40), `${audio!.packets} packets of sound`);
        offsets.push(...await soundOffsets(file, codec === 'H264' ? 180 : 360));
      }
      t.diagnostic(`beep after flash, ms: ${offsets.join(' ')}`);
      assert.ok(offsets.length >= 1, 'flashes and beeps were found');
      for (const offset of offsets) assert.ok(Math.abs(offset) <= inSyncMs, `${offset} ms apart`);
      // Live segments, and those that are made of a recording for a player that seeks, have AAC and no G.711.
      const played = [await playable(hls), await playableOf(files[0]!)];
      for (const path of played) {
        assert.deepEqual(Object.keys(await tracks(path)).sort(), [...(sound.codec === 'AAC' ? ['aac'] : []), names[0]].toSorted());
        for (const offset of sound.codec === 'AAC' ? await soundOffsets(path, codec === 'H264' ? 180 : 360) : []) assert.ok(Math.abs(offset) <= inSyncMs, `${offset} ms apart in ${path}`);
      }
    });
  }

  test('sound that stops, and sound that never comes, hold up neither a recording nor HLS', async (t) => {
    await simulator.script('quiet', { media: 'video-only' });
    const { host, hub } = await source('quiet', aac);
    const outputs = [await output(t, 'record', hub, 1_000), await output(t, 'hls', hub, 1_000)];
    await eventually(() => outputs.every(({ files }) => files().length >= 2), { timeoutMs: 20_000, what: 'files without sound' });
    await simulator.script('quiet', { media: 'all' });
    const before = outputs.map(({ files }) => files().length);
    await eventually(() => outputs.every(({ files }, index) => files().length >= before[index]! + 4), { timeoutMs: 20_000, what: 'files with sound' });
    await simulator.script('quiet', { media: 'video-only' });
    const middle = outputs.map(({ files }) => files().length);
    await eventually(() => outputs.every(({ files }, index) => files().length >= middle[index]! + 2), { timeoutMs: 20_000, what: 'files without sound again' });
    await Promise.all(outputs.map(({ finish }) => finish()));
    await host.release();
    for (const { files } of outputs) {
      const packets = await Promise.all(files().map(async (file) => (await tracks(file))['aac']?.packets ?? 0));
      assert.equal(packets[0], 0, `none came: ${packets.join(' ')}`);
      assert.ok(packets.some((count) => count > 10), `it came: ${packets.join(' ')}`);
      for (const file of files()) assert.ok((await tracks(file))['h264']!.packets >= 1);
    }
  });

  test('the end of a camera with sound that never came is heard at once', async () => {
    await simulator.script('gone', { media: 'video-only' });
    const { host, said } = await source('gone', aac);
    await simulator.act('gone', { type: 'close' });
    await eventually(() => said.events.some((event) => event.type === 'source.failed' && ['eos', 'reset'].includes(event.failure.class)), { timeoutMs: 5_000, what: 'the end of the source' });
    await host.release();
  });
});
