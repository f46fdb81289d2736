/**
 * Worker: one mediasoup process, re-spawned under OTP's intensity.
 *
 *   starting → running → backoff → starting …        too often: failed (the sfu is told) → starting after a pause
 *
 * A worker that does not answer a request for `unresponsiveMs` is killed and counts as died.
 */
import { assertEvent, assign, fromCallback, sendParent, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import { failure as makeFailure, failureOf, type Failure } from '../errors.ts';
import { addRestart, type RestartIntensity } from './restart-intensity.ts';

/** Numbers of a worker; ms. */
export type WorkerSettings = { intensity: RestartIntensity; startMs: number; backoffMs: number; pauseMs: number };

/** From the process behind the chart; `at` is ms since the epoch. */
export type WorkerProcessFact = { type: 'worker.ready'; pid: number; port: number } | { type: 'worker.died'; failure: Failure; at: number };

/** To the sfu. */
export type WorkerFact =
  | { type: 'worker.up'; index: number; pid: number; port: number }
  | { type: 'worker.down'; index: number; failure: Failure; restarts: number; given: 'retry' | 'pause' };

type Context = { index: number; settings: WorkerSettings; pid: number | null; port: number | null; restarts: number; times: number[]; exhausted: boolean };

const workerSetup = setup({
  types: {
    input: {} as { index: number; settings: WorkerSettings },
    context: {} as Context,
    events: {} as WorkerProcessFact | ErrorActorEvent<unknown, 'process'>,
  },
  actors: {
    /** Spawns the process and its WebRtcServer, watches it, closes it when stopped; speaks `WorkerProcessFact`. */
    process: fromCallback<EventObject, { index: number }, EventObject>(() => {
      throw new Error('provide actor: process');
    }),
  },
  guards: { isExhausted: ({ context }) => context.exhausted },
  delays: {
    startDeadline: ({ context }) => context.settings.startMs,
    backoff: ({ context }) => context.settings.backoffMs,
    pause: ({ context }) => context.settings.pauseMs,
  },
  actions: {
    recordUp: assign(({ event }) => {
      assertEvent(event, 'worker.ready');
      return { pid: event.pid, port: event.port };
    }),
    recordDeath: assign(({ context }, params: { at: number | null }) => {
      const { allowed, times } = params.at === null ? { allowed: false, times: context.times } : addRestart(context.times, params.at, context.settings.intensity);
      return { pid: null, port: null, restarts: context.restarts + 1, times, exhausted: !allowed };
    }),
    tellUp: sendParent(({ context, event }) => {
      assertEvent(event, 'worker.ready');
      return { type: 'worker.up', index: context.index, pid: event.pid, port: event.port };
    }),
    tellDown: sendParent(({ context }, params: { failure: Failure }) => ({
      type: 'worker.down', index: context.index, failure: params.failure, restarts: context.restarts, given: context.exhausted ? 'pause' : 'retry',
    })),
  },
});

const died = {
  target: 'backoff',
  actions: [
    { type: 'recordDeath', params: ({ event }: { event: { at: number } }) => ({ at: event.at }) },
    { type: 'tellDown', params: ({ event }: { event: { failure: Failure } }) => ({ failure: event.failure }) },
  ],
} as const;

/** The worker machine; provide `process`. */
export const workerMachine = workerSetup.createMachine({
  id: 'worker',
  context: ({ input }) => ({ ...input, pid: null, port: null, restarts: 0, times: [], exhausted: false }),
  initial: 'up',
  states: {
    up: {
      initial: 'starting',
      invoke: {
        id: 'process',
        src: 'process',
        input: ({ context }) => ({ index: context.index }),
        onError: {
          target: 'backoff',
          actions: [{ type: 'recordDeath', params: { at: null } }, { type: 'tellDown', params: ({ event }) => ({ failure: failureOf(event.error, 'sfu') }) }],
        },
      },
      on: { 'worker.died': died },
      states: {
        starting: {
          on: { 'worker.ready': { target: 'running', actions: ['recordUp', 'tellUp'] } },
          after: {
            startDeadline: {
              target: '#worker.backoff',
              actions: [{ type: 'recordDeath', params: { at: null } }, { type: 'tellDown', params: () => ({ failure: makeFailure('sfu', 'worker-start', 'The media worker did not start in time.') }) }],
            },
          },
        },
        running: {},
      },
    },
    backoff: {
      always: { guard: 'isExhausted', target: 'paused' },
      after: { backoff: 'up' },
    },
    /** Died too often, or could not start: wait longer before the next try. */
    paused: { after: { pause: 'up' } },
  },
});
