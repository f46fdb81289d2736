/** The supervisor's side of the store's thread: requests with a deadline, and a new thread for one that ended. */
import { Worker } from 'node:worker_threads';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { StoreRequest, StoreThreadInput, StoreThreadMessage, StoreValue } from './requests.ts';

/** A running store thread. */
export type StoreThread = {
  /** The highest number in the journal when it was opened. */
  readonly lastSeq: number;
  /** Rejects with `LOOKOUT_STORE_UNAVAILABLE`. */
  ask<R extends StoreRequest>(request: R): Promise<StoreValue<R['type']>>;
  /** Why the last request failed; null while they succeed. */
  failing(): string | null;
  close(): Promise<void>;
};

const answerMs = 5000;
const openMs = 30_000;
const closeMs = 3000;
const firstRespawnMs = 250;
const longestRespawnMs = 30_000;

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout };
type Running = { worker: Worker; lastSeq: number };

/** Starts the thread; rejects with the reason where the database cannot be opened at all. */
export async function startStoreThread(input: StoreThreadInput, { log, spawn = spawnThread }: { log: Log; spawn?: (input: StoreThreadInput) => Worker }): Promise<StoreThread> {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let failing: string | null = null;
  let closing = false;
  let respawnMs = firstRespawnMs;
  let respawn: NodeJS.Timeout | undefined;
  let running: Running | undefined = await open(spawn(input), log);
  const { lastSeq } = running;
  attend(running);

  function attend({ worker }: Running): void {
    worker.on('message', (message: StoreThreadMessage) => {
      if (message.type !== 'answer') return;
      const entry = waiting.get(message.id);
      waiting.delete(message.id);
      clearTimeout(entry?.timer);
      failing = message.ok ? null : message.reason;
      if (message.ok) respawnMs = firstRespawnMs;
      if (message.ok) entry?.resolve(message.value);
      else entry?.reject(unavailable(message.reason));
    });
    worker.on('error', (error) => log.error({ err: error }, 'store thread failed'));
    worker.once('exit', () => ended('the store thread ended'));
  }

  function ended(reason: string): void {
    running = undefined;
    for (const entry of waiting.values()) {
      clearTimeout(entry.timer);
      entry.reject(unavailable(reason));
    }
    waiting.clear();
    if (closing) return;
    failing = reason;
    log.error({ reason, retryInMs: respawnMs }, 'store is not available');
    respawn = setTimeout(() => void reopen(), respawnMs);
    respawnMs = Math.min(respawnMs * 2, longestRespawnMs);
  }

  async function reopen(): Promise<void> {
    try {
      const fresh = await open(spawn(input), log);
      if (closing) return void (await fresh.worker.terminate());
      running = fresh;
      attend(fresh);
      failing = null;
      log.info('store is available again');
    } catch (error) {
      if (!closing) ended(error instanceof Error ? error.message : String(error));
    }
  }

  function ask<R extends StoreRequest>(request: R, deadlineMs = answerMs): Promise<StoreValue<R['type']>> {
    return new Promise((resolve, reject) => {
      if (running === undefined) return reject(unavailable(failing ?? 'the store is closed'));
      const id = nextId++;
      const timer = setTimeout(() => {
        waiting.delete(id);
        failing = `no answer to ${request.type} within ${deadlineMs} ms`;
        reject(unavailable(failing));
      }, deadlineMs);
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
      running.worker.postMessage({ id, request });
    });
  }

  return {
    lastSeq,
    ask: (request) => (closing ? Promise.reject(unavailable('the store is closed')) : ask(request)),
    failing: () => failing,
    async close() {
      if (closing) return;
      closing = true;
      clearTimeout(respawn);
      const worker = running?.worker;
      await ask({ type: 'close' }, closeMs).catch((error: unknown) => log.warn({ err: error }, 'store did not close in order'));
      await worker?.terminate();
    },
  };
}

const spawnThread = (input: StoreThreadInput) => new Worker(new URL('./worker.ts', import.meta.url), { workerData: input, name: 'store' });

function open(worker: Worker, log: Log): Promise<Running> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('the database did not open in time'), openMs);
    const fail = (reason: string) => {
      clearTimeout(timer);
      void worker.terminate();
      reject(new LookoutError('LOOKOUT_STORE_UNAVAILABLE', { message: reason }));
    };
    const onError = (error: Error) => fail(error.message);
    const onExit = () => fail('the store thread ended while it opened the database');
    worker.once('error', onError);
    worker.once('exit', onExit);
    worker.once('message', (message: StoreThreadMessage) => {
      worker.off('exit', onExit);
      if (message.type !== 'opened') return fail(message.type === 'refused' ? message.reason : 'the store thread spoke out of turn');
      worker.off('error', onError);
      clearTimeout(timer);
      for (const notice of message.notices) log.warn({ notice }, 'store has something to say');
      resolve({ worker, lastSeq: message.lastSeq });
    });
  });
}

const unavailable = (reason: string) => new LookoutError('LOOKOUT_STORE_UNAVAILABLE', { cause: reason });
