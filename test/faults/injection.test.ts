/** The switch of fault injection, and what an injection says: without `faults.enabled` nothing can be broken, with it nothing is broken in silence. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FaultView } from '../../src/api/faults.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const path = '/api/v1/cameras/gate/faults';
type Refusal = { code: string; message: string };

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }] });
  lookout = await startLookout({ config: { faults: { enabled: true } } });
  await lookout.add({ id: 'gate', url: cameras.url('gate') });
  await lookout.until('gate', 'streaming.live');
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

test('without the switch every fault is refused with the way to switch it on, and the camera goes on', async () => {
  await using plain = await startLookout();
  await plain.add({ id: 'gate', url: cameras.url('gate') });
  const { host } = await plain.until('gate', 'streaming.live');
  for (const fault of ['kill-host', 'kill-worker', 'silence', 'throw-in-actor']) {
    const refused = await plain.api<Refusal>('POST', path, { body: { fault }, expect: 403 });
    assert.equal(refused.code, 'LOOKOUT_FAULTS_DISABLED');
    assert.match(refused.message, /faults: \{enabled: true\}/u);
  }
  assert.equal((await plain.events('gate')).some(({ type }) => type === 'fault.injected'), false);
  assert.equal((await plain.camera('gate')).host?.pid, host?.pid);
});

test('an injection names the process it hit, and stands in the journal before what it caused', async () => {
  const { host } = await lookout.camera('gate');
  const view = await lookout.api<FaultView>('POST', path, { body: { fault: 'kill-host' }, expect: 202 });
  assert.deepEqual(view, { camera: 'gate', fault: 'kill-host', pid: host?.pid, rate: null, until: null });
  const rows = await eventually(async () => {
    const journal = (await lookout.events('gate')).toReversed();
    return journal.some(({ class: cls }) => cls === 'host-crash') ? journal : undefined;
  });
  const injected = rows?.findIndex(({ type }) => type === 'fault.injected') ?? -1;
  assert.ok(injected >= 0 && injected < (rows?.findIndex(({ class: cls }) => cls === 'host-crash') ?? -1));
  assert.match(rows?.[injected]?.message ?? '', /kill-host/u);
  await lookout.until('gate', 'streaming.live');
});

test('silence that was injected ends by itself: the same source goes on', async () => {
  const { host } = await lookout.until('gate', 'streaming.live');
  const { until } = await lookout.api<FaultView>('POST', path, { body: { fault: 'silence', seconds: 1.5 }, expect: 202 });
  assert.ok(Date.parse(until ?? '') > Date.now());
  await lookout.until('gate', 'streaming.stalled', 4_000);
  await lookout.until('gate', 'streaming.live', 4_000);
  assert.equal((await lookout.camera('gate')).host?.pid, host?.pid);
});

test('numbers a fault has no use for are refused instead of ignored', async () => {
  for (const body of [{ fault: 'kill-host', seconds: 1 }, { fault: 'silence', rate: 0.5 }, { fault: 'drop-packets', rate: 1.1 }, { fault: 'viewer-flood', rate: 501 }]) {
    assert.equal((await lookout.api<Refusal>('POST', path, { body, expect: 400 })).code, 'LOOKOUT_VALIDATION');
  }
});

test('what is not there cannot be broken', async () => {
  assert.match((await lookout.api<Refusal>('POST', path, { body: { fault: 'kill-host', target: 'record' }, expect: 503 })).message, /no record host/u);
  await lookout.api('POST', '/api/v1/cameras/gate/stop');
  await lookout.until('gate', 'stopped');
  assert.match((await lookout.api<Refusal>('POST', path, { body: { fault: 'freeze-host' }, expect: 503 })).message, /no source host/u);
});
