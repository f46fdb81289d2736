/** A recorder in a real host on the hub of a real source: what lies on the disk afterwards, read by ffprobe. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Host } from '../../src/native/host.ts';
import { createHubReader } from '../../src/native/hub-reader.ts';
import { monotonicMs as monotonic } from '../../src/native/monotonic.ts';
import type { ClosedFile, HostEvent, HubSpec, SourceSpec } from '../../src/native/protocol.ts';
import { measureFile, repairFile } from '../../src/recordings/files.ts';
import { parseRecordingPath } from '../../src/recordings/names.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { decodes, ffprobe } from '../support/media-file.ts';
import { startSimulator } from '../support/simulator.ts';

const frameMs = 40;

describe('recorder', () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  before(async () => {
    simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }, { name: 'bframes', video: 'bframes-360p-high' }] });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  const source = async (name: string, changes: Partial<SourceSpec> = {}) => {
    const host = await hosts.pool.take('camera:cam/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url(name), changes) });
    const { hubPort } = await said.next('source.started');
    await said.next('source.media');
    return { host, said, hubPort };
  };
  const folder = async (t: TestContext): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'lookout-record-'));
    defer(t, () => rm(dir, { recursive: true, force: true }));
    return dir;
  };
  const recorder = async (dir: string, port: number, changes: Partial<HubSpec> & { segmentMs?: number } = {}) => {
    const { segmentMs = 2_000, ...hub } = changes;
    const host = await hosts.pool.take('camera:cam/record');
    const said = record(host);
    host.send({ type: 'output.start', spec: { output: 'record', camera: 'cam', hub: { port, codec: 'H264', gopMs: 1_000, ...hub }, dir, segmentMs, segmentBytes: 0 } });
    return { host, said, closed: () => closedFiles(said.events) };
  };
  const finished = async ({ host, said }: { host: Host; said: ReturnType<typeof record> }): Promise<void> => {
    host.send({ type: 'output.finish', drainMs: 0 });
    await said.next('output.finished');
    await host.release();
  };

  for (const { name, codec, gopMs } of [{ name: 'tiny', codec: 'H264', gopMs: 1_000 }, { name: 'hevc', codec: 'H265', gopMs: 2_000 }] as const) {
    test(`files of an ${codec} camera begin with a keyframe at 0, lose no frame between them, and say by their name when they began`, async (t) => {
      const dir = await folder(t);
      const { host, hubPort } = await source(name, { video: { codec } });
      const seen = codec === 'H264' ? watchHub(t, hubPort) : null;
      const rec = await recorder(dir, hubPort, { codec, gopMs });
      await rec.said.next('output.started');
      await eventually(() => rec.closed().length >= 3, { timeoutMs: 15_000, what: 'three closed files' });
      await finished(rec);
      await host.release();
      const files = rec.closed();
      assert.ok(files.length >= 4, 'the one that was open is closed as well');
      for (const [index, file] of files.entries()) {
        const probed = await ffprobe(join(dir, file.path));
        await decodes(join(dir, file.path), codec === 'H264' ? 'h264' : 'h265');
        assert.equal(probed.codec, codec === 'H264' ? 'h264' : 'hevc');
        assert.ok(probed.firstIsKeyframe && file.startsWithKeyframe);
        assert.ok(probed.start >= 0 && probed.start * 1000 <= frameMs, `starts at ${probed.start}`);
        assert.equal(file.frames, probed.frames);
        assert.equal(file.bytes, measureFile(join(dir, file.path))?.bytes);
        assert.ok(Math.abs(probed.duration! * 1000 - file.durationMs) <= frameMs, `${probed.duration} s, indexed ${file.durationMs} ms`);
        assert.equal(parseRecordingPath(file.path)?.startAt, file.startAt);
        const distances = probed.times.slice(1).map((time, i) => time - probed.times[i]!);
        // Stamped when they arrived: a busy machine reads two at once, and no two have the same time.
        assert.ok(Math.min(...distances) > 0, 'two frames with one time');
        assert.ok(Math.abs(file.frames - file.durationMs / frameMs) <= 3, `${file.frames} frames in ${file.durationMs} ms`);
        if (index < files.length - 1) assert.ok(Math.abs(file.durationMs - 2_000) <= 2 * frameMs, `cut after ${file.durationMs} ms`);
        const next = files[index + 1];
        if (next) assert.ok(Math.abs(next.startAt - file.startAt - file.durationMs) <= 2 * frameMs, `${next.startAt - file.startAt - file.durationMs} ms between two files`);
      }
      if (seen === null) return;
      const [first, last] = [seen.wallClock(files[0]!.startAt), seen.wallClock(files.at(-1)!.startAt + files.at(-1)!.durationMs - frameMs)];
      const frames = seen.frames.filter(({ at }) => at >= first - frameMs / 2 && at <= last + frameMs / 2).length;
      const recorded = files.reduce((sum, file) => sum + file.frames, 0);
      assert.ok(Math.abs(frames - recorded) <= 1, `${recorded} frames recorded, ${frames} came through the hub`);
      const late = Math.abs(seen.frames.find(({ key, at }) => key && Math.abs(at - files[1]!.startAt) < 500)!.arrivedAt - files[1]!.startAt);
      assert.ok(late < 100, `the second file says it began ${late} ms beside the arrival of its keyframe`);
      t.diagnostic(`${recorded} frames in ${files.length} files; start and arrival ${late} ms apart`);
    });
  }

  test('a recorder that joins late starts with the last keyframe at 0, and its name says when that was', async (t) => {
    const dir = await folder(t);
    const { host, said, hubPort } = await source('tiny');
    await eventually(() => said.events.filter((event) => event.type === 'source.stats').length >= 4, { timeoutMs: 8_000, what: 'four seconds of life' });
    const before = Date.now();
    const rec = await recorder(dir, hubPort);
    await rec.said.next('file.opened');
    const opened = Date.now();
    await eventually(() => rec.closed().length >= 1, { timeoutMs: 8_000, what: 'a file' });
    await finished(rec);
    await host.release();
    const [file] = rec.closed();
    assert.ok(file!.startAt <= opened && file!.startAt >= before - 1_200, `${file!.startAt - before} ms from the order`);
    assert.ok((await ffprobe(join(dir, file!.path))).start * 1000 <= frameMs);
  });

  test('a recorder of H.265 that is there before the first keyframe begins its file with it', async (t) => {
    const dir = await folder(t);
    await simulator.script('hevc', { keyframes: false });
    const host = await hosts.pool.take('camera:cam/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url('hevc'), { video: { codec: 'H265' } }) });
    const rec = await recorder(dir, (await said.next('source.started')).hubPort, { codec: 'H265', gopMs: 2_000 });
    await rec.said.next('output.started');
    await eventually(() => said.events.some((event) => event.type === 'source.stats' && event.stats.frames > 25 && event.stats.keyframes === 0), { timeoutMs: 15_000, what: 'frames without a keyframe' });
    await simulator.script('hevc', { keyframes: true });
    await eventually(() => rec.closed().length >= 1, { timeoutMs: 15_000, what: 'a file' });
    await finished(rec);
    await host.release();
    const [file] = rec.closed();
    const probed = await ffprobe(join(dir, file!.path));
    assert.ok(probed.firstIsKeyframe && file!.startsWithKeyframe, 'the first frame is a keyframe');
    assert.ok(probed.start * 1000 <= frameMs, `starts at ${probed.start}`);
  });

  test('frames that are sent out of order are recorded in theirs', async (t) => {
    const dir = await folder(t);
    const { host, hubPort } = await source('bframes');
    const rec = await recorder(dir, hubPort, { gopMs: 2_000 });
    await eventually(() => rec.closed().length >= 1, { timeoutMs: 10_000, what: 'a file' });
    await finished(rec);
    await host.release();
    const probed = await ffprobe(join(dir, rec.closed()[0]!.path));
    assert.ok(probed.start >= 0 && probed.start * 1000 <= 3 * frameMs && probed.firstIsKeyframe);
    assert.ok(probed.frames > 25);
  });

  test('a host that is killed leaves a file that plays to its last whole frame, and one made whole has its duration', async (t) => {
    const dir = await folder(t);
    const { host, hubPort } = await source('tiny');
    const rec = await recorder(dir, hubPort, { segmentMs: 60_000 });
    const { file } = await rec.said.next('file.opened');
    await eventually(() => (measureFile(join(dir, file.path))?.frames ?? 0) > 60, { timeoutMs: 10_000, what: 'some GOPs on the disk' });
    await rec.host.kill();
    const path = join(dir, file.path);
    const found = measureFile(path)!;
    assert.equal(found.finished, false);
    const probed = await ffprobe(path);
    assert.ok(probed.frames >= found.frames && found.frames >= 60 && probed.firstIsKeyframe);
    await writeFile(path, Buffer.alloc(5, 0xa3), { flag: 'a' });
    const repaired = repairFile(path)!;
    assert.equal(repaired.frames, found.frames);
    const whole = await ffprobe(path);
    assert.equal(whole.frames, found.frames);
    assert.ok(Math.abs(whole.duration! * 1000 - found.durationMs) < 2);
    await decodes(path, 'h264');
    await host.release();
  });

  test('the end of the source finishes the file, drained to the last frame', async (t) => {
    const dir = await folder(t);
    const { host, hubPort } = await source('tiny');
    const rec = await recorder(dir, hubPort, { segmentMs: 60_000 });
    await rec.said.next('file.opened');
    await host.kill();
    await rec.said.next('output.finished');
    assert.equal(measureFile(join(dir, rec.closed()[0]!.path))?.finished, true);
    await rec.host.release();
  });

  test('a folder that cannot be made, or that vanishes, is a failure of class storage', async (t) => {
    const dir = await folder(t);
    const { host, hubPort } = await source('tiny');
    await writeFile(join(dir, 'file'), '');
    const refused = await recorder(join(dir, 'file'), hubPort);
    await eventually(() => refused.said.events.some((event) => event.type === 'output.failed'), { what: 'a refusal' });
    assert.deepEqual(failures(refused.said.events), ['storage/folder-missing']);
    const robbed = await recorder(dir, hubPort, { segmentMs: 60_000 });
    await robbed.said.next('file.opened');
    await rm(join(dir, 'cam'), { recursive: true });
    await eventually(() => robbed.said.events.some((event) => event.type === 'output.failed'), { timeoutMs: 5_000, what: 'the loss of the folder' });
    assert.deepEqual(failures(robbed.said.events), ['storage/folder-missing']);
    await Promise.all([refused.host.release(), robbed.host.release(), host.release()]);
  });

  test('what a dead host left without a name is removed by the next', async (t) => {
    const dir = await folder(t);
    await mkdir(join(dir, 'cam'));
    await writeFile(join(dir, 'cam', '.new-1-00000.mkv'), '');
    const { host, hubPort } = await source('tiny');
    const rec = await recorder(dir, hubPort);
    await rec.said.next('file.opened');
    assert.deepEqual((await readdir(join(dir, 'cam'))).filter((name) => name.startsWith('.new-1-')), []);
    await finished(rec);
    await host.release();
  });
});

function closedFiles(events: readonly HostEvent[]): ClosedFile[] {
  return events.flatMap((event) => (event.type === 'file.closed' ? [event.file] : []));
}

function failures(events: readonly HostEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'output.failed' ? [`${event.failure.class}/${event.failure.code}`] : []));
}

/** Every access unit that a hub hands out, by the stamp of its source and by its arrival here. */
function watchHub(t: TestContext, port: number) {
  const frames: { at: number; arrivedAt: number; key: boolean }[] = [];
  let isNew = true;
  const read = createHubReader(({ timestamp, marker, payload }) => {
    if (isNew) {
      const ago = ((Math.trunc(monotonic() * 90) % 2 ** 32) - timestamp) | 0;
      const kind = (payload[0] ?? 0) & 0x1f;
      frames.push({ at: Date.now() - ago / 90, arrivedAt: Date.now(), key: kind === 24 || kind === 7 });
    }
    isNew = marker;
  });
  const socket = connect(port, '127.0.0.1').on('data', read).on('error', () => undefined);
  defer(t, () => void socket.destroy());
  return { frames, wallClock: (at: number) => at };
}
