/** Runs one row of the fault matrix on the stage, and says what it proved. */
import assert from 'node:assert/strict';
import type { CameraView, EventView } from '../../src/api/protocol.ts';
import { eventually } from './eventually.ts';
import { harm, holdings, journalAfter, settledHoldings, undecoded, VoidRun, type FaultRig } from './fault-rig.ts';
import type { FaultCase, FaultScene } from './fault-table.ts';

/** What a row measured. `detectMs`: fault to failure in the journal; `recoverMs`: end of the fault to live again. */
export type FaultOutcome = { fault: string; class: string | null; detectMs: number | null; recoverMs: number };

const tries = 3;
/** After a worker's death a viewer may sit on a connection without packets until the page's own watch (10 s) makes it join again. */
const pictureMs = 20_000;

/** Runs it; a void run is repeated. */
export async function runFault(rig: FaultRig, row: FaultCase, victim: string): Promise<FaultOutcome> {
  for (let left = tries - 1; ; left -= 1) {
    try {
      return await runOnce(rig, row, victim);
    } catch (error) {
      if (left === 0 || !(error instanceof VoidRun)) throw error;
    }
  }
}

async function runOnce(rig: FaultRig, row: FaultCase, victim: string): Promise<FaultOutcome> {
  const { lookout, cameras } = rig;
  await settled(rig);
  const baseline = await settledHoldings(rig);
  rig.controlLoss();
  const before = await rig.state();
  const seq = Math.max(0, ...(await lookout.events(victim)).map((event) => event.seq));
  const scene: FaultScene = { id: victim, cameras, inject: (request) => rig.inject(victim, request), command: (verb) => lookout.api('POST', `/api/v1/cameras/${victim}/${verb}`) };

  if (row.recorded) await record(rig, victim, 'continuous');
  let began = Date.now();
  const begin = async (): Promise<void> => void (began = Date.now(), await row.begin(scene));
  if (row.fresh) await rig.renew(victim, begin);
  else await begin();
  let ended = 0;
  const detected = await (row.class === null ? noFailure(rig, { victim, seq, ms: row.detectMs }) : failureOf(rig, { row, victim, seq })).finally(async () => {
    ended = Date.now();
    await row.end?.(scene);
  });
  const live = await eventually(() => recovered(rig, { victim, row, seq }), { timeoutMs: row.recoverMs, what: `${victim} to be live after "${row.fault}"` });
  if (row.recorded) await record(rig, victim, 'off');
  await pictureMoves(rig, victim);
  const after = await rig.state();
  const shared = (id: string): boolean => row.touches === 'worker' && before.workers.get(id) === before.workers.get(victim);
  const told = harm(before, after, { victim, spared: shared });
  if (told.length > 0 && rig.controlLoss() > 0) throw new VoidRun(told.join('; '));
  assert.deepEqual(told, [], 'what the neighbours suffered');
  await eventually(async () => {
    assert.deepEqual(undecoded([before, after, await rig.state()], { victim, spared: shared }), []);
    return true;
  }, { timeoutMs: 4_000 });
  await eventually(() => {
    assert.deepEqual(holdings(lookout.pid), baseline, 'what the program holds');
    return true;
  }, { timeoutMs: 5_000 });
  return { fault: row.fault, class: row.class, detectMs: detected === null ? null : Date.parse(detected.at) - began, recoverMs: Math.max(0, live - ended) };
}

/** All cameras live with a moving picture, nothing left over from the row before. */
async function settled(rig: FaultRig): Promise<void> {
  await eventually(async () => {
    const { cameras, consumers } = await rig.state();
    return rig.ids.every((id) => cameras.get(id)?.substate === 'live' && consumers[id] !== undefined);
  }, { timeoutMs: 15_000, what: 'all cameras live and watched' });
  await Promise.all(rig.ids.map((id) => pictureMoves(rig, id)));
}

async function failureOf({ lookout }: FaultRig, { row, victim, seq }: { row: FaultCase; victim: string; seq: number }): Promise<EventView> {
  const seen = (): Promise<EventView[]> => journalAfter(lookout, victim, seq);
  // A source that meets the change while it connects fails with the same class; the change itself is told once the new form is seen.
  const fits = (event: EventView): boolean => event.class === row.class && (row.code === undefined || event.code === row.code) && (row.class !== 'media-changed' || event.type === 'media.changed');
  return await eventually(async () => (await seen()).find(fits), { timeoutMs: row.detectMs + 500 })
    .catch(async () => assert.fail(`no "${row.class}" within ${row.detectMs} ms; journal: ${(await seen()).map((event) => `${event.type} ${event.to ?? ''} ${event.class ?? ''}/${event.code ?? ''}`).join(', ')}`)) as EventView;
}

/** The fault lasts, and the camera stays live. */
async function noFailure({ lookout }: FaultRig, { victim, seq, ms }: { victim: string; seq: number; ms: number }): Promise<null> {
  const until = Date.now() + ms;
  await eventually(async () => {
    const failed = (await journalAfter(lookout, victim, seq)).filter((event) => event.class !== null);
    assert.deepEqual(failed.map((event) => `${event.class}/${event.code}`), []);
    return Date.now() >= until;
  }, { timeoutMs: ms + 1_000 });
  return null;
}

/** When it became live again, ms since the epoch; 0 while it has not. */
async function recovered({ lookout }: FaultRig, { victim, row, seq }: { victim: string; row: FaultCase; seq: number }): Promise<number> {
  const view = await lookout.camera(victim);
  if (view.substate !== 'live' || view.outputs.live.state !== 'open') return 0;
  const rows = await journalAfter(lookout, victim, seq);
  if (row.recorded) return whenBack(view, rows);
  // There and back again: only then is the fault over.
  if (row.class === 'media-changed' && rows.filter(({ type }) => type === 'media.changed').length < 2) return 0;
  const live = rows.findLast((event) => event.to === 'streaming.live');
  // In mid-stream nothing but the journal's note may happen: the camera never left `live`.
  return live ? Date.parse(live.at) : row.class === null || row.class === 'media-changed' || row.class === 'sfu' ? Date.now() : 0;
}

/** When the recorder ran again. The camera itself must never have left `live`. */
function whenBack(view: CameraView, rows: EventView[]): number {
  assert.deepEqual(rows.filter(({ type }) => type === 'camera.transition').map(({ to }) => to), [], 'the camera heard of its recorder');
  const ready = rows.findLast(({ type }) => type === 'output.ready');
  return ready && view.outputs.record.state === 'running' ? Date.parse(ready.at) : 0;
}

async function record({ lookout }: FaultRig, id: string, mode: 'continuous' | 'off'): Promise<void> {
  await lookout.api('PATCH', `/api/v1/cameras/${id}`, { body: { outputs: { record: { mode, segmentSeconds: 2 } } } });
  await eventually(async () => {
    const { state, file } = (await lookout.camera(id)).outputs.record;
    return mode === 'off' ? state === 'off' : state === 'running' && file !== null;
  }, { timeoutMs: 10_000, what: `recording of ${id} to be ${mode}` });
}

async function pictureMoves({ viewers }: FaultRig, id: string): Promise<void> {
  const before = (await viewers.read())[id];
  await eventually(async () => {
    const now = (await viewers.read())[id];
    return now !== undefined && (now.connection !== before?.connection ? now.decoded > 2 : now.decoded > before.decoded + 2);
  }, { timeoutMs: pictureMs, what: `the picture of ${id} to move` });
}
