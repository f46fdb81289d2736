/** Planned restarts on the real program, watched in Chromium: the new source takes over and nobody's picture stands still. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { harm, journalAfter, settledHoldings, startFaultRig, type FaultRig } from '../support/fault-rig.ts';
import { isAlive } from '../support/lookout.ts';

const victim = 'cam1';
/** Of the clip. */
const keyframeIntervalMs = 1_000;
let rig: FaultRig;
before(async () => {
  rig = await startFaultRig(3, { supervision: { resetAfterMs: 500 } });
});
after(() => rig?.[Symbol.asyncDispose]());

/** Does something to the camera and waits until another source feeds; then nobody, the camera included, may have lost anything. */
async function seamless(t: TestContext, begin: () => Promise<unknown>): Promise<void> {
  const held = await settledHoldings(rig);
  rig.controlLoss();
  const was = await rig.state();
  const seq = Math.max(0, ...(await rig.lookout.events(victim)).map((event) => event.seq));
  const pid = was.cameras.get(victim)?.host?.pid ?? 0;
  await rig.viewers.frames();
  await begin();
  const rows = await eventually(async () => {
    const found = await journalAfter(rig.lookout, victim, seq);
    return found.some(({ type }) => type === 'source.replaced' || type === 'source.notReplaced') ? found : undefined;
  }, { timeoutMs: 20_000, what: 'the new source to take over' }) ?? [];
  assert.deepEqual(rows.map(({ type }) => type).filter((type) => type.startsWith('source.')), ['source.replacing', 'source.replaced'], rows.map(({ message }) => message).join('\n'));
  assert.ok(!rows.some(({ type }) => type === 'camera.transition'), 'the camera stayed live');
  await eventually(async () => !(await isAlive(pid)), { timeoutMs: 5_000, what: 'the old host to be reaped' });
  // Frames of the new source have to come for a while, or nothing is proved about them.
  const enough = (was.consumers[victim]?.decoded ?? 0) + 100;
  await eventually(async () => ((await rig.viewers.read())[victim]?.decoded ?? 0) >= enough, { timeoutMs: 20_000, what: 'its pictures' });
  const times = (await rig.viewers.frames())[victim] ?? [];
  const [from, to] = ['source.replacing', 'source.replaced'].map((type) => Date.parse(rows.find((row) => row.type === type)?.at ?? ''));
  const still = Math.round(Math.max(...times.slice(1).map((time, index) => time - times[index]!)));
  t.diagnostic(`took ${(to ?? 0) - (from ?? 0)} ms; longest time between two of the camera's frames: ${still} ms`);
  const now = await rig.state();
  assert.notEqual(now.cameras.get(victim)?.host?.pid, pid);
  const everybody = { victim: 'nobody', spared: () => false };
  const harmed = harm(was, now, everybody).filter((told) => told !== `${victim} has another host`);
  if (rig.controlLoss() === 0) {
    assert.deepEqual(harmed, []);
    assert.ok(still < keyframeIntervalMs * 0.9, `a picture stood still for ${still} ms, as if it had waited for the next keyframe`);
  }
  assert.deepEqual(await settledHoldings(rig), held, 'processes, ports and descriptors are what they were');
}

test('a restart of a live camera is not seen by its viewers: same connection, no sequence gap, no picture that stands still', async (t) => {
  await seamless(t, () => rig.lookout.api('POST', `/api/v1/cameras/${victim}/restart`));
});

test('a second restart finds everything as the first did', async (t) => {
  await seamless(t, () => rig.lookout.api('POST', `/api/v1/cameras/${victim}/restart`));
});

test('a changed address is taken over at a keyframe too', async (t) => {
  await seamless(t, () => rig.lookout.api('PATCH', `/api/v1/cameras/${victim}`, { body: { url: rig.cameras.url('control') } }));
  assert.match((await rig.lookout.camera(victim)).url, /control/u);
});

test('a new address that refuses ends in the ordinary way: the journal says why, and the camera waits', async () => {
  const seq = Math.max(0, ...(await rig.lookout.events(victim)).map((event) => event.seq));
  await rig.cameras.script('cam2', { listen: 'closed' });
  await rig.lookout.api('PATCH', `/api/v1/cameras/${victim}`, { body: { url: rig.cameras.url('cam2') } });
  const row = await eventually(async () => (await journalAfter(rig.lookout, victim, seq)).find(({ type }) => type === 'source.notReplaced'), { timeoutMs: 10_000, what: 'the refusal' });
  assert.equal(row?.class, 'refused');
  await rig.lookout.until(victim, 'backoff');
  await rig.cameras.script('cam2', { listen: 'open' });
  await rig.lookout.until(victim, 'streaming.live');
});
