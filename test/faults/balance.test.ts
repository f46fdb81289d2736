/** After a media worker's death the others carry all: cameras that nobody watches move to the new one, those with viewers stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const ids = ['one', 'two', 'three', 'four'];

test('cameras without viewers are spread over the workers again, and no camera is told to be lost for it', async () => {
  await using cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  await using lookout = await startLookout({ config: { faults: { enabled: true }, sfu: { workers: 2 } } });
  // Feeds stay open: what moves has packets on their way.
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), outputs: { live: { feed: 'always' } } });
  for (const id of ids) await lookout.until(id, 'streaming.live');
  const carriers = async (): Promise<Map<number, string[]>> => Map.groupBy(await lookout.cameras(), ({ worker }) => worker?.pid ?? 0) as never;
  const spread = async (): Promise<number[] | undefined> => {
    const loads = [...await carriers()].filter(([pid]) => pid !== 0).map(([, carried]) => carried.length);
    return loads.length === 2 && loads.every((load) => load === 2) ? loads : undefined;
  };
  await eventually(spread, { what: 'two cameras on each worker' });
  const before = new Set((await carriers()).keys());
  await lookout.api('POST', '/api/v1/cameras/one/faults', { body: { fault: 'kill-worker' } });
  await eventually(async () => [...(await carriers()).keys()].some((pid) => pid !== 0 && !before.has(pid)), { timeoutMs: 15_000, what: 'a camera on the new worker' });
  await eventually(spread, { timeoutMs: 15_000, what: 'two cameras on each worker again' });
  for (const id of ids) {
    const losses = (await lookout.events(id)).filter(({ class: cls }) => cls === 'sfu');
    assert.ok(losses.length <= 1, `${id}: ${losses.map(({ type, message }) => `${type} ${message}`).join('; ')}`);
    assert.equal((await lookout.camera(id)).substate, 'live');
  }
  // Each is carried where it is said to be: its packets arrive there.
  const counted = async (): Promise<Record<string, number>> => {
    const { producers } = await lookout.api<{ producers: { camera: string; packetCount: number }[] }>('GET', '/api/v1/sfu');
    return Object.fromEntries(producers.map(({ camera, packetCount }) => [camera, packetCount]));
  };
  const earlier = await counted();
  await eventually(async () => Object.entries(await counted()).filter(([id, packets]) => packets > (earlier[id] ?? 0)).length === ids.length, { what: 'packets of all cameras' });
});
