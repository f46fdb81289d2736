/**
 * Recordings on a disk that really fills up, or becomes read-only: a small tmpfs. Needs root. The file runs itself once more
 * in a mount namespace of its own, so that nothing stays mounted whatever happens.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CameraView, RecordingView } from '../../src/api/protocol.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { ffprobe } from '../support/media-file.ts';
import { startSimulator } from '../support/simulator.ts';

const inside = process.env['LOOKOUT_IN_NAMESPACE'] === '1';

if (inside) insideTests();
else {
  test('full and read-only disks, in a mount namespace of their own', (t) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync('unshare', ['--mount', '--propagation', 'private', '--', process.execPath, '--test', '--test-reporter=tap', import.meta.filename], { env: { ...env, LOOKOUT_IN_NAMESPACE: '1' }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^# pass 2$/mu);
    for (const [line] of stdout.matchAll(/^(?:ok \d+ - .*|# (?:full|freed).*)$/gmu)) t.diagnostic(line);
  });
}

function insideTests(): void {
  /** A program that records 720p on a disk of 4 MB. */
  const scene = async (t: TestContext, recordings: object): Promise<{ lookout: Lookout; dir: string }> => {
    const dir = mkdtempSync(join(tmpdir(), 'lookout-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', dir]);
    defer(t, () => {
      execFileSync('umount', ['--lazy', dir]);
      rmSync(dir, { recursive: true, force: true });
    });
    const cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'street-720p-main' }] });
    defer(t, () => cameras[Symbol.asyncDispose]());
    const lookout = await startLookout({ config: { supervision: { backoff: { storage: { minMs: 500, maxMs: 1_000 } } }, recordings: { dir, checkMs: 300, ...recordings } } });
    defer(t, () => lookout[Symbol.asyncDispose]());
    await lookout.add({ id: 'gate', url: cameras.url('gate'), outputs: { live: { feed: 'always' }, record: { mode: 'continuous', segmentSeconds: 2 } } });
    return { lookout, dir };
  };
  const recordings = async (lookout: Lookout): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', '/api/v1/recordings')).recordings;
  const recorder = (lookout: Lookout, fits: (view: CameraView) => boolean, what: string): Promise<CameraView> => eventually(async () => {
    const view = await lookout.camera('gate');
    return fits(view) ? view : undefined;
  }, { timeoutMs: 60_000, what }) as Promise<CameraView>;

  test('a full disk stops the recording with ENOSPC and nothing else; room brings it back; read-only is told apart', async (t) => {
    const { lookout, dir } = await scene(t, { minFreeBytes: 0 });
    const was = await lookout.until('gate', 'streaming.live');
    const full = await recorder(lookout, ({ outputs: { record } }) => record.lastError?.code === 'disk-full', 'the disk to be full');
    assert.equal(full.outputs.record.lastError?.class, 'storage');
    assert.deepEqual([full.host?.pid, full.since, full.substate], [was.host?.pid, was.since, 'live']);
    t.diagnostic(`full after ${(await recordings(lookout)).length} recordings`);
    // What was open when the disk was full is made whole in place.
    const kept = await eventually(async () => {
      const all = (await recordings(lookout)).filter(({ closed }) => closed);
      return all.length >= 2 ? all : undefined;
    }, { what: 'recordings' }) as RecordingView[];
    for (const file of kept) assert.equal((await ffprobe(join(dir, file.path))).frames, file.frames);

    for (const file of kept.slice(1)) await lookout.api('DELETE', `/api/v1/recordings/${file.id}`);
    const freed = Date.now();
    await recorder(lookout, ({ outputs: { record } }) => record.state === 'running' && record.file !== null, 'the recording to be back');
    t.diagnostic(`freed: recording again after ${Date.now() - freed} ms`);

    await recorder(lookout, ({ outputs: { record } }) => record.state === 'backoff', 'the disk to be full again');
    await eventually(() => {
      execFileSync('mount', ['-o', 'remount,ro', dir], { stdio: 'ignore' });
      return true;
    }, { timeoutMs: 20_000, what: 'a moment without an open file' });
    await recorder(lookout, ({ outputs: { record } }) => record.lastError?.code === 'read-only', 'read-only to be told');
    execFileSync('mount', ['-o', 'remount,rw', dir]);
    const now = await lookout.camera('gate');
    assert.deepEqual([now.host?.pid, now.since, now.substate], [was.host?.pid, was.since, 'live']);
  });

  test('a disk that has to keep room loses its oldest recordings and never the recording itself', async (t) => {
    const { lookout, dir } = await scene(t, { minFreeBytes: 1_500_000 });
    await eventually(async () => (await lookout.events('gate')).filter(({ type, code }) => type === 'recording.removed' && code === 'space').length >= 3, { timeoutMs: 60_000, what: 'three removals' });
    const { bavail, bsize } = statfsSync(dir);
    assert.ok(bavail * bsize > 500_000, `${bavail * bsize} bytes free`);
    const { outputs: { record } } = await lookout.camera('gate');
    assert.deepEqual([record.state, record.lastError], ['running', null]);
    const left = await recordings(lookout);
    const newest = left.toReversed();
    assert.deepEqual(newest.map(({ startAt }) => startAt), newest.map(({ startAt }) => startAt).toSorted());
  });
}
