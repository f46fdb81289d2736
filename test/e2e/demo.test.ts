/** The demo: what a newcomer sees, and how it ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let lookout: Lookout;
let own: SimulatorProcess & AsyncDisposable;

before(async () => {
  own = await startSimulator({ mounts: [{ name: 'own', video: 'tiny-320x180-main' }] });
  lookout = await startLookout({ demo: true });
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await own?.[Symbol.asyncDispose]();
});

const simulators = async (): Promise<number[]> => (await lookout.children()).filter(({ command }) => command.includes('camera-sim')).map(({ pid }) => pid);
const orphans = async (): Promise<string | undefined> => /vms_media_orphans (\d+)/u.exec(await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text())?.[1];

test('with no camera configured four simulated cameras are live', async () => {
  await eventually(async () => (await lookout.cameras()).filter(({ substate }) => substate === 'live').length >= 3, { timeoutMs: 15_000 });
  assert.equal((await lookout.cameras()).length, 4);
  assert.deepEqual((await lookout.cameras()).filter(({ sub }) => sub?.state === 'idle').map(({ id }) => id).toSorted(), ['entrance', 'loading-dock', 'parking'], 'nobody watches yet');
  assert.equal((await simulators()).length, 1);
  assert.match(lookout.lines.join('\n'), /Open {2}http:\/\/127\.0\.0\.1:\d+\/#token=/u);
});

test('cameras whose process is killed come back at the same addresses', async () => {
  const [pid] = await simulators();
  assert.ok(pid);
  const before = (await lookout.cameras()).map(({ url }) => url);
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const [now] = await simulators();
    return now !== undefined && now !== pid && (await lookout.cameras()).filter(({ substate }) => substate === 'live').length >= 3;
  }, { timeoutMs: 40_000, what: 'the cameras to be live again' });
  assert.deepEqual((await lookout.cameras()).map(({ url }) => url), before);
  await eventually(async () => (await orphans()) === '0', { timeoutMs: 12_000, what: 'no orphans' });
});

test('adding a first real camera ends the demo, its simulator included', async () => {
  const [pid] = await simulators();
  assert.ok(pid);
  await lookout.add({ id: 'own', url: own.url('own') });
  await lookout.until('own', 'streaming.live');
  assert.deepEqual((await lookout.cameras()).map(({ id }) => id), ['own']);
  await eventually(async () => !(await isAlive(pid)), { timeoutMs: 5_000, what: 'the simulator to end' });
  await eventually(async () => (await orphans()) === '0', { timeoutMs: 12_000, what: 'no orphans' });
});

test('after a restart the real camera runs again and no demo begins', async () => {
  const { dataDir } = lookout;
  await lookout.stop('SIGTERM');
  lookout = await startLookout({ dataDir, demo: true });
  await lookout.until('own', 'streaming.live');
  assert.deepEqual((await lookout.cameras()).map(({ id }) => id), ['own']);
  assert.equal((await simulators()).length, 0);
});
