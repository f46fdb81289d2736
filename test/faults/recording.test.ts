/** Recording in the real program: nothing is lost in peace, and whatever dies costs the recording what it must and nobody else anything. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import type { CameraView, RecordingView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { decodes, ffprobe } from '../support/media-file.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
const quickDisk = { faults: { enabled: true }, recordings: { minFreeBytes: 0, checkMs: 300 }, supervision: { backoff: { storage: { minMs: 500, maxMs: 1_000 } } } };

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }, { name: 'street', video: 'street-720p-main' }] });
});
after(async () => {
  await cameras?.[Symbol.asyncDispose]();
});

/** A program whose camera `gate` records files of 2 s. */
async function recording(t: TestContext, record: object = {}, config: object = {}, mount = 'gate'): Promise<Lookout> {
  const lookout = await startLookout({ config: { ...quickDisk, ...config } });
  defer(t, () => lookout[Symbol.asyncDispose]());
  await lookout.add({ id: 'gate', url: cameras.url(mount), outputs: { live: { feed: 'always' }, record: { mode: 'continuous', segmentSeconds: 2, ...record } } });
  return lookout;
}
const list = async (lookout: Lookout, query = ''): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=gate${query}`)).recordings;
const closedOnes = async (lookout: Lookout): Promise<RecordingView[]> => (await list(lookout)).filter(({ closed }) => closed).toReversed();
const atLeast = (lookout: Lookout, count: number): Promise<RecordingView[]> => eventually(async () => {
  const closed = await closedOnes(lookout);
  return closed.length >= count ? closed : undefined;
}, { timeoutMs: 6_000 + count * 4_000, what: `${count} recordings` }) as Promise<RecordingView[]>;
const recordIs = (lookout: Lookout, state: string, timeoutMs = 10_000): Promise<CameraView> => eventually(async () => {
  const view = await lookout.camera('gate');
  return view.outputs.record.state === state ? view : undefined;
}, { timeoutMs, what: `the recorder to be ${state}` }) as Promise<CameraView>;
/** A recorder runs as soon as it reads the hub; its file begins with the next keyframe. */
const writes = (lookout: Lookout): Promise<unknown> => eventually(async () => (await lookout.camera('gate')).outputs.record.file !== null, { timeoutMs: 15_000, what: 'a file that is being written' });
const pathOf = (lookout: Lookout, { path }: { path: string }): string => join(lookout.dataDir, 'recordings', path);

/** The camera went on as if nothing had been: same host, same state since the same moment. */
function untouched(was: CameraView, now: CameraView): void {
  assert.deepEqual([now.host?.pid, now.state, now.substate, now.since, now.restarts], [was.host?.pid, was.state, was.substate, was.since, was.restarts]);
}

test('files follow each other without a gap, and come over HTTP as they lie on the disk', async (t) => {
  const lookout = await recording(t);
  const files = await atLeast(lookout, 3);
  for (const [index, file] of files.entries()) {
    const probed = await ffprobe(pathOf(lookout, file));
    assert.deepEqual([probed.frames, probed.firstIsKeyframe, probed.codec, probed.width], [file.frames, true, 'h264', file.width]);
    await decodes(pathOf(lookout, file), 'h264');
    const next = files[index + 1];
    if (next) assert.ok(Math.abs(Date.parse(next.startAt) - Date.parse(file.endAt!)) < 100 && next.gapBefore === null);
  }
  const [file] = files as [RecordingView];
  const response = await fetch(`${lookout.url}/api/v1/recordings/${file.id}/file`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } });
  const sent = Buffer.from(await response.arrayBuffer());
  assert.equal(createHash('sha256').update(sent).digest('hex'), createHash('sha256').update(await readFile(pathOf(lookout, file))).digest('hex'));
  const view = await lookout.camera('gate');
  assert.equal(view.outputs.record.state, 'running');
  assert.match(view.outputs.record.file ?? '', /^gate\/\d{4}\/\d\d\/\d\d\/.*\.open\.mkv$/u);
  assert.ok(view.outputs.record.bytes > 20_000 && view.outputs.record.host!.pid !== view.host!.pid);
  const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  assert.match(metrics, /vms_media_output_state\{camera="gate",output="record",state="running"\} 1/u);
  assert.ok(Number(/vms_media_recording_bytes_total\{camera="gate"\} (\d+)/u.exec(metrics)?.[1]) > 20_000);
  await lookout.api('DELETE', `/api/v1/recordings/${file.id}`);
  assert.equal((await closedOnes(lookout)).some(({ id }) => id === file.id), false);
});

for (const [fault, cls] of [['kill-host', 'host-crash'], ['freeze-host', 'native-frozen']] as const) {
  test(`${fault} of the recorder ends its file at the last whole frame, a new one begins, the camera hears nothing`, async (t) => {
    const lookout = await recording(t, { segmentSeconds: 60 });
    const was = await recordIs(lookout, 'running');
    await eventually(async () => (await lookout.camera('gate')).outputs.record.bytes > 15_000, { timeoutMs: 8_000, what: 'some seconds on the disk' });
    await lookout.api('POST', '/api/v1/cameras/gate/faults', { body: { fault, target: 'record' } });
    const [file] = await atLeast(lookout, 1) as [RecordingView];
    const probed = await ffprobe(pathOf(lookout, file));
    assert.equal(probed.frames, file.frames);
    assert.ok(file.frames > 25 && Math.abs(probed.duration! * 1000 - file.durationMs) < 2);
    await decodes(pathOf(lookout, file), 'h264');
    const open = await eventually(async () => (await list(lookout)).find(({ closed }) => !closed), { timeoutMs: 8_000, what: 'a new file' }) as RecordingView;
    if (open.gapBefore !== null) assert.equal(open.gapBefore.class, cls);
    const now = await lookout.camera('gate');
    untouched(was, now);
    assert.equal(now.outputs.record.lastError?.class, cls);
    const rows = await lookout.events('gate');
    assert.ok(rows.some((row) => row.type === 'output.lost' && row.class === cls && row.message.startsWith('record: ')));
    assert.ok(rows.some((row) => row.type === 'recording.recovered'));
  });
}

test('a disk that takes nothing more costs the recording, with class storage, and the recording mends itself', async (t) => {
  const lookout = await recording(t);
  await atLeast(lookout, 1);
  const was = await lookout.camera('gate');
  await lookout.api('POST', '/api/v1/cameras/gate/faults', { body: { fault: 'disk-full', seconds: 3 } });
  const failing = await recordIs(lookout, 'backoff');
  assert.deepEqual([failing.outputs.record.lastError?.class, failing.outputs.record.lastError?.code], ['storage', 'file-too-large']);
  untouched(was, failing);
  const before = Date.now();
  await eventually(async () => (await closedOnes(lookout)).some(({ startAt }) => Date.parse(startAt) > before), { timeoutMs: 15_000, what: 'a recording after the disk is back' });
  const after = (await list(lookout)).toReversed().find(({ gapBefore }) => gapBefore !== null);
  assert.equal(after?.gapBefore?.class, 'storage', 'the gap says why');
  untouched(was, await lookout.camera('gate'));
});

test('a folder that vanishes or cannot be written is a failure of class storage until it is back', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'lookout-recordings-'));
  defer(t, () => rm(parent, { recursive: true, force: true }));
  const dir = join(parent, 'disk', 'recordings');
  await mkdir(join(parent, 'volume', 'recordings'), { recursive: true });
  await symlink(join(parent, 'volume'), join(parent, 'disk'));
  const lookout = await recording(t, {}, { recordings: { ...quickDisk.recordings, dir } });
  await eventually(async () => (await readdir(dir)).includes('gate'), { timeoutMs: 8_000 });
  const was = await recordIs(lookout, 'running');
  // As an unmounted disk leaves it: a path that leads through a file. In one step: the recorder makes a folder that is missing.
  await writeFile(join(parent, 'file'), '');
  await rename(join(parent, 'file'), join(parent, 'disk'));
  const failing = await recordIs(lookout, 'backoff');
  assert.deepEqual([failing.outputs.record.lastError?.class, failing.outputs.record.lastError?.code], ['storage', 'folder-missing']);
  await symlink(join(parent, 'volume'), join(parent, 'mounted'));
  await rename(join(parent, 'mounted'), join(parent, 'disk'));
  await recordIs(lookout, 'running');
  untouched(was, await lookout.camera('gate'));
});

test('a program that is killed finds its files at the next start: open ones whole, the index as it was, the gap named', async (t) => {
  const first = await startLookout({ config: quickDisk });
  const { dataDir } = first;
  defer(t, () => rm(dataDir, { recursive: true, force: true }));
  await first.add({ id: 'gate', url: cameras.url('gate'), outputs: { record: { mode: 'continuous', segmentSeconds: 4 } } });
  const known = await atLeast(first, 1);
  await eventually(async () => (await list(first)).some(({ closed }) => !closed), { what: 'an open file' });
  await eventually(async () => (await first.camera('gate')).outputs.record.bytes > 50_000, { timeoutMs: 10_000, what: 'more on the disk' });
  await first.stop('SIGKILL');
  await rm(join(dataDir, 'lookout.pid'), { force: true });

  const second = await startLookout({ config: quickDisk, dataDir });
  defer(t, () => second[Symbol.asyncDispose]());
  const files = await atLeast(second, known.length + 2);
  assert.deepEqual(files.slice(0, known.length), known, 'what was indexed is as it was');
  for (const file of files) assert.equal((await ffprobe(pathOf(second, file))).frames, file.frames);
  const gap = files.find(({ gapBefore }) => gapBefore !== null)?.gapBefore;
  assert.equal(gap?.code, 'lookout.started');
  assert.ok((await second.events('gate')).some(({ type }) => type === 'recording.recovered'));
});

test('an index that was lost is built anew from the files, with the same ids', async (t) => {
  const first = await startLookout({ config: quickDisk });
  const { dataDir } = first;
  defer(t, () => rm(dataDir, { recursive: true, force: true }));
  await first.add({ id: 'gate', url: cameras.url('gate'), outputs: { record: { mode: 'continuous', segmentSeconds: 2 } } });
  await atLeast(first, 2);
  await first.api('DELETE', '/api/v1/cameras/gate');
  const before = await eventually(async () => {
    const all = await list(first);
    return all.length > 0 && all.every(({ closed }) => closed) ? all : undefined;
  }, { what: 'all files closed by the removal of their camera' }) as RecordingView[];
  await first.stop();
  for (const name of await readdir(dataDir)) if (name.startsWith('lookout.db')) await rm(join(dataDir, name));
  const second = await startLookout({ config: quickDisk, dataDir });
  defer(t, () => second[Symbol.asyncDispose]());
  const found = await eventually(async () => {
    const all = await list(second);
    return all.length === before.length ? all : undefined;
  }, { what: 'the files in the new index' }) as RecordingView[];
  assert.deepEqual(found.map(({ gapBefore, ...rest }) => rest), before.map(({ gapBefore, ...rest }) => rest));
});

test('a camera that resets leaves a finished file and a named gap, and records again with the source', async (t) => {
  const lookout = await recording(t, { segmentSeconds: 60 });
  await recordIs(lookout, 'running');
  await eventually(async () => (await lookout.camera('gate')).outputs.record.bytes > 8_000, { timeoutMs: 8_000, what: 'something on the disk' });
  await cameras.act('gate', { type: 'reboot', seconds: 2, unavailableMs: 0 });
  const [file] = await atLeast(lookout, 1) as [RecordingView];
  const open = await eventually(async () => (await list(lookout)).find(({ closed }) => !closed), { timeoutMs: 15_000, what: 'a recording after the reboot' }) as RecordingView;
  assert.ok(open.gapBefore !== null && open.gapBefore.durationMs > 1_000, JSON.stringify(open.gapBefore));
  assert.equal(open.gapBefore.from, file.endAt);
  assert.equal(open.gapBefore.class, 'reset');
  assert.equal((await lookout.camera('gate')).outputs.record.lastError, null, 'the source\'s failure is none of the recorder\'s');
  await decodes(pathOf(lookout, file), 'h264');
});

test('a planned restart moves the recorder to the new source without a gap', async (t) => {
  const lookout = await recording(t, { segmentSeconds: 60 });
  await lookout.until('gate', 'streaming.live');
  const was = await recordIs(lookout, 'running');
  await eventually(async () => (await lookout.camera('gate')).outputs.record.bytes > 15_000, { timeoutMs: 8_000, what: 'something on the disk' });
  await lookout.api('POST', '/api/v1/cameras/gate/restart');
  const [file] = await atLeast(lookout, 1) as [RecordingView];
  const open = await eventually(async () => (await list(lookout)).find(({ closed }) => !closed), { timeoutMs: 8_000, what: 'the next file' }) as RecordingView;
  assert.equal(open.gapBefore, null);
  assert.ok(Date.parse(open.startAt) <= Date.parse(file.endAt!) + 80, `${Date.parse(open.startAt) - Date.parse(file.endAt!)} ms without a frame`);
  const now = await lookout.camera('gate');
  assert.notEqual(now.host?.pid, was.host?.pid);
  assert.deepEqual([now.since, now.outputs.record.lastError], [was.since, null]);
  t.diagnostic(`the files overlap by ${Date.parse(file.endAt!) - Date.parse(open.startAt)} ms`);
});

test('recording by hand starts and stops by command, and goes on after a restart of the program', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'lookout-manual-'));
  defer(t, () => rm(dataDir, { recursive: true, force: true }));
  const first = await startLookout({ config: quickDisk, dataDir });
  defer(t, () => first[Symbol.asyncDispose]());
  await first.add({ id: 'gate', url: cameras.url('gate'), outputs: { record: { mode: 'manual', segmentSeconds: 2 } } });
  await first.until('gate', 'streaming.live');
  assert.equal((await first.camera('gate')).outputs.record.state, 'off');
  await first.api('POST', '/api/v1/cameras/gate/recording/start');
  await writes(first);
  await first.stop();
  const second = await startLookout({ config: quickDisk, dataDir });
  defer(t, () => second[Symbol.asyncDispose]());
  await writes(second);
  await second.api('POST', '/api/v1/cameras/gate/recording/stop');
  await recordIs(second, 'off');
  await eventually(async () => {
    const all = await list(second);
    return all.length >= 2 && all.every(({ closed }) => closed);
  }, { timeoutMs: 20_000, what: 'a file of each life, and every one closed' });
  assert.equal((await second.api<{ code: string }>('POST', '/api/v1/cameras/nobody/recording/start', { expect: 404 })).code, 'LOOKOUT_CAMERA_NOT_FOUND');
});

test('the oldest recordings go when a camera has more than it may keep, and the journal says so', async (t) => {
  const lookout = await recording(t, { retention: { maxBytes: 1_000_000 } }, {}, 'street');
  await eventually(async () => (await lookout.events('gate')).some(({ type, code }) => type === 'recording.removed' && code === 'bytes'), { timeoutMs: 30_000, what: 'a removal' });
  await eventually(async () => (await closedOnes(lookout)).reduce((sum, { bytes }) => sum + bytes, 0) <= 1_000_000, { timeoutMs: 3_000, what: 'no more than a megabyte' });
  const files = await readdir(join(lookout.dataDir, 'recordings'), { recursive: true });
  const listed = await list(lookout);
  assert.equal(files.filter((name) => name.endsWith('.mkv') && !name.includes('.open.') && !name.includes('.new-')).length, listed.filter(({ closed }) => closed).length, 'index and disk agree');
  assert.equal((await lookout.camera('gate')).outputs.record.state, 'running');
});
