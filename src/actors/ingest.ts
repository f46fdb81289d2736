/** The ingest machine with its effect: router, transport and producer on the least loaded worker, closed when it stops. */
import { webrtcProfile } from '../carriage.ts';
import { failure as makeFailure, failureOf, LookoutError, type Failure } from '../errors.ts';
import type { Log } from '../log.ts';
import { ingestMachine, type ProducerCommand, type ProducerFact } from '../machines/ingest.ts';
import type { Feed } from '../media.ts';
import { createIngest as makeIngest, type Ingest } from '../native/ingest.ts';
import { effect } from './effect.ts';
import type { MediaPlane } from './media-plane.ts';

/** What ingests need. */
export type IngestDeps = { plane: MediaPlane; recvBufferBytes: number; requestMs: number; log: Log };

type Input = { camera: string; feed: Feed; profileLevelId: string; watched: boolean };

/** The ingest machine, ready to run. */
export function createIngest(deps: IngestDeps): typeof ingestMachine {
  const producer = effect<ProducerCommand, Input>(({ input, sendBack, receive }) => {
    const tell = (fact: ProducerFact): void => sendBack(fact);
    const holder = holdIngest(deps, input, tell);
    receive((command) => {
      if (command.type === 'producer.cycle') holder.cycle();
      else if (command.type === 'producer.watched') holder.setWatched(command.watched);
      else holder.setFlow(command.type === 'producer.resume');
    });
    return () => holder.close();
  });
  return ingestMachine.provide({ actors: { producer } });
}

type Holder = { setFlow(flow: boolean): void; setWatched(watched: boolean): void; cycle(): void; close(): void };

/** Makes the ingest, follows its worker's death, and applies the last wish for its flow. */
function holdIngest(deps: IngestDeps, input: Input, tell: (fact: ProducerFact) => void): Holder {
  const { plane, log } = deps;
  let ingest: Ingest | undefined;
  let closed = false;
  let flow = false;
  let { watched } = input;
  const fail = (error: unknown): void => {
    if (!closed) tell({ type: 'producer.failed', failure: sfuFailure(error) });
  };
  const cycled = (): void => void (closed || tell({ type: 'producer.cycled' }));
  const apply = (): void => {
    if (!ingest || ingest.producer.closed || ingest.producer.paused === !flow) return;
    withDeadline(flow ? ingest.producer.resume().then(cycled) : ingest.producer.pause(), deps.requestMs).catch(fail);
  };
  const weigh = (): void => {
    if (!watched && !closed && ingest !== undefined && plane.isOutweighing(ingest.worker)) tell({ type: 'producer.outweighed' });
  };
  const entered = (made: Ingest): void => {
    if (closed) return void made.close();
    ingest = made;
    made.transport.observer.once('close', () => {
      plane.removeIngest(made);
      if (!closed) void goneWith(made).then((failure) => !closed && tell({ type: 'producer.failed', failure }));
    });
    plane.addIngest(made);
    log.debug({ camera: input.camera, worker: made.worker.index, port: input.feed.port, recvBufferBytes: made.recvBufferBytes }, 'ingest is ready');
    tell({ type: 'producer.ready', worker: made.worker.index, workerPid: made.worker.pid });
    apply();
    weigh();
  };
  const off = plane.onWorker(weigh);
  const announced = webrtcProfile(input.profileLevelId);
  if (announced === null) {
    queueMicrotask(() => fail({ unsupported: input.profileLevelId }));
  } else {
    Promise.try(() => makeIngest(plane.place(input.camera), { ...input, profileLevelId: announced, recvBufferBytes: deps.recvBufferBytes })).then(entered, fail);
  }
  return {
    setFlow(wanted) {
      flow = wanted;
      apply();
    },
    setWatched(wanted) {
      watched = wanted;
      weigh();
    },
    cycle() {
      if (!ingest || ingest.producer.closed || ingest.producer.paused) return cycled();
      const { producer } = ingest;
      withDeadline(producer.pause().then(() => producer.resume()), deps.requestMs).then(cycled, fail);
    },
    close() {
      closed = true;
      off();
      if (!ingest) return;
      plane.removeIngest(ingest);
      ingest.close();
    },
  };
}

/** Why an ingest closed by itself: its worker's own words, which follow the closing of its transports by a moment. */
async function goneWith({ worker }: Ingest): Promise<Failure> {
  const own = worker.worker.closed ? (await worker.ended).failure : null;
  return { ...(own ?? makeFailure('sfu', 'ingest-closed', `Media worker ${worker.index} closed the live path of this camera.`)), at: Date.now() };
}

function sfuFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'unsupported' in error) {
    return makeFailure('unsupported', 'h264-profile', `WebRTC cannot carry the H.264 profile ${String(error.unsupported)} of this camera.`);
  }
  if (error instanceof LookoutError) return makeFailure('sfu', 'no-worker', error.message);
  return { ...failureOf(error, 'sfu'), class: 'sfu', code: 'ingest-failed' };
}

/** Rejects where a request to a worker is not answered in time: a frozen worker never answers. */
async function withDeadline<T>(request: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`a media worker did not answer for ${ms} ms`)), ms);
  try {
    return await Promise.race([request, promise]);
  } finally {
    clearTimeout(timer);
  }
}
