/**
 * Host: one child process that pulls one camera.
 *
 *   spawning → starting → running → failed ──┐
 *        └────────┴──────────┴───────────────┴─▶ stopping → killing → released
 *
 * States only go forward; every wait has a deadline. The camera hears `SourceFact`s; whatever happens, after
 * `source.release` it hears `source.released` once the process is reaped.
 */
import { assertEvent, assign, enqueueActions, fromCallback, sendParent, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import { failure as makeFailure, failureOf, type Failure } from '../errors.ts';
import type { SourceInput } from './camera-context.ts';
import type { SourceCommand, SourceFact } from './events.ts';

/** Deadlines of a host, ms. */
export type HostDeadlines = {
  /** Fork to first word. */
  spawnMs: number;
  /** `source.start` to PLAYING; RTSP handshake included. */
  startMs: number;
  /** `stop` (RTSP TEARDOWN leaves) to SIGKILL. */
  stopMs: number;
  /** SIGKILL to reaped. */
  reapMs: number;
};

/** To the process behind the chart. */
export type ProcessCommand = { type: 'process.stop' } | { type: 'process.kill' } | { type: 'feed.set'; open: boolean };
/** From the process behind the chart. */
export type ProcessFact = Exclude<SourceFact, { type: 'source.released' }> | { type: 'process.stopped' } | { type: 'process.exited'; failure: Failure | null };

type HostEvent = SourceCommand | ProcessFact | ErrorActorEvent<unknown, 'process'>;

const fail = (failure: Failure) => ({ type: 'source.failed', failure }) as const;

const hostSetup = setup({
  types: {
    input: {} as { source: SourceInput; deadlines: HostDeadlines },
    context: {} as { source: SourceInput; deadlines: HostDeadlines; exited: boolean; reported: boolean },
    events: {} as HostEvent,
  },
  actors: {
    /** Takes a host from the pool, starts the source in it, translates its words; speaks `ProcessFact`. */
    process: fromCallback<ProcessCommand, SourceInput, EventObject>(() => {
      throw new Error('provide actor: process');
    }),
  },
  guards: { hasExited: ({ context }) => context.exited },
  delays: {
    spawnDeadline: ({ context }) => context.deadlines.spawnMs,
    startDeadline: ({ context }) => context.deadlines.startMs,
    stopDeadline: ({ context }) => context.deadlines.stopMs,
    reapDeadline: ({ context }) => context.deadlines.reapMs,
  },
  actions: {
    markExited: assign({ exited: true }),
    /** Only the first failure counts; what follows is its echo. */
    report: enqueueActions(({ context, enqueue }, params: { failure: Failure }) => {
      if (context.reported) return;
      enqueue.assign({ reported: true });
      enqueue(sendParent(fail(params.failure)));
    }),
    forward: sendParent(({ event }) => event),
    setFeed: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'feed.set');
      enqueue.sendTo('process', event);
    }),
    stopProcess: enqueueActions(({ enqueue }) => enqueue.sendTo('process', { type: 'process.stop' })),
    killProcess: enqueueActions(({ enqueue }) => enqueue.sendTo('process', { type: 'process.kill' })),
    tellReleased: sendParent({ type: 'source.released' }),
  },
});

const died = {
  target: '#host.failed',
  actions: ['markExited', {
    type: 'report',
    params: ({ event }: { event: { failure: Failure | null } }) => ({ failure: event.failure ?? makeFailure('host-crash', 'exited', 'The host process ended.') }),
  }],
} as const;

const facts = {
  'source.started': { actions: 'forward' },
  'source.flowing': { actions: 'forward' },
  'source.stalled': { actions: 'forward' },
  'source.media': { actions: 'forward' },
  'source.stats': { actions: 'forward' },
} as const;

/** The host machine; provide `process`. */
export const hostMachine = hostSetup.createMachine({
  id: 'host',
  context: ({ input }) => ({ ...input, exited: false, reported: false }),
  initial: 'spawning',
  invoke: {
    id: 'process',
    src: 'process',
    input: ({ context }) => context.source,
    onError: { target: '.failed', actions: ['markExited', { type: 'report', params: ({ event }) => ({ failure: failureOf(event.error, 'local') }) }] },
  },
  on: { 'feed.set': { actions: 'setFeed' } },
  states: {
    spawning: {
      on: { 'source.ready': { target: 'starting', actions: 'forward' }, 'process.exited': died, 'source.release': 'stopping' },
      after: {
        spawnDeadline: { target: 'failed', actions: { type: 'report', params: () => ({ failure: makeFailure('native-frozen', 'spawn-deadline', 'The host process did not say that it is ready in time.') }) } },
      },
    },
    starting: {
      on: {
        ...facts,
        'source.started': { target: 'running', actions: 'forward' },
        'source.failed': { target: 'failed', actions: { type: 'report', params: ({ event }) => ({ failure: event.failure }) } },
        'process.exited': died,
        'source.release': 'stopping',
      },
      after: {
        startDeadline: { target: 'failed', actions: { type: 'report', params: () => ({ failure: makeFailure('timeout', 'start-deadline', 'The camera answered the probe but the stream did not start in time.') }) } },
      },
    },
    running: {
      on: {
        ...facts,
        'source.failed': { target: 'failed', actions: { type: 'report', params: ({ event }) => ({ failure: event.failure }) } },
        'process.exited': died,
        'source.release': 'stopping',
      },
    },
    failed: {
      on: { 'source.release': 'stopping', 'process.exited': { actions: 'markExited' } },
    },
    stopping: {
      always: { guard: 'hasExited', target: 'released' },
      entry: 'stopProcess',
      on: { 'process.stopped': 'killing', 'process.exited': { target: 'released', actions: 'markExited' } },
      after: { stopDeadline: 'killing' },
    },
    killing: {
      entry: 'killProcess',
      on: { 'process.exited': { target: 'released', actions: 'markExited' } },
      after: { reapDeadline: 'released' },
    },
    released: { type: 'final', entry: 'tellReleased' },
  },
});
