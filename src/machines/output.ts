/**
 * Output: a pipeline fed by a camera's hub, in a host of its own, with a patience of its own.
 *
 *   off ⇄ waiting ──▶ attached{starting → running → finishing → killing} ──▶ settling ──▶ waiting · off · backoff
 *
 * It comes and goes while the source runs, and the source never notices. The loss of the source is an event: what is open
 * is finished, then it waits. A failure of its own is its own business: the camera hears of none. A hub that ended by
 * itself is judged a moment later, since a dying source closes its hub before the camera says so.
 */
import { assign, enqueueActions, fromCallback, sendParent, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import { failure as makeFailure, failureOf, type Failure } from '../errors.ts';
import type { Hub, OutputCommand, OutputFact, OutputName, OutputOptions } from './events.ts';
import { decide, emptyHistory, type History, type Intensity, type PolicyTable } from './policy.ts';

/** Numbers an output follows, ms. */
export type OutputSettings = {
  policy: PolicyTable;
  intensity: Intensity;
  /** The attempt counter resets after it ran for this long. */
  resetAfterMs: number;
  /** From the order to a pipeline that plays. */
  startMs: number;
  /** From the order to finish to the last word. */
  finishMs: number;
  /** SIGKILL to reaped. */
  reapMs: number;
  /** How long a hub that ended by itself may turn out to be a source that ended. */
  settleMs: number;
};

/** What an output counts, since its host began. */
export type OutputStats = { frames: number; bytes: number; rssBytes: number; readers?: ReaderStats; /** Newest RTP sequence number. */ sequence?: number };

/** What an output that serves readers counts: readers now, over TCP and through shared memory; frames they missed; readers that were cut; how old the newest frame was, ms. */
export type ReaderStats = { tcp: number; shared: number; missed: number; cut: number; behindMs: number };

/** To the process behind the chart. `drain`: the hub is about to close, what is still in it is wanted. `open`: what it keeps may go. */
export type OutputProcessCommand = { type: 'process.finish'; drain: boolean } | { type: 'process.kill' } | { type: 'process.open' };
/** From the process behind the chart. */
export type OutputProcessFact =
  | { type: 'process.ready'; pid: number }
  | { type: 'process.started' }
  /** It keeps its first keyframe, and all that follows, until it is told to open. */
  | { type: 'process.primed' }
  | { type: 'process.stats'; stats: OutputStats }
  /** It works on this file now; null between files. */
  | { type: 'process.file'; file: string | null }
  | { type: 'process.failed'; failure: Failure }
  /** Everything is written; the hub ended, or it was asked to. */
  | { type: 'process.finished' }
  | { type: 'process.exited'; failure: Failure | null };

/** What the process behind the chart is started with. */
export type OutputProcessInput = { camera: string; output: OutputName; hub: Hub; options: OutputOptions };

/** What an output is started with. */
export type OutputInput = { camera: string; output: OutputName; wanted: boolean; options: OutputOptions; hub: Hub | null; settings: OutputSettings; seed: number };

type Context = OutputInput & {
  /** The hub that the running process reads; null while none runs. */
  used: Hub | null;
  pid: number | null;
  exited: boolean;
  /** Why the running process ends, if that is a failure. */
  failure: Failure | null;
  /** The hub ended without anybody having asked. */
  endedByItself: boolean;
  drain: boolean;
  /** Something waits for `ingest.cycled`. */
  primed: boolean;
  stats: OutputStats | null;
  file: string | null;
  lastError: Failure | null;
  history: History;
  delayMs: number;
  why: string | null;
};

type Event = OutputCommand | OutputProcessFact | ErrorActorEvent<unknown, 'process'>;

const outputSetup = setup({
  types: { input: {} as OutputInput, context: {} as Context, events: {} as Event },
  actors: {
    /** Takes a host from the pool, starts the output in it, translates its words; speaks `OutputProcessFact`. */
    process: fromCallback<OutputProcessCommand, OutputProcessInput, EventObject>(() => {
      throw new Error('provide actor: process');
    }),
  },
  guards: {
    isWanted: ({ context }) => context.wanted,
    hasHub: ({ context }) => context.hub !== null,
    hasExited: ({ context }) => context.exited,
    hasFailed: ({ context }) => context.failure !== null,
    lostLivingHub: ({ context }) => context.endedByItself && context.hub !== null && context.hub.port === context.used?.port,
    isOtherHub: ({ context, event }) => event.type === 'output.attach' && event.hub.port !== context.used?.port,
    isPrimed: ({ context }) => context.primed,
    isUnwanting: ({ event }) => event.type === 'output.want' && !event.wanted,
    changesOptions: ({ context, event }) => event.type === 'output.update' && JSON.stringify(event.options) !== JSON.stringify(context.options),
  },
  delays: {
    startDeadline: ({ context }) => context.settings.startMs,
    finishDeadline: ({ context }) => context.settings.finishMs,
    reapDeadline: ({ context }) => context.settings.reapMs,
    settleDelay: ({ context }) => (context.endedByItself && context.failure === null ? context.settings.settleMs : 0),
    resetAfter: ({ context }) => context.settings.resetAfterMs,
    retryDelay: ({ context }) => context.delayMs,
  },
  actions: {
    record: assign(({ context, event }) => {
      switch (event.type) {
        case 'output.attach': return { hub: event.hub };
        case 'output.detach': return { hub: null };
        case 'output.want': return { wanted: event.wanted };
        case 'output.update': return { options: event.options };
        case 'process.ready': return { pid: event.pid };
        case 'process.stats': return { stats: event.stats };
        case 'process.file': return { file: event.file };
        default: return context;
      }
    }),
    begin: assign(({ context }) => ({ used: context.hub, pid: null, exited: false, failure: null, endedByItself: false, drain: false, primed: false, stats: null, file: null })),
    blame: assign(({ context }, params: { failure: Failure }) => ({ failure: context.failure ?? params.failure })),
    drain: assign({ drain: true }),
    endByItself: assign({ endedByItself: true }),
    markExited: assign({ exited: true }),
    calm: assign(({ context }) => ({ history: { ...context.history, attempt: 0, window: [], sameInARow: 0, lastClass: null }, why: null })),
    forgive: assign(({ context }) => ({ history: emptyHistory(context.history.seed), why: null })),
    /** There is no quarantine: an output costs nobody but itself, and stays at its longest delay. */
    plan: assign(({ context }) => {
      const { failure, history, settings } = context;
      if (failure === null) return {};
      const decision = decide(failure, history, settings);
      const delayMs = decision.step === 'retry' ? decision.delayMs : settings.policy[failure.class].capMs;
      return { lastError: failure, history: decision.history, delayMs, why: decision.why };
    }),
    release: assign({ used: null, pid: null, stats: null, file: null }),
    finishProcess: enqueueActions(({ context, enqueue }) => enqueue.sendTo('process', { type: 'process.finish', drain: context.drain })),
    markPrimed: assign({ primed: true }),
    openProcess: enqueueActions(({ enqueue }) => {
      enqueue.assign({ primed: false });
      enqueue.sendTo('process', { type: 'process.open' });
    }),
    tellPrimed: sendParent({ type: 'output.primed' } satisfies OutputFact),
    killProcess: enqueueActions(({ enqueue }) => enqueue.sendTo('process', { type: 'process.kill' })),
    tellOpen: sendParent(({ context }): OutputFact => ({ type: 'output.changed', output: context.output, open: true })),
    tellSettled: sendParent(({ context }): OutputFact => ({ type: 'output.changed', output: context.output, open: false })),
  },
});

const blamed = (failure: () => Failure) => ({ type: 'blame', params: () => ({ failure: failure() }) }) as const;
const failed = { target: '.killing', actions: { type: 'blame', params: ({ event }: { event: { failure: Failure } }) => ({ failure: event.failure }) } } as const;
const lateStart = (): Failure => makeFailure('native-frozen', 'output-start', 'The output did not begin to play in time.');
const lateEnd = (): Failure => makeFailure('native-frozen', 'output-finish', 'The output did not finish what it had open in time.');
const died = { target: 'killing', actions: ['markExited', {
  type: 'blame', params: ({ event }: { event: { failure: Failure | null } }) => ({ failure: event.failure ?? makeFailure('host-crash', 'exited', 'The host process of the output ended.') }),
}] } as const;

/** The output machine; provide `process`. */
export const outputMachine = outputSetup.createMachine({
  id: 'output',
  context: ({ input }) => ({
    ...input, used: null, pid: null, exited: false, failure: null, endedByItself: false, drain: false, primed: false, stats: null, file: null,
    lastError: null, history: emptyHistory(input.seed), delayMs: 0, why: null,
  }),
  initial: 'off',
  on: {
    'output.attach': { actions: 'record' },
    'output.detach': { actions: 'record' },
    'output.want': { actions: 'record' },
    'output.update': { actions: 'record' },
  },
  states: {
    off: { always: { guard: 'isWanted', target: 'waiting' } },
    waiting: {
      always: [{ guard: 'hasHub', target: 'attached' }],
      on: { 'output.want': [{ guard: 'isUnwanting', target: 'off', actions: 'record' }, { actions: 'record' }] },
    },
    attached: {
      initial: 'starting',
      entry: ['begin', 'tellOpen'],
      exit: 'tellSettled',
      invoke: {
        id: 'process',
        src: 'process',
        input: ({ context }) => ({ camera: context.camera, output: context.output, hub: context.used ?? context.hub ?? noHub(), options: context.options }),
        onError: { target: '#output.settling', actions: ['markExited', { type: 'blame', params: ({ event }) => ({ failure: failureOf(event.error, 'local') }) }] },
      },
      on: {
        'process.ready': { actions: 'record' },
        'process.stats': { actions: 'record' },
        'process.file': { actions: 'record' },
        'process.primed': { actions: ['markPrimed', 'tellPrimed'] },
        'ingest.cycled': { guard: 'isPrimed', actions: 'openProcess' },
        'process.failed': failed,
      },
      states: {
        starting: {
          on: {
            'process.started': 'running',
            'process.finished': { target: 'killing', actions: 'endByItself' },
            'process.exited': died,
            'output.detach': { target: 'killing', actions: 'record' },
            'output.attach': { guard: 'isOtherHub', target: 'killing', actions: 'record' },
            'output.want': [{ guard: 'isUnwanting', target: 'killing', actions: 'record' }, { actions: 'record' }],
            'output.update': [{ guard: 'changesOptions', target: 'killing', actions: 'record' }, { actions: 'record' }],
          },
          after: { startDeadline: { target: 'killing', actions: blamed(lateStart) } },
        },
        running: {
          on: {
            'process.finished': { target: 'killing', actions: 'endByItself' },
            'process.exited': died,
            'output.detach': { target: 'finishing', actions: ['record', 'drain'] },
            'output.attach': [{ guard: 'isOtherHub', target: 'finishing', actions: 'record' }, { actions: 'record' }],
            'output.want': [{ guard: 'isUnwanting', target: 'finishing', actions: 'record' }, { actions: 'record' }],
            'output.update': [{ guard: 'changesOptions', target: 'finishing', actions: 'record' }, { actions: 'record' }],
          },
          after: { resetAfter: { actions: 'calm' } },
        },
        finishing: {
          entry: 'finishProcess',
          on: { 'process.finished': 'killing', 'process.exited': died },
          after: { finishDeadline: { target: 'killing', actions: blamed(lateEnd) } },
        },
        killing: {
          always: { guard: 'hasExited', target: '#output.settling' },
          entry: 'killProcess',
          on: { 'process.exited': { actions: 'markExited' }, 'process.failed': { actions: { type: 'blame', params: ({ event }) => ({ failure: event.failure }) } } },
          after: { reapDeadline: '#output.settling' },
        },
      },
    },
    settling: {
      after: {
        settleDelay: [
          { guard: 'lostLivingHub', target: 'backoff', actions: [blamed(() => makeFailure('eos', 'hub-closed', 'The hub closed the connection of this output while its source went on.')), 'plan', 'release'] },
          { guard: 'hasFailed', target: 'backoff', actions: ['plan', 'release'] },
          { target: 'off', actions: 'release' },
        ],
      },
      on: { 'output.attach': { guard: 'isOtherHub', target: 'off', actions: ['record', 'release'] } },
    },
    backoff: {
      tags: 'waiting',
      after: { retryDelay: 'off' },
      on: {
        'output.want': [{ guard: 'isUnwanting', target: 'off', actions: ['record', 'forgive'] }, { actions: 'record' }],
        'output.update': [{ guard: 'changesOptions', target: 'off', actions: ['record', 'forgive'] }, { actions: 'record' }],
      },
    },
  },
});

function noHub(): never {
  throw new Error('An output was attached without a hub.');
}
