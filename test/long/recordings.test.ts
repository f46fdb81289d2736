/**
 * Recordings of eight cameras for ten minutes (`LOOKOUT_RECORD_SECONDS` for another time), held against what the cameras sent, frame by
 * frame: none lost, none twice, times that only grow, starts by the camera's own clock. Read by ffprobe, gst-discoverer and Mediabunny.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordingView } from '../../src/api/protocol.ts';
import { readClip } from '../../src/camera-sim/clip.ts';
import { parseRecordingPath } from '../../src/recordings/names.ts';
import { eventually } from '../support/eventually.ts';
import { besides, breaks, captureClock, framesOf, identifyFrames } from '../support/frame-identity.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { discover, ffprobe } from '../support/media-file.ts';
import { packetsOf } from '../support/media-packets.ts';
import { startSimulator } from '../support/simulator.ts';

const seconds = Number(process.env['LOOKOUT_RECORD_SECONDS'] ?? 600);
const ids = Array.from({ length: 8 }, (_, index) => `cam${index + 1}`);
const video = 'street-720p-main';
const frameMs = 40;
/** A file ends with what its last cluster has: sound may reach past the last picture, by one unit of AAC. */
const soundMs = 64;
const startMs = 100;
const frames = identifyFrames(readClip(join(import.meta.dirname, '..', '..', 'assets', 'clips', `${video}.clip`)));

/** The files of a camera, oldest first, once all are closed. */
const closedFiles = (lookout: Lookout, id: string) => eventually(async () => {
  const all = (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${id}&limit=1000`)).recordings.toReversed();
  return all.every(({ closed }) => closed) ? all : undefined;
}, { timeoutMs: 30_000, what: `all files of ${id} to be closed` }) as Promise<RecordingView[]>;

/** What three readers, none of them ours, make of a file; the clip's numbers of its frames. */
async function readFileOf(dir: string, file: RecordingView): Promise<number[]> {
  const path = join(dir, file.path);
  const bytes = await readFile(path);
  const [probed, discovered, parsed] = [await ffprobe(path), await discover(path), await packetsOf(bytes)];
  assert.deepEqual([probed.frames, parsed.video.length, probed.firstIsKeyframe, parsed.video[0]?.key], [file.frames, file.frames, true, true], file.path);
  assert.ok(parsed.video.every(({ time }, nth) => nth === 0 || time > parsed.video[nth - 1]!.time), `${file.path}: times of pictures that do not grow`);
  assert.ok(parsed.audio?.every(({ time }, nth, all) => nth === 0 || time > all[nth - 1]!.time), `${file.path}: times of sound that do not grow`);
  assert.ok(probed.start >= 0 && probed.start * 1_000 <= frameMs, `${file.path} begins at ${probed.start} s`);
  assert.ok(Math.abs(file.durationMs - file.frames * frameMs) <= frameMs, `${file.path}: ${file.frames} frames in ${file.durationMs} ms`);
  for (const [reader, ms] of [['ffprobe', probed.duration! * 1_000], ['gst-discoverer', discovered.durationMs]] as const) {
    assert.ok(Math.abs(ms - file.durationMs) <= frameMs + soundMs, `${file.path}: ${reader} says ${ms} ms, the index ${file.durationMs}`);
  }
  assert.equal(discovered.seekable, true);
  assert.deepEqual(discovered.streams.map((stream) => stream.split(' ')[0]).toSorted(), ['audio', 'video'], discovered.streams.join());
  const numbers = await framesOf(bytes, frames);
  assert.equal(breaks(numbers, frames), 0, `${file.path}: frames lost or repeated`);
  return numbers as number[];
}

test(`eight cameras are recorded for ${seconds} s without a frame lost, on time lines that only grow and begin when they say`, { timeout: (seconds + 600) * 1_000 }, async (t) => {
  await using cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video, audio: 'beep-aac', phase: 'random' as const })) });
  await using lookout = await startLookout();
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), transport: 'tcp', outputs: { record: { mode: 'continuous', segmentSeconds: Math.max(10, Math.round(seconds / 10)) } } });
  for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);
  const clocks = new Map<string, number>();
  for (const id of ids) clocks.set(id, await captureClock(cameras.url(id), frames));
  // The condition is the time itself.
  await sleep(seconds * 1_000);
  for (const id of ids) await lookout.api('PATCH', `/api/v1/cameras/${id}`, { body: { outputs: { record: { mode: 'off' } } } });
  let [total, worstJoinMs] = [0, 0];
  const starts: { path: string; besideMs: number }[] = [];
  for (const id of ids) {
    const files = await closedFiles(lookout, id);
    assert.deepEqual(files.flatMap(({ gapBefore }) => gapBefore ?? []), []);
    const all: number[] = [];
    for (const [index, file] of files.entries()) {
      const numbers = await readFileOf(join(lookout.dataDir, 'recordings'), file);
      const startAt = Date.parse(file.startAt);
      assert.equal(parseRecordingPath(file.path)?.startAt, startAt, `${basename(file.path)} and the index name another begin`);
      starts.push({ path: file.path, besideMs: Math.round(besides(startAt - clocks.get(id)! - numbers[0]! * frameMs, frames)) });
      if (index > 0) worstJoinMs = Math.max(worstJoinMs, Math.abs(startAt - Date.parse(files[index - 1]!.endAt!)));
      all.push(...numbers);
    }
    assert.equal(breaks(all, frames), 0, `${id}: frames lost between files`);
    const spanMs = Date.parse(files.at(-1)!.endAt!) - Date.parse(files[0]!.startAt);
    assert.ok(Math.abs(all.length - spanMs / frameMs) <= 3, `${id}: ${all.length} frames in the time of ${(spanMs / frameMs).toFixed(1)}`);
    assert.equal((await cameras.stats(id)).unitsDropped, 0, 'the camera itself dropped nothing');
    total += all.length;
  }
  assert.ok(worstJoinMs <= startMs, `a file begins ${worstJoinMs} ms beside the end of the one before`);
  const told = starts.map(({ besideMs }) => besideMs).sort((a, b) => a - b);
  assert.deepEqual(starts.filter(({ besideMs }) => Math.abs(besideMs) > startMs), [], `beside the clocks of their cameras by ${told.join(' ')} ms`);
  t.diagnostic(`${total} frames, each the one after the one before; files begin ${told[0]} to ${told.at(-1)} ms (median ${told[told.length >> 1]}) after their cameras sent their first frames, and within ${worstJoinMs} ms of the end of the one before`);
});
