/**
 * Source: one pull of a camera, in one host; for a planned restart in two, so that nobody sees it.
 *
 *   alone → beside (a second host starts) → arming (its feed waits for a keyframe) → shutting (the old feed)
 *     ▲                                                                               │
 *     └── retiring (the old host is released) ◀── cycling (the ingest forgets numbers) ◀┘        any: releasing → released
 *
 * A source keeps what it has from its first keyframe on until `ingest.cycled` lets it through, so that a camera whose
 * stream begins with a keyframe is seen from it on. The camera hears the facts of the host that feeds. A successor that fails is released and told; the old one goes on.
 * After `source.release` the camera hears `source.released` once every process is reaped.
 */
import { assertEvent, enqueueActions, sendParent, setup, type ErrorActorEvent } from 'xstate';
import { failure as makeFailure, type Failure } from '../errors.ts';
import type { VideoFormat } from '../media.ts';
import type { SourceInput } from './camera-context.ts';
import { crashOf } from './crash.ts';
import type { SourceCommand, SourceFact } from './events.ts';
import { hostMachine, type HostDeadlines, type HostFact, type Slot } from './host.ts';

/** Deadlines of a source, ms. */
export type SourceDeadlines = HostDeadlines & {
  /** From the start of a successor to its first keyframe, and from there to the one it takes over at. */
  successorMs: number;
  /** How long the old feed may take to shut. */
  shutMs: number;
  /** How long the ingest may take to forget the old sequence numbers. */
  cycleMs: number;
};

type Crash = ErrorActorEvent<unknown, 'host:a'> | ErrorActorEvent<unknown, 'host:b'>;
type Context = {
  deadlines: SourceDeadlines;
  /** What the running host pulls, and what the next one shall. */
  source: SourceInput;
  next: SourceInput | null;
  feeding: Slot;
  /** Slots whose host is not reaped yet. */
  held: Slot[];
  feedOpen: boolean;
  successor: { pid: number; hubPort: number; soundPort: number | null; media: VideoFormat | null };
};

const none = { pid: 0, hubPort: 0, soundPort: null, media: null };
const other = (slot: Slot): Slot => (slot === 'a' ? 'b' : 'a');
const hostOf = (slot: Slot) => `host:${slot}` as const;

const sourceSetup = setup({
  types: {
    input: {} as { source: SourceInput; deadlines: SourceDeadlines },
    context: {} as Context,
    events: {} as SourceCommand | HostFact | Crash,
    children: {} as { 'host:a': 'host'; 'host:b': 'host' },
  },
  actors: {
    /** Pulls in one process; speaks `HostFact`. */
    host: hostMachine,
  },
  guards: {
    isFeeding: ({ context }, params: { slot: Slot }) => params.slot === context.feeding,
    isOther: ({ context }, params: { slot: Slot }) => params.slot !== context.feeding,
    tells: ({ event }, params: { fact: string }) => event.type === 'host.told' && event.fact.type === params.fact,
    hasNext: ({ context }) => context.next !== null,
    isFed: ({ context }) => context.feedOpen,
    isAlone: ({ context }) => context.held.length <= 1,
    isReaped: ({ context }) => context.held.length === 0,
  },
  delays: {
    successorDeadline: ({ context }) => context.deadlines.successorMs,
    shutDeadline: ({ context }) => context.deadlines.shutMs,
    cycleDeadline: ({ context }) => context.deadlines.cycleMs,
  },
  actions: {
    startFirst: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ held: [context.feeding] });
      enqueue.spawnChild('host', { id: hostOf(context.feeding), input: { slot: context.feeding, source: context.source, deadlines: context.deadlines } });
    }),
    planNext: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'source.replace');
      enqueue.assign({ next: event.source });
    }),
    startSuccessor: enqueueActions(({ context, enqueue }) => {
      const slot = other(context.feeding);
      if (context.next === null) return;
      const source: SourceInput = { ...context.next, feed: { ...context.next.feed, open: context.feedOpen } };
      enqueue.assign({ next: null, source, held: [...context.held, slot], successor: none });
      enqueue.spawnChild('host', { id: hostOf(slot), input: { slot, source, deadlines: context.deadlines } });
    }),
    forward: sendParent(({ event }) => {
      assertEvent(event, 'host.told');
      return event.fact as SourceFact;
    }),
    learn: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'host.told') return;
      const { fact } = event;
      if (fact.type === 'source.ready') enqueue.assign({ successor: { ...context.successor, pid: fact.pid } });
      if (fact.type === 'source.started') enqueue.assign({ successor: { ...context.successor, hubPort: fact.hubPort, soundPort: fact.soundPort ?? null } });
      if (fact.type === 'source.media') enqueue.assign({ successor: { ...context.successor, media: fact.media } });
    }),
    setFeed: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'feed.set');
      enqueue.assign({ feedOpen: event.open });
      for (const slot of context.held) enqueue.sendTo(hostOf(slot), event);
    }),
    openGate: enqueueActions(({ context, enqueue }) => {
      if (context.held.includes(context.feeding)) enqueue.sendTo(hostOf(context.feeding), { type: 'gate.open' });
    }),
    armGate: enqueueActions(({ context, enqueue }) => enqueue.sendTo(hostOf(other(context.feeding)), { type: 'gate.arm' })),
    shutOldFeed: enqueueActions(({ context, enqueue }) => {
      if (context.held.includes(context.feeding)) enqueue.sendTo(hostOf(context.feeding), { type: 'feed.set', open: false });
    }),
    askForCycle: sendParent({ type: 'source.switching' }),
    takeOver: enqueueActions(({ context, enqueue }) => {
      const { feeding, successor } = context;
      enqueue.assign({ feeding: other(feeding) });
      enqueue.sendTo(hostOf(other(feeding)), { type: 'gate.open' });
      if (context.held.includes(feeding)) enqueue.sendTo(hostOf(feeding), { type: 'host.release' });
      enqueue(sendParent({ type: 'source.replaced', ...successor } satisfies SourceFact));
    }),
    /** The old one feeds again, in case it was shut already. */
    giveUpSuccessor: enqueueActions(({ context, enqueue }, params: { failure: Failure }) => {
      if (context.held.includes(other(context.feeding))) enqueue.sendTo(hostOf(other(context.feeding)), { type: 'host.release' });
      if (context.feedOpen && context.held.includes(context.feeding)) enqueue.sendTo(hostOf(context.feeding), { type: 'feed.set', open: true });
      enqueue(sendParent({ type: 'source.replaceFailed', failure: params.failure } satisfies SourceFact));
    }),
    drop: enqueueActions(({ context, enqueue }, params: { slot: Slot }) => {
      enqueue.stopChild(hostOf(params.slot));
      enqueue.assign({ held: context.held.filter((slot) => slot !== params.slot) });
    }),
    tellCrash: sendParent((_, params: { error: unknown }) => ({ type: 'source.failed', failure: crashOf(params.error) }) satisfies SourceFact),
    releaseAll: enqueueActions(({ context, enqueue }) => {
      for (const slot of context.held) enqueue.sendTo(hostOf(slot), { type: 'host.release' });
    }),
    tellReleased: sendParent({ type: 'source.released' } satisfies SourceFact),
  },
});

const told = ({ event }: { event: { slot: Slot } }) => ({ slot: event.slot });
const late = (what: string) => ({ failure: makeFailure('timeout', 'successor-deadline', `The new source ${what} in time.`) });
const failed = ({ event }: { event: HostFact }) => ({
  failure: event.type === 'host.told' && event.fact.type === 'source.failed' ? event.fact.failure : makeFailure('local', 'successor-lost', 'The new source ended.'),
});

/** Facts while a successor prepares: those of the one that feeds go on as ever; `next` is what the successor's may lead to. */
const besideFacts = [
  { guard: { type: 'isFeeding', params: told }, actions: 'forward' },
  { guard: { type: 'tells', params: { fact: 'source.failed' } }, target: 'retiring', actions: { type: 'giveUpSuccessor', params: failed } },
] as const;
/** A crash of the successor's actor ends the attempt, one of the other's is the source's failure. */
const crashes = Object.fromEntries((['a', 'b'] as const).map((slot) => [`xstate.error.actor.host:${slot}`, [
  { guard: { type: 'isFeeding', params: { slot } }, actions: [{ type: 'drop', params: { slot } }, { type: 'tellCrash', params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }) }] },
  { target: '.retiring', actions: [{ type: 'drop', params: { slot } }, { type: 'giveUpSuccessor', params: ({ event }: { event: { error: unknown } }) => ({ failure: crashOf(event.error) }) }] },
]])) as never;

/** The source machine; provide `host` with its process. */
export const sourceMachine = sourceSetup.createMachine({
  id: 'source',
  context: ({ input }) => ({ ...input, next: null, feeding: 'a', held: [], feedOpen: input.source.feed.open, successor: none }),
  entry: 'startFirst',
  initial: 'pulling',
  states: {
    pulling: {
      initial: 'alone',
      on: {
        'feed.set': { actions: 'setFeed' },
        'source.release': '#source.releasing',
        'source.replace': { actions: 'planNext' },
        'host.released': { guard: { type: 'isOther', params: told }, target: '.retiring', actions: { type: 'drop', params: told } },
        ...(crashes as object),
      },
      states: {
        alone: {
          always: { guard: 'hasNext', target: 'beside' },
          on: { 'host.told': { actions: 'forward' }, 'ingest.cycled': { actions: 'openGate' } },
        },
        beside: {
          entry: 'startSuccessor',
          on: {
            'host.told': [
              ...besideFacts,
              // The first keyframe is there: its hub can serve outputs, and its feed the next one.
              { guard: { type: 'tells', params: { fact: 'source.media' } }, target: 'deciding', actions: 'learn' },
              { actions: 'learn' },
            ],
          },
          after: { successorDeadline: { target: 'retiring', actions: { type: 'giveUpSuccessor', params: () => late('did not show a keyframe') } } },
        },
        deciding: { always: [{ guard: 'isFed', target: 'arming' }, { target: 'cycling' }] },
        arming: {
          entry: 'armGate',
          on: {
            'host.told': [
              ...besideFacts,
              { guard: { type: 'tells', params: { fact: 'gate.ready' } }, target: 'shutting' },
              { actions: 'learn' },
            ],
            // Nobody watches any more: no keyframe is needed.
            'feed.set': [
              { guard: ({ event }) => !event.open, target: 'cycling', actions: 'setFeed' },
              { actions: 'setFeed' },
            ],
          },
          after: { successorDeadline: { target: 'retiring', actions: { type: 'giveUpSuccessor', params: () => late('did not show a second keyframe') } } },
        },
        shutting: {
          entry: 'shutOldFeed',
          on: {
            'host.told': [
              { guard: { type: 'tells', params: { fact: 'feed.shut' } }, target: 'cycling' },
              ...besideFacts,
              { actions: 'learn' },
            ],
          },
          // Frozen: its streaming threads may go on feeding, and its heartbeat will tell.
          after: { shutDeadline: { target: 'retiring', actions: { type: 'giveUpSuccessor', params: () => ({ failure: makeFailure('native-frozen', 'feed-not-shut', 'The old source did not shut its feed in time.') }) } } },
        },
        cycling: {
          entry: 'askForCycle',
          on: {
            'ingest.cycled': { target: 'retiring', actions: 'takeOver' },
            'host.told': [...besideFacts, { actions: 'learn' }],
          },
          after: { cycleDeadline: { target: 'retiring', actions: 'takeOver' } },
        },
        /** The other host is being reaped; a further restart waits for its slot. */
        retiring: {
          always: { guard: 'isAlone', target: 'alone' },
          on: {
            'ingest.cycled': { actions: 'openGate' }, 'host.told': { guard: { type: 'isFeeding', params: told }, actions: 'forward' } },
        },
      },
    },
    releasing: {
      entry: 'releaseAll',
      always: { guard: 'isReaped', target: 'released' },
      on: {
        'host.released': { actions: { type: 'drop', params: told } },
        'xstate.error.actor.host:a': { actions: { type: 'drop', params: { slot: 'a' } } },
        'xstate.error.actor.host:b': { actions: { type: 'drop', params: { slot: 'b' } } },
      },
    },
    released: { type: 'final', entry: 'tellReleased' },
  },
});
