/**
 * Host: one child process that pulls one camera.
 *
 *   spawning → starting → running → failed ──┐
 *        └────────┴──────────┴───────────────┴─▶ stopping → killing → released
 *
 * States only go forward; every wait has a deadline. Its parent, the source, hears `HostFact`s with the slot that the host
 * was started in; whatever happens, after `host.release` it hears `host.released` once the process is reaped.
 */
import { assign, enqueueActions, fromCallback, sendParent, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import { failure as makeFailure, failureOf, type Failure } from '../errors.ts';
import type { SourceInput } from './camera-context.ts';
import type { SourceFact } from './events.ts';

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

/** What a host passes on to its process as it is. */
export type FeedCommand = { type: 'feed.set'; open: boolean } | { type: 'gate.arm' } | { type: 'gate.open' };
/** To the process behind the chart. */
export type ProcessCommand = { type: 'process.stop' } | { type: 'process.kill' } | FeedCommand;
/** What the process says of the source in it. */
type SourceWord = Extract<SourceFact, { type: 'source.ready' | 'source.started' | 'source.flowing' | 'source.stalled' | 'source.media' | 'source.stats' | 'source.failed' }>
  /** The valve of the feed is shut: nothing more leaves. */
  | { type: 'feed.shut' }
  /** The gate holds the feed's packets from a keyframe on. */
  | { type: 'gate.ready' };
/** From the process behind the chart. */
export type ProcessFact = SourceWord | { type: 'process.stopped' } | { type: 'process.exited'; failure: Failure | null };

/** One of the two places a source has for hosts. */
export type Slot = 'a' | 'b';
/** To the source. */
export type HostFact = { type: 'host.told'; slot: Slot; fact: SourceWord } | { type: 'host.released'; slot: Slot };
/** From the source. */
export type HostOrder = { type: 'host.release' } | FeedCommand;

type HostEvent = HostOrder | ProcessFact | ErrorActorEvent<unknown, 'process'>;

const hostSetup = setup({
  types: {
    input: {} as { slot: Slot; source: SourceInput; deadlines: HostDeadlines },
    context: {} as { slot: Slot; source: SourceInput; deadlines: HostDeadlines; exited: boolean; reported: boolean; parted: boolean },
    events: {} as HostEvent,
  },
  actors: {
    /** Takes a host from the pool, starts the source in it, translates its words; speaks `ProcessFact`. */
    process: fromCallback<ProcessCommand, SourceInput, EventObject>(() => {
      throw new Error('provide actor: process');
    }),
  },
  guards: {
    hasExited: ({ context }) => context.exited,
    /** Its camera ended the connection: nobody is there to hear a TEARDOWN. */
    isParted: ({ context }) => context.parted && !context.exited,
  },
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
      enqueue.assign({ reported: true, parted: goneWithConnection.has(params.failure.code) });
      enqueue(sendParent({ type: 'host.told', slot: context.slot, fact: { type: 'source.failed', failure: params.failure } } satisfies HostFact));
    }),
    forward: sendParent(({ context, event }) => ({ type: 'host.told', slot: context.slot, fact: event as SourceWord }) satisfies HostFact),
    order: enqueueActions(({ event, enqueue }) => enqueue.sendTo('process', event as FeedCommand)),
    stopProcess: enqueueActions(({ enqueue }) => enqueue.sendTo('process', { type: 'process.stop' })),
    killProcess: enqueueActions(({ enqueue }) => enqueue.sendTo('process', { type: 'process.kill' })),
    tellReleased: sendParent(({ context }) => ({ type: 'host.released', slot: context.slot }) satisfies HostFact),
  },
});

/** Failures after which there is no connection left to take leave on. */
const goneWithConnection: ReadonlySet<string> = new Set(['connection-reset', 'connection-closed']);

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
  'feed.shut': { actions: 'forward' },
  'gate.ready': { actions: 'forward' },
} as const;

/** The host machine; provide `process`. */
export const hostMachine = hostSetup.createMachine({
  id: 'host',
  context: ({ input }) => ({ ...input, exited: false, reported: false, parted: false }),
  initial: 'spawning',
  invoke: {
    id: 'process',
    src: 'process',
    input: ({ context }) => context.source,
    onError: { target: '.failed', actions: ['markExited', { type: 'report', params: ({ event }) => ({ failure: failureOf(event.error, 'local') }) }] },
  },
  on: { 'feed.set': { actions: 'order' }, 'gate.arm': { actions: 'order' }, 'gate.open': { actions: 'order' } },
  states: {
    spawning: {
      on: { 'source.ready': { target: 'starting', actions: 'forward' }, 'process.exited': died, 'host.release': 'stopping' },
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
        'host.release': 'stopping',
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
        'host.release': 'stopping',
      },
    },
    failed: {
      on: { 'host.release': [{ guard: 'isParted', target: 'killing' }, { target: 'stopping' }], 'process.exited': { actions: 'markExited' } },
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
