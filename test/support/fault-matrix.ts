/** Makes a test of each row of the fault matrix: what `npm test` runs of it, and what `test:long` does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from './eventually.ts';
import { startFaultRig, type FaultRig } from './fault-rig.ts';
import { runFault, type FaultOutcome } from './fault-run.ts';
import type { FaultCase } from './fault-table.ts';

/** `positions`: how many of the eight cameras are the victim of each fault. `done` hears all outcomes when every row passed. */
export function matrixTests({ rows, positions, done }: { rows: readonly FaultCase[]; positions: number; done?: (outcomes: FaultOutcome[]) => void }): void {
  let rig: FaultRig;
  const outcomes: FaultOutcome[] = [];
  const only = process.env['LOOKOUT_FAULT'];
  const chosen = rows.filter(({ fault }) => only === undefined || new RegExp(only, 'u').test(fault));

  before(async () => {
    rig = await startFaultRig();
  });
  after(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  for (const [index, row] of chosen.entries()) {
    for (let position = 0; position < positions; position += 1) {
      const victim = `cam${((index + position) % 8) + 1}`;
      const outcome = row.class === null ? 'the stream goes on' : `the journal says ${row.class}, the camera comes back`;
      test(`camera ${victim} ${row.fault}: ${outcome}, its neighbours lose nothing`, async (t) => {
        const measured = await runFault(rig, row, victim);
        outcomes.push(measured);
        t.diagnostic(`detected after ${measured.detectMs ?? '–'} ms, live ${measured.recoverMs} ms after its end`);
      });
    }
  }

  test('after all that nothing is orphaned', async () => {
    await eventually(async () => {
      const text = await (await fetch(`${rig.lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
      return /vms_media_orphans (\d+)/u.exec(text)?.[1] === '0';
    }, { timeoutMs: 15_000, what: 'vms_media_orphans to read 0' });
    assert.equal((await rig.lookout.cameras()).length, rig.ids.length);
    if (outcomes.length === chosen.length * positions) done?.(outcomes);
  });
}
