/** Sound in exports: real recordings with AAC and G.711, over a seam between two files, as two demuxers that are not ours read them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startExport, type ExportEvent, type ExportPlan } from '../../src/recordings/exporter.ts';
import { temporaryDir } from '../support/api.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { HostEvent } from '../../src/native/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { ffprobe } from '../support/media-file.ts';
import { packetsOf } from '../support/media-packets.ts';
import { startSimulator } from '../support/simulator.ts';

const hosts = startPool();
const sounds = {
  AAC: { codec: 'AAC', rate: 16_000, channels: 1, config: '1408', clip: 'beep-aac', frameMs: 64 },
  PCMU: { codec: 'PCMU', rate: 8_000, channels: 1, config: null, clip: 'beep-pcmu', frameMs: 20 },
} as const;
let simulator: SimulatorProcess;
before(async () => {
  simulator = await startSimulator({ mounts: Object.entries(sounds).map(([name, { clip }]) => ({ name: name.toLowerCase(), video: 'tiny-320x180-main', audio: clip })) });
});
after(async () => {
  await hosts.close();
  await simulator.close();
});

type Closed = Extract<HostEvent, { type: 'file.closed' }>['file'];

/** Two files of 2 s, as a recorder makes them. */
async function recordTwo(dir: string, name: keyof typeof sounds): Promise<Closed[]> {
  const { clip, frameMs, ...sound } = sounds[name];
  const source = await hosts.pool.take(`camera:${name}/source`);
  const said = record(source);
  source.send({ type: 'source.start', spec: sourceSpec(simulator.url(name.toLowerCase()), { sound }) });
  const { hubPort, soundPort } = await said.next('source.started');
  const recorder = await hosts.pool.take(`camera:${name}/record`);
  const told = record(recorder);
  recorder.send({ type: 'output.start', spec: { output: 'record', camera: 'cam', dir, segmentMs: 2_000, segmentBytes: 0, hub: { port: hubPort, codec: 'H264', gopMs: 1_000, sound: { ...sound, port: soundPort! } } } });
  const files = (): Closed[] => told.events.flatMap((event) => (event.type === 'file.closed' ? [event.file] : []));
  await eventually(() => files().length >= 2, { timeoutMs: 30_000, what: 'two files' });
  await Promise.all([recorder.kill(), source.kill()]);
  return files().slice(0, 2);
}

async function exported(dir: string, files: readonly Closed[], format: 'mp4' | 'mkv'): Promise<{ path: string; plan: ExportPlan }> {
  const target = join(dir, `export.${format}`);
  const events: ExportEvent[] = [];
  const alive = setInterval(() => undefined, 1_000);
  await startExport({ files: files.map(({ path, startAt }) => ({ path: join(dir, path), startAt })), from: files[0]!.startAt, to: files[0]!.startAt + 60_000, format, target, minFreeBytes: 0 }, (event) => void events.push(event)).ended;
  clearInterval(alive);
  const [planned] = events;
  assert.ok(planned?.type === 'planned' && events.at(-1)?.type === 'done', JSON.stringify(events));
  return { path: target, plan: planned.plan };
}

describe('an export', () => {
  for (const name of ['AAC', 'PCMU'] as const) {
    test(`of a camera with ${name} carries its sound where the container takes it, in step with the picture, and says so where it does not`, async (t) => {
      const dir = await temporaryDir(t);
      const files = await recordTwo(dir, name);
      const recorded = (await Promise.all(files.map(async ({ path }) => (await packetsOf(await readFile(join(dir, path)))))));
      for (const format of ['mkv', 'mp4'] as const) {
        const { path, plan } = await exported(dir, files, format);
        const bytes = await readFile(path);
        assert.equal(bytes.length, plan.bytes);
        const { video, audio } = await packetsOf(bytes);
        const probed = await ffprobe(path);
        assert.deepEqual([video.length, probed.frames, video[0]!.key, Math.round(probed.start * 1_000)], [plan.frames, plan.frames, true, 0]);
        assert.ok(Math.abs(probed.duration! * 1_000 - plan.durationMs) < 120, `${probed.duration} s for ${plan.durationMs} ms`);
        if (format === 'mp4' && name === 'PCMU') {
          assert.deepEqual([audio, plan.sound], [null, { codec: 'PCMU', included: false, reason: 'MP4 has no PCMU: its sound is left out. Matroska (mkv) takes it as it is.' }]);
          continue;
        }
        assert.deepEqual(plan.sound, { codec: name, included: true, reason: null });
        const due = recorded.reduce((sum, file) => sum + file.audio!.length, 0);
        assert.ok(audio!.length > due - 6 && audio!.length <= due, `${audio!.length} of ${due} pieces of sound`);
        const before = recorded[0]!.audio!.find(({ time }) => time >= 0)!;
        assert.ok(Math.abs(audio![0]!.time - before.time) < 0.002, `the first sound at ${audio![0]!.time} s was recorded at ${before.time} s`);
        const off = audio!.slice(1).map(({ time }, index) => Math.abs((time - audio![index]!.time) * 1_000 - sounds[name].frameMs));
        assert.ok(audio!.every(({ time }, index) => index === 0 || time > audio![index - 1]!.time) && off.filter((ms) => ms > 30).length <= 2, `sound ${off.map(Math.round).join()} ms off`);
        assert.ok(Math.abs(audio!.at(-1)!.time - video.at(-1)!.time) < 0.3);
      }
    });
  }
});
