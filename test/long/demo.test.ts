/** One whole round of the demo under the delays as shipped: variety soon, no tile that waits long, no quarantine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { episodes } from '../../src/camera-sim/demo.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';

const failing = 'server-room';
const firstGoodMs = 15_000;
const roundMs = firstGoodMs + episodes.reduce((sum, { ms, restMs }) => sum + ms + restMs, 0);

test('the demo shows three kinds of failure in two minutes, never waits longer than 15 s and never quarantines', async (t) => {
  await using lookout = await startLookout({ demo: true, config: { supervision: {} } });
  const began = Date.now();
  await eventually(async () => (await lookout.cameras()).length === 4, { timeoutMs: 15_000, what: 'the demo cameras' });
  const classes = async (): Promise<Set<string>> => new Set((await lookout.events(failing)).flatMap(({ class: cls }) => cls ?? []));
  await eventually(async () => (await classes()).size >= 3, { timeoutMs: 120_000, what: 'three classes of failure' });
  t.diagnostic(`three classes after ${Math.round((Date.now() - began) / 1_000)} s`);
  // The round itself is what is looked at; its end is a time, and it ends well only if the camera is live in the last rest.
  await eventually(() => Date.now() - began > roundMs - 5_000, { timeoutMs: roundMs + 10_000, what: 'the end of the round' });

  const events = await lookout.events(failing);
  assert.deepEqual(events.filter(({ delayMs }) => (delayMs ?? 0) > 15_000), []);
  assert.deepEqual(events.filter(({ to }) => to === 'quarantined'), []);
  assert.equal((await lookout.camera(failing)).state, 'streaming');
  const away = absences(events.toReversed().map(({ at, to }) => ({ at: Date.parse(at), live: to === 'streaming.live' })));
  assert.ok(Math.max(...away) <= 25_000, `away for ${away.join(', ')} ms`);
  for (const { id, restarts } of await lookout.cameras()) if (id !== failing) assert.equal(restarts, 0, `${id} never failed`);
  t.diagnostic(`${[...(await classes())].join(', ')}; away at most ${Math.max(...away)} ms`);
});

/** How long the camera was not live each time, from rows oldest first. */
function absences(rows: { at: number; live: boolean }[]): number[] {
  const found: number[] = [];
  let left: number | undefined;
  for (const { at, live } of rows) {
    if (!live) left ??= at;
    else if (left !== undefined) {
      found.push(at - left);
      left = undefined;
    }
  }
  return found;
}
