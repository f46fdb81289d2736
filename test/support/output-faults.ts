/** Each output under each fault: it says so by class and comes back, while live view and the other outputs lose nothing. Makes a test of every row. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import HLS from 'hls-parser';
import type { CameraView, RecordingView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from './eventually.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { startSimulator } from './simulator.ts';

type OutputName = 'record' | 'hls' | 'frames';
/** A row. `class`: what the output's last error says. */
export type OutputFault = { output: OutputName | 'snapshot'; fault: 'kill-host' | 'freeze-host' | 'disk-full' | 'folder-removed'; class: 'host-crash' | 'native-frozen' | 'storage' };

/** All of them. Raw frames and snapshots write no file. */
export const outputFaults: readonly OutputFault[] = [
  ...(['record', 'hls', 'frames', 'snapshot'] as const).flatMap((output) => [{ output, fault: 'kill-host', class: 'host-crash' }, { output, fault: 'freeze-host', class: 'native-frozen' }] as const),
  ...(['record', 'hls'] as const).flatMap((output) => [{ output, fault: 'disk-full', class: 'storage' }, { output, fault: 'folder-removed', class: 'storage' }] as const),
];

const names: readonly OutputName[] = ['record', 'hls', 'frames'];
const headers = { authorization: 'Bearer test-admin-token-of-this-run' };
const id = 'gate';
const config = { faults: { enabled: true }, recordings: { minFreeBytes: 0 }, hls: { segmentSeconds: 1, segments: 20 }, supervision: { backoff: { storage: { minMs: 300, maxMs: 500 } } } };
const run = promisify(execFile);

/** Tests of these rows on one program, and at the end one of a source that is killed. */
export function outputFaultTests(rows: readonly OutputFault[]): void {
  let cameras: SimulatorProcess & AsyncDisposable;
  let lookout: Lookout;
  before(async () => {
    cameras = await startSimulator({ mounts: [{ name: id, video: 'tiny-320x180-main', audio: 'beep-aac' }] });
    lookout = await startLookout({ config });
    await lookout.add({ id, url: cameras.url(id), transport: 'tcp', outputs: { live: { feed: 'always' }, hls: { mode: 'always' }, record: { mode: 'continuous', segmentSeconds: 2 }, frames: { mode: 'always', width: 160, height: 90 } } });
    await delivering(lookout, Date.now());
  });
  after(async () => {
    await lookout?.[Symbol.asyncDispose]();
    await cameras?.[Symbol.asyncDispose]();
  });

  for (const row of rows) {
    test(`${row.fault} of ${row.output}: class ${row.class}, it comes back, live view and the other outputs lose nothing`, async () => {
      const was = await state(lookout);
      const began = Date.now();
      await (row.output === 'snapshot' ? hurtSnapshot(lookout, row) : hurt(lookout, row.output, row));
      await delivering(lookout, Date.now());
      untouched(was, await state(lookout), { row, began });
    });
  }

  test('a source that is killed takes no output with it for good: all of them deliver again, and nothing is orphaned', async () => {
    await lookout.api('POST', `/api/v1/cameras/${id}/faults`, { body: { fault: 'kill-host', target: 'source' } });
    await delivering(lookout, Date.now());
    const { outputs } = await lookout.camera(id);
    assert.deepEqual(names.map((name) => outputs[name].state), ['running', 'running', 'running']);
    await eventually(async () => /^vms_media_orphans 0$/mu.test(await (await fetch(`${lookout.url}/metrics`, { headers })).text()), { timeoutMs: 10_000, what: 'no orphans' });
  });
}

type State = { view: CameraView; rows: RecordingView[]; segments: HLS.types.MediaPlaylist['segments']; producer: { id: string; packetsLost: number } };

async function state(lookout: Lookout): Promise<State> {
  const producers = (await lookout.sfu()).producers.filter(({ camera, kind }) => camera === id && kind === 'video');
  const text = await (await fetch(`${lookout.url}/hls/${id}/index.m3u8`, { headers })).text();
  return { view: await lookout.camera(id), rows: await recordings(lookout), segments: text.startsWith('#EXTM3U') ? (HLS.parse(text) as HLS.types.MediaPlaylist).segments : [], producer: producers[0]! };
}

const recordings = async (lookout: Lookout): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${id}&limit=200`)).recordings.toReversed();

/** Waits until everything that there is to have of the camera is newer than a moment. */
async function delivering(lookout: Lookout, since: number): Promise<void> {
  await eventually(async () => {
    const { view, rows, segments } = await state(lookout);
    return view.state === 'streaming' && names.every((name) => view.outputs[name].state === 'running') && rows.some(({ startAt, closed }) => closed && Date.parse(startAt) > since)
      && segments.some(({ programDateTime }) => programDateTime!.getTime() > since) && view.outputs.frames.behindMs !== null && (await snapshot(lookout)) === 200;
  }, { timeoutMs: 30_000, intervalMs: 150, what: 'all outputs to deliver' });
}

const snapshot = async (lookout: Lookout, query = ''): Promise<number> => (await fetch(`${lookout.url}/api/v1/cameras/${id}/snapshot.jpg${query}`, { headers })).status;

async function hurt(lookout: Lookout, output: OutputName, { fault, class: cls }: OutputFault): Promise<void> {
  const before = await lookout.camera(id);
  const pid = before.outputs[output].host!.pid;
  if (fault === 'disk-full') await run('prlimit', ['--pid', String(pid), '--fsize=0:']);
  else if (fault === 'folder-removed') await Promise.all((await foldersOf(lookout, output)).map((folder) => rm(folder, { recursive: true, force: true })));
  else await lookout.api('POST', `/api/v1/cameras/${id}/faults`, { body: { fault, target: output } });
  await eventually(async () => {
    const view = (await lookout.camera(id)).outputs[output];
    return view.lastError !== null && view.lastError.at !== before.outputs[output].lastError?.at && view.lastError.class === cls;
  }, { timeoutMs: 20_000, what: `${output} to fail with ${cls}` });
}

async function foldersOf({ dataDir }: Lookout, output: OutputName): Promise<string[]> {
  if (output === 'record') return [join(dataDir, 'recordings', id)];
  return (await readdir(join(dataDir, 'hls'))).map((name) => join(dataDir, 'hls', name));
}

/** The process that waits for the next picture is hurt: whoever asks next gets a picture all the same, from another one. */
async function hurtSnapshot(lookout: Lookout, { fault }: OutputFault): Promise<void> {
  const pidOf = async (): Promise<number | undefined> => (await lookout.camera(id)).outputs.snapshot.host?.pid;
  assert.equal(await snapshot(lookout, '?width=64'), 200);
  const was = await pidOf();
  assert.ok(was, 'a process waits for the next picture');
  const hurt = await fetch(`${lookout.url}/api/v1/cameras/${id}/faults`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ fault, target: 'snapshot' }) });
  assert.equal(hurt.ok, true);
  assert.equal(await snapshot(lookout, '?width=66'), 200, 'who asks next gets a picture');
  assert.notEqual(await pidOf(), was);
}

/** What is not the row's output went on: same processes, same states, nothing missing in between. */
function untouched(was: State, now: State, { row, began }: { row: OutputFault; began: number }): void {
  assert.deepEqual([now.view.host?.pid, now.view.state, now.view.restarts], [was.view.host?.pid, was.view.state, was.view.restarts], 'the source went on');
  assert.deepEqual([now.producer.id, now.producer.packetsLost], [was.producer.id, was.producer.packetsLost], 'live view lost nothing');
  for (const name of names.filter((other) => other !== row.output)) assert.equal(now.view.outputs[name].host?.pid, was.view.outputs[name].host?.pid, `${name} went on`);
  if (row.output !== 'record') assert.deepEqual(now.rows.filter(({ startAt, gapBefore }) => Date.parse(startAt) > began && gapBefore !== null), [], 'recordings have no gap');
  if (row.output !== 'hls') assert.deepEqual(now.segments.filter(({ programDateTime, discontinuity }) => programDateTime!.getTime() > began && discontinuity), [], 'HLS has no discontinuity');
}
