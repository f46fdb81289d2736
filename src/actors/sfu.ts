/** The sfu machine with its effects: worker processes that are spawned, watched, and entered in the media plane. */
import type { EventObject } from 'xstate';
import { failureOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { sfuMachine } from '../machines/sfu.ts';
import { workerMachine, type WorkerProcessFact } from '../machines/worker.ts';
import { startMediaWorker, type MediaWorkerOptions } from '../native/mediasoup-worker.ts';
import { effect } from './effect.ts';
import type { MediaPlane } from './media-plane.ts';

/** What the sfu's actors need. */
export type SfuDeps = { plane: MediaPlane; worker: Omit<MediaWorkerOptions, 'index' | 'onLog'>; log: Log };

/** The sfu machine, ready to run. */
export function createSfu({ plane, worker: options, log }: SfuDeps): typeof sfuMachine {
  const process = effect<EventObject, { index: number }>(({ input, sendBack }) => {
    let stopped = false;
    let close: (() => Promise<void>) | undefined;
    const tell = (fact: WorkerProcessFact): void => sendBack(fact);
    startMediaWorker({ ...options, index: input.index, onLog: (line) => log.warn({ worker: input.index, line }, 'media worker said') }).then(
      (worker) => {
        close = () => worker.close();
        if (stopped) return void worker.close();
        plane.addWorker(worker);
        tell({ type: 'worker.ready', pid: worker.pid, port: worker.port });
        void worker.ended.then(({ failure }) => {
          plane.removeWorker(worker);
          for (const ingest of plane.ingests()) if (ingest.worker === worker) plane.removeIngest(ingest);
          if (failure) tell({ type: 'worker.died', failure, at: Date.now() });
        });
      },
      (error: unknown) => tell({ type: 'worker.died', failure: failureOf(error, 'sfu'), at: Date.now() }),
    );
    return () => {
      stopped = true;
      void close?.();
    };
  });
  return sfuMachine.provide({ actors: { worker: workerMachine.provide({ actors: { process } }) } });
}
