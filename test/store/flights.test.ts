/** Recordings on a real disk: with their row, the newest of each camera, gone with it. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { EventView } from '../../src/api/protocol.ts';
import { createLog } from '../../src/log.ts';
import { createFlightQueue } from '../../src/store/flight-queue.ts';
import { openStore } from '../../src/store/index.ts';
import type { NewEvent, Store, StoredFlight } from '../../src/store/types.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';

const flight = (n: number): StoredFlight => ({ head: JSON.stringify({ n, text: 'RTSP/1.0 200 OK'.repeat(100) }), runs: new Uint8Array(4096).fill(n) });
const event = (camera: string, n: number): NewEvent => ({ at: 1_700_000_000_000 + n, camera, type: 'camera.transition', from: 'streaming.live', to: 'teardown', class: 'reset', code: 'x', message: `event ${n}`, evidence: null, attempt: n, delayMs: null });

async function bench(t: TestContext, flightsPerCamera: number): Promise<{ store: Store; reopen: () => Promise<Store> }> {
  const dir = await temporaryDir(t);
  const reopen = async () => {
    const store = await openStore({ dir, log: createLog({ level: 'silent' }), flightsPerCamera });
    defer(t, () => store.close());
    return store;
  };
  return { store: await reopen(), reopen };
}

test('a recording is found by its row at once, after it was written, and after a restart', async (t) => {
  const { store, reopen } = await bench(t, 5);
  const row = store.journal.append({ ...event('gate', 1), recording: flight(1) });
  const plain = store.journal.append(event('gate', 2));
  assert.deepEqual([row.recording, plain.recording], [true, false]);
  assert.equal('runs' in row, false);
  const found = async (where: Store): Promise<void> => {
    assert.deepEqual(await where.flights.find({ camera: 'gate', seq: row.seq }), flight(1));
    assert.equal(await where.flights.find({ camera: 'gate', seq: plain.seq }), undefined);
    assert.equal(await where.flights.find({ camera: 'yard', seq: row.seq }), undefined);
    assert.deepEqual((await where.journal.list({ camera: 'gate', limit: 10 })).map(({ recording }) => recording), [false, true]);
  };
  await found(store);
  await store.journal.flush();
  await found(store);
  await store.close();
  await found(await reopen());
});

test('of each camera the newest recordings are kept, and a row whose recording is gone says so', async (t) => {
  const { store } = await bench(t, 3);
  for (let n = 0; n < 8; n += 1) for (const camera of ['gate', 'yard']) store.journal.append({ ...event(camera, n), ...(camera === 'gate' || n === 0 ? { recording: flight(n) } : {}) });
  await store.journal.flush();
  const kept = async (camera: string) => (await store.journal.list({ camera, limit: 20 })).map(({ recording }) => recording);
  assert.deepEqual(await kept('gate'), [true, true, true, false, false, false, false, false]);
  assert.deepEqual(await kept('yard'), [...Array<boolean>(7).fill(false), true]);
});

test('no recording is kept where none is wanted', async (t) => {
  const { store } = await bench(t, 0);
  store.journal.append({ ...event('gate', 1), recording: flight(1) });
  await store.journal.flush();
  assert.deepEqual((await store.journal.list({ camera: 'gate', limit: 1 })).map(({ recording }) => recording), [false]);
});

test('recordings go with their camera, those that wait for the disk too', async (t) => {
  const { store } = await bench(t, 5);
  await store.cameras.put({ id: 'gate', url: 'rtsp://10.0.0.1/gate' });
  const rows = ['gate', 'demo', 'yard'].map((camera) => store.journal.append({ ...event(camera, 1), recording: flight(1) }));
  await store.journal.flush();
  const late = store.journal.append({ ...event('gate', 2), recording: flight(2) });
  await store.cameras.remove('gate');
  await store.flights.remove('demo');
  await store.journal.flush();
  const left = await Promise.all([...rows, late].map(({ camera, seq }) => store.flights.find({ camera, seq })));
  assert.deepEqual(left.map((found) => found !== undefined), [false, false, true, false]);
});

test('while the disk takes nothing, recordings are bounded by their bytes and the oldest go first', () => {
  const queue = createFlightQueue(3 * 5700);
  const rows = [1, 2, 3, 4, 5].map((seq) => ({ ...event('gate', seq), seq, at: '', recording: true }) as EventView);
  for (const row of rows) queue.add(row, flight(row.seq));
  assert.deepEqual(rows.map(({ recording }) => recording), [false, false, true, true, true]);
  assert.deepEqual(queue.of(rows).map(({ seq }) => seq), [3, 4, 5]);
  queue.drop(rows.slice(0, 4));
  queue.forget('gate');
  assert.deepEqual(queue.of(rows), []);
});
