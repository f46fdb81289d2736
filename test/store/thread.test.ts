/** The store's thread when it dies: requests are refused at once, a new thread takes over, nothing in the batch is lost. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createLog } from '../../src/log.ts';
import { createJournal } from '../../src/store/journal.ts';
import { startStoreThread } from '../../src/store/thread.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';

const log = createLog({ level: 'silent' });

/** A thread whose workers the test can end, newest last. */
async function bench(t: TestContext) {
  const dir = await temporaryDir(t);
  const workers: Worker[] = [];
  const thread = await startStoreThread({ dir, secretFile: join(dir, 'secret.key'), flightsPerCamera: 20, rowsPerCamera: 100 }, {
    log,
    spawn(workerData) {
      const worker = new Worker(new URL('../../src/store/worker.ts', import.meta.url), { workerData });
      workers.push(worker);
      return worker;
    },
  });
  defer(t, () => thread.close());
  return { thread, workers, dir };
}

test('a dead thread refuses what was asked, says so, and is replaced with everything it kept', async (t) => {
  const { thread, workers, dir } = await bench(t);
  await thread.ask({ type: 'settings.put', key: 'colour', value: 'green' });
  // The lock holds the thread up, so that it dies with a request in hand.
  const intruder = new DatabaseSync(join(dir, 'lookout.db'));
  defer(t, () => intruder.close());
  intruder.exec('BEGIN EXCLUSIVE');
  const asked = assert.rejects(thread.ask({ type: 'settings.put', key: 'colour', value: 'red' }), { code: 'LOOKOUT_STORE_UNAVAILABLE', cause: 'the store thread ended' });
  await workers[0]?.terminate();
  await asked;
  intruder.exec('ROLLBACK');
  await assert.rejects(thread.ask({ type: 'settings.get', key: 'colour' }), { code: 'LOOKOUT_STORE_UNAVAILABLE' });
  assert.match(thread.failing() ?? '', /ended/u);
  await eventually(() => thread.failing() === null, { what: 'a new thread' });
  assert.equal(await thread.ask({ type: 'settings.get', key: 'colour' }), 'green');
  assert.equal(workers.length, 2);
});

test('journal rows appended while there is no thread are written by the next one', async (t) => {
  const { thread, workers } = await bench(t);
  const journal = createJournal(thread, log);
  defer(t, () => journal.stop());
  await workers[0]?.terminate();
  for (const n of [1, 2, 3]) journal.append({ at: n, camera: 'gate', type: 'camera.transition', from: null, to: null, class: null, code: null, message: `row ${n}`, evidence: null, attempt: null, delayMs: null });
  await eventually(() => journal.pending() === 0, { what: 'the rows to be written' });
  assert.deepEqual((await journal.list({ camera: 'gate', limit: 9 })).map(({ message }) => message), ['row 3', 'row 2', 'row 1']);
  assert.equal(journal.dropped(), 0);
});

test('closing while there is no thread ends at once and starts no other', async (t) => {
  const { thread, workers } = await bench(t);
  await workers[0]?.terminate();
  await assert.rejects(thread.ask({ type: 'cameras.list' }));
  const began = performance.now();
  await thread.close();
  assert.ok(performance.now() - began < 200);
  assert.equal(workers.length, 1);
  await assert.rejects(thread.ask({ type: 'cameras.list' }), { code: 'LOOKOUT_STORE_UNAVAILABLE' });
});
