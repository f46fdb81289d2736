/** The real program with several outputs to a process (`hosts.outputsPerHost`): one that ends leaves the others as they were, and what the process does is repaired for all, while pictures go on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CameraView, RecordingView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const ids = ['one', 'two'];
const kinds = ['record', 'hls'] as const;
const frames = { mode: 'always', width: 160, height: 90, fps: 5, format: 'GRAY8' } as const;

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', audio: 'beep-aac' })) });
  lookout = await startLookout({ config: { faults: { enabled: true }, hosts: { outputsPerHost: 8 }, hls: { segmentSeconds: 1 }, recordings: { minFreeBytes: 0 } } });
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), outputs: { live: { feed: 'always' }, record: { mode: 'continuous', segmentSeconds: 2 }, hls: { mode: 'always' }, frames } });
  for (const id of ids) await running(id);
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const pid = (view: CameraView, output: 'record' | 'hls' | 'frames'): number => view.outputs[output].host?.pid ?? 0;

async function running(id: string, other = 0): Promise<void> {
  await eventually(async () => {
    const view = await lookout.camera(id);
    return kinds.every((kind) => view.outputs[kind].state === 'running' && ![0, other].includes(pid(view, kind)));
  }, { timeoutMs: 20_000, what: `the outputs of ${id}` });
}

async function recordings(id: string): Promise<RecordingView[]> {
  return (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${id}&limit=200`)).recordings.toReversed();
}

/** Waits for two more files of a camera; from the last one before it on, each follows the one before. */
async function recordsOn(id: string): Promise<void> {
  const from = (await recordings(id)).length;
  await eventually(async () => (await recordings(id)).filter(({ closed }) => closed).length >= from + 2, { timeoutMs: 20_000, what: `two more files of ${id}` });
  const rows = (await recordings(id)).slice(from - 1);
  for (const [index, row] of rows.slice(0, -1).entries()) assert.ok(Math.abs(Date.parse(rows[index + 1]!.startAt) - Date.parse(row.endAt!)) < 200, `${row.path} ends at ${row.endAt}, the next one begins at ${rows[index + 1]!.startAt}`);
}

test('recordings and HLS of all cameras share a process; what decodes has one of its own', async () => {
  const views = await lookout.cameras();
  assert.equal(new Set(views.flatMap((view) => kinds.map((kind) => pid(view, kind)))).size, 1);
  assert.equal(new Set(views.flatMap((view) => [pid(view, 'frames'), view.host!.pid, pid(view, 'record')])).size, 5);
});

test('an output that is turned off, and a source that ends, leave the others of the process as they were', async () => {
  const was = await lookout.camera('two');
  await recordsOn('two');
  await lookout.api('PATCH', '/api/v1/cameras/one', { body: { outputs: { hls: { mode: 'off' } } } });
  await eventually(async () => (await lookout.camera('one')).outputs.hls.state === 'off', { what: 'HLS to be off' });
  await recordsOn('one');
  await cameras.act('one', { type: 'reset' });
  await eventually(async () => (await lookout.camera('one')).lastError?.class === 'reset', { what: 'the reset' });
  await recordsOn('two');
  const now = await lookout.camera('two');
  assert.deepEqual(kinds.map((kind) => [pid(now, kind), now.outputs[kind].lastError]), kinds.map((kind) => [pid(was, kind), null]));
  await lookout.api('PATCH', '/api/v1/cameras/one', { body: { outputs: { hls: { mode: 'always' } } } });
  await running('one');
  const again = await lookout.camera('one');
  assert.deepEqual(kinds.map((kind) => pid(again, kind)), kinds.map((kind) => pid(was, kind)), 'it sits down where the others are');
});

test('the end of the process is the failure of all outputs in it, told with its cause; all return, and no source noticed', async () => {
  const was = await lookout.cameras();
  const before = pid(was[0]!, 'record');
  await lookout.api('POST', '/api/v1/cameras/one/faults', { body: { fault: 'kill-host', target: 'record' } });
  for (const { id } of was) await running(id, before);
  for (const { id, host, since } of was) {
    const now = await lookout.camera(id);
    assert.deepEqual([now.host?.pid, now.since, now.outputs.record.lastError?.class], [host?.pid, since, 'host-crash']);
    const rows = await lookout.events(id);
    assert.match(rows.find(({ type }) => type === 'output.lost')?.evidence ?? '', /SIGKILL; it was shared by 4 outputs/u);
    const injected = rows.find(({ type }) => type === 'fault.injected');
    assert.match(injected?.message ?? '', id === 'one' ? /The process is shared by two\./u : /shares with one: kill-host/u);
  }
  const found = (await recordings('one')).filter(({ closed }) => closed);
  assert.ok(found.every(({ frames: held, durationMs }) => held > 0 && durationMs > 0), 'what was open is made whole');
  await eventually(async () => /^vms_media_orphans 0$/mu.test(await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text()), { timeoutMs: 15_000, what: 'vms_media_orphans to read 0' });
});
