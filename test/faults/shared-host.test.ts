/** The real program with several cameras to a process: what one camera does costs no neighbour a packet, and what the process does is repaired for all. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CameraView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const ids = ['one', 'two', 'three', 'four'];

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'parking-360p-main' })) });
  lookout = await startLookout({ config: { faults: { enabled: true }, hosts: { sourcesPerHost: 3 } } });
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), outputs: { live: { feed: 'always' } } });
  for (const id of ids) await lookout.until(id, 'streaming.live');
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const pidOf = (view: CameraView | undefined): number => view?.host?.pid ?? 0;
const metric = async (name: RegExp): Promise<string | undefined> => name.exec(await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text())?.[1];

/** What the SFU got of these cameras since they began, by its own count. */
async function received(of: readonly string[]): Promise<{ camera: string; packets: number; lost: number }[]> {
  const { producers } = await lookout.sfu();
  return producers.filter(({ camera, role }) => of.includes(camera) && (role === undefined || role === 'ingest')).map(({ camera, packetCount, packetsLost }) => ({ camera, packets: packetCount, lost: packetsLost }));
}

/** Does something to a camera; its neighbours keep state and process, and lose nothing. */
async function spares(victim: string, happen: () => Promise<unknown>): Promise<void> {
  const neighbours = ids.filter((id) => id !== victim);
  const [was, got] = [await lookout.cameras(), await received(neighbours)];
  await happen();
  await eventually(async () => {
    const now = await received(neighbours);
    return now.length === got.length && now.every(({ packets }, index) => packets > (got[index]?.packets ?? 0) + 50);
  }, { timeoutMs: 15_000, what: 'packets of the neighbours' });
  assert.deepEqual((await received(neighbours)).map(({ camera, lost }) => ({ camera, lost })), got.map(({ camera, lost }) => ({ camera, lost })));
  for (const before of was.filter(({ id }) => id !== victim)) {
    const now = await lookout.camera(before.id);
    assert.deepEqual([pidOf(now), now.since], [pidOf(before), before.since], before.id);
  }
}

test('cameras share processes, and figures and views tell the same pids', async () => {
  const pids = (await lookout.cameras()).map(pidOf);
  const counts = [...Map.groupBy(pids, (pid) => pid).values()].map((group) => group.length).sort();
  assert.deepEqual(counts, [1, 3]);
  assert.equal(await metric(/vms_media_hosts\{role="source"\} (\d+)/u), '2');
  const share = async (id: string): Promise<number> => Number(await metric(new RegExp(`vms_media_host_rss_bytes\\{camera="${id}",role="source"\\} (\\d+)`, 'u')));
  const [shared, own] = [await share('one'), await share('four')];
  assert.ok(shared > 0 && shared < own * 0.6, `a third of a process is ${shared} bytes, a whole one ${own}`);
});

test('a connection that is reset, and a camera that is gone, cost the neighbours in the process no packet', async () => {
  await spares('one', async () => {
    await cameras.act('one', { type: 'reset' });
    await eventually(async () => (await lookout.camera('one')).lastError?.class === 'reset', { what: 'the reset' });
    await lookout.until('one', 'streaming.live');
  });
  await spares('two', async () => {
    await cameras.script('two', { status: { code: 404 } });
    await cameras.act('two', { type: 'close' });
    await lookout.until('two', 'backoff');
    await cameras.script('two', { status: null });
    await lookout.until('two', 'streaming.live');
  });
});

test('a planned restart takes over in another process, and leaves its place in the old one', async () => {
  const was = pidOf(await lookout.camera('one'));
  await spares('one', async () => {
    await lookout.api('POST', '/api/v1/cameras/one/restart');
    await eventually(async () => ![0, was].includes(pidOf(await lookout.camera('one'))), { timeoutMs: 15_000, what: 'the new source' });
  });
  assert.equal((await lookout.camera('one')).substate, 'live');
});

test('the end of the process is the failure of all in it, told with its cause, and all return', async () => {
  const was = await lookout.cameras();
  const group = [...Map.groupBy(was, pidOf).values()].find((views) => views.length > 1) ?? [];
  const [first, second] = group;
  assert.ok(first && second);
  await lookout.api('POST', `/api/v1/cameras/${first.id}/faults`, { body: { fault: 'kill-host' } });
  for (const { id } of group) {
    await eventually(async () => {
      const view = await lookout.camera(id);
      return view.substate === 'live' && ![0, pidOf(first)].includes(pidOf(view));
    }, { timeoutMs: 15_000, what: `${id} to return` });
    const rows = await lookout.events(id);
    const lost = rows.find(({ to, class: cls }) => to === 'teardown' && cls === 'host-crash');
    assert.match(lost?.evidence ?? '', new RegExp(`SIGKILL; it was shared by ${group.length} sources`, 'u'));
    const injected = rows.find(({ type }) => type === 'fault.injected');
    assert.match(injected?.message ?? '', id === first.id ? /The process is shared by / : new RegExp(`shares with ${first.id}: kill-host`, 'u'));
  }
  for (const view of was.filter(({ id }) => !group.some((other) => other.id === id))) assert.equal(pidOf(await lookout.camera(view.id)), pidOf(view));
});

test('after all that nothing is orphaned', async () => {
  await eventually(async () => (await metric(/vms_media_orphans (\d+)/u)) === '0', { timeoutMs: 15_000, what: 'vms_media_orphans to read 0' });
});
