/**
 * Sfu: one worker per core, one_for_one.
 *
 *   starting → ready ⇄ degraded (some workers are down) ⇄ down (all are)
 */
import { assertEvent, assign, enqueueActions, setup, type ErrorActorEvent } from 'xstate';
import { workerMachine, type WorkerFact, type WorkerSettings } from './worker.ts';

/** A worker as the sfu knows it. */
export type WorkerStatus = { index: number; state: 'starting' | 'running' | 'down'; pid: number | null; port: number | null; restarts: number };

type Crash = ErrorActorEvent<unknown, `worker:${number}`>;
type Context = { settings: WorkerSettings; workers: WorkerStatus[]; /** Crashes of each worker's actor since it was last up. */ crashes: Record<number, number> };

const sfuSetup = setup({
  types: {
    input: {} as { workers: number; settings: WorkerSettings },
    context: {} as Context,
    events: {} as WorkerFact | Crash | { type: 'worker.respawn'; index: number },
    tags: {} as 'usable',
  },
  actors: { worker: workerMachine },
  guards: {
    allUp: ({ context }) => context.workers.every((worker) => worker.state === 'running'),
    someUp: ({ context }) => context.workers.some((worker) => worker.state === 'running'),
    someDown: ({ context }) => context.workers.some((worker) => worker.state === 'down'),
  },
  actions: {
    spawnWorkers: enqueueActions(({ context, enqueue }) => {
      for (const { index } of context.workers) enqueue.spawnChild('worker', { id: `worker:${index}`, input: { index, settings: context.settings } });
    }),
    recordUp: assign(({ context, event }) => {
      assertEvent(event, 'worker.up');
      return { crashes: { ...context.crashes, [event.index]: 0 }, workers: context.workers.map((worker) => (worker.index === event.index ? { ...worker, state: 'running' as const, pid: event.pid, port: event.port } : worker)) };
    }),
    recordDown: assign(({ context, event }) => {
      assertEvent(event, 'worker.down');
      return { workers: context.workers.map((worker) => (worker.index === event.index ? { ...worker, state: 'down' as const, pid: null, port: null, restarts: event.restarts } : worker)) };
    }),
    respawn: enqueueActions(({ context, event, enqueue }) => {
      const id = event.type.replace('xstate.error.actor.', '');
      const index = Number(id.slice('worker:'.length));
      enqueue.stopChild(id);
      const crashes = (context.crashes[index] ?? 0) + 1;
      const workers = context.workers.map((worker) => (worker.index === index ? { ...worker, state: 'down' as const, pid: null, port: null, restarts: worker.restarts + 1 } : worker));
      enqueue.assign({ crashes: { ...context.crashes, [index]: crashes }, workers });
      const delay = crashes > context.settings.intensity.restarts ? context.settings.pauseMs : context.settings.backoffMs;
      enqueue.raise({ type: 'worker.respawn', index }, { delay, id: `respawn:${index}` });
    }),
    spawnWorker: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'worker.respawn');
      const { index } = event;
      enqueue.spawnChild('worker', { id: `worker:${index}`, input: { index, settings: context.settings } });
    }),
  },
});

/** The sfu machine; provide `worker` with its process. */
export const sfuMachine = sfuSetup.createMachine({
  id: 'sfu',
  context: ({ input }) => ({
    crashes: {},
    settings: input.settings,
    workers: Array.from({ length: input.workers }, (_, index) => ({ index, state: 'starting' as const, pid: null, port: null, restarts: 0 })),
  }),
  entry: 'spawnWorkers',
  initial: 'starting',
  on: {
    'worker.up': { target: '.judging', actions: 'recordUp' },
    'worker.down': { target: '.judging', actions: 'recordDown' },
    'worker.respawn': { actions: 'spawnWorker' },
    // The actor itself threw, not its process: no loop may come of it.
    'xstate.error.actor.*': { target: '.judging', actions: 'respawn' },
  },
  states: {
    starting: {},
    judging: {
      always: [
        { guard: 'allUp', target: 'ready' },
        { guard: 'someUp', target: 'degraded' },
        { guard: 'someDown', target: 'down' },
        { target: 'starting' },
      ],
    },
    ready: { tags: 'usable' },
    degraded: { tags: 'usable' },
    down: {},
  },
});
