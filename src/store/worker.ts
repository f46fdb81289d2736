/** The store's thread: opens the database, answers one request after the other. Only this thread waits for the disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase, type Database } from './database.ts';
import type { StoreRequest, StoreThreadInput, StoreThreadMessage } from './requests.ts';

const port = parentPort;
if (port === null) throw new Error('store/worker.ts runs as a worker thread only');

const say = (message: StoreThreadMessage) => port.postMessage(message);
const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

let database: Database | undefined;
try {
  database = openDatabase(workerData as StoreThreadInput);
  say({ type: 'opened', lastSeq: database.lastSeq, notices: database.notices });
} catch (error) {
  say({ type: 'refused', reason: reasonOf(error) });
  port.close();
}

port.on('message', ({ id, request }: { id: number; request: StoreRequest }) => {
  try {
    say({ type: 'answer', id, ok: true, value: database?.handle(request) });
  } catch (error) {
    say({ type: 'answer', id, ok: false, reason: reasonOf(error) });
  }
  if (request.type === 'close') port.close();
});
