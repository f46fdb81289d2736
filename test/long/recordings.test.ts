/**
 * Recordings of eight cameras for ten minutes (`LOOKOUT_RECORD_SECONDS` for another time), held against what the cameras sent: no frame
 * lost, times that only grow, starts by the wall clock. Read by ffprobe and by Mediabunny.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordingView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { ffprobe } from '../support/media-file.ts';
import { packetsOf } from '../support/media-packets.ts';
import { startSimulator } from '../support/simulator.ts';

const seconds = Number(process.env['LOOKOUT_RECORD_SECONDS'] ?? 600);
const ids = Array.from({ length: 8 }, (_, index) => `cam${index + 1}`);
const frameMs = 40;

test(`eight cameras are recorded for ${seconds} s without a frame lost, on time lines that only grow and begin when they say`, { timeout: (seconds + 300) * 1_000 }, async (t) => {
  await using cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', audio: 'beep-aac', phase: 'random' as const })) });
  await using lookout = await startLookout();
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), transport: 'tcp', outputs: { record: { mode: 'continuous', segmentSeconds: Math.max(10, Math.round(seconds / 10)) } } });
  const listed = async (id: string): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${id}&limit=1000`)).recordings.toReversed();
  for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);
  // The condition is the time itself.
  await sleep(seconds * 1_000);
  for (const id of ids) await lookout.api('PATCH', `/api/v1/cameras/${id}`, { body: { outputs: { record: { mode: 'off' } } } });
  let [frames, worstMs] = [0, 0];
  for (const id of ids) {
    const files = await eventually(async () => {
      const all = await listed(id);
      return all.every(({ closed }) => closed) ? all : undefined;
    }, { timeoutMs: 30_000, what: `all files of ${id} to be closed` }) as RecordingView[];
    assert.deepEqual(files.flatMap(({ gapBefore }) => gapBefore ?? []), []);
    for (const [index, file] of files.entries()) {
      const path = join(lookout.dataDir, 'recordings', file.path);
      const [probed, parsed] = [await ffprobe(path), await packetsOf(await readFile(path))];
      assert.deepEqual([probed.frames, parsed.video.length, probed.firstIsKeyframe], [file.frames, file.frames, true]);
      assert.ok(parsed.video.every(({ time }, nth) => nth === 0 || time > parsed.video[nth - 1]!.time), `${file.path}: times that do not grow`);
      const previous = files[index - 1];
      if (previous) worstMs = Math.max(worstMs, Math.abs(Date.parse(file.startAt) - Date.parse(previous.endAt!)));
      frames += file.frames;
    }
    const [first, last] = [files[0]!, files.at(-1)!];
    const recorded = files.reduce((sum, file) => sum + file.frames, 0);
    const due = (Date.parse(last.endAt!) - Date.parse(first.startAt)) / frameMs;
    assert.ok(Math.abs(recorded - due) <= 3, `${id}: ${recorded} frames in the time of ${due.toFixed(1)}`);
  }
  assert.ok(worstMs <= 100, `a file begins ${worstMs} ms beside the end of the one before`);
  t.diagnostic(`${frames} frames; a file begins within ${worstMs} ms of the end of the one before`);
});
