/**
 * Ingest: PlainTransport and Producer of one camera, on whichever worker is least loaded.
 *
 *   none → carrying{creating → ready{paused ⇄ flowing}} → backoff → carrying …        unsuitable: WebRTC cannot carry it
 *
 * It outlives every source: a loss pauses the producer, only a change of profile or the death of its worker replaces it.
 * After a death the others carry more than the new worker: who has no viewer moves there, unnoticed.
 */
import { assertEvent, assign, enqueueActions, fromCallback, sendParent, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import { failureOf, type Failure } from '../errors.ts';
import type { Feed } from '../media.ts';
import type { IngestCommand } from './events.ts';
import { profileOf } from './camera-context.ts';
import { defaultPolicy, jittered, random, type ClassPolicy } from './policy.ts';

/** To the producer behind the chart. */
export type ProducerCommand = { type: 'producer.pause' } | { type: 'producer.resume' } | { type: 'producer.cycle' } | { type: 'producer.watched'; watched: boolean };
/** From the producer behind the chart. */
export type ProducerFact = { type: 'producer.ready'; worker: number; workerPid: number } | { type: 'producer.failed'; failure: Failure } | { type: 'producer.cycled' }
  /** Nobody watches, and another worker carries at least two ingests less. */
  | { type: 'producer.outweighed' };

type Context = { camera: string; feed: Feed; policy: ClassPolicy; profileLevelId: string | null; wanted: 'paused' | 'flowing'; watched: boolean; attempt: number; seed: number; delayMs: number };

const ingestSetup = setup({
  types: {
    input: {} as { camera: string; feed: Feed; policy?: ClassPolicy },
    context: {} as Context,
    events: {} as IngestCommand | ProducerFact | ErrorActorEvent<unknown, 'producer'>,
  },
  actors: {
    /** Makes router, transport and producer, starts paused, closes them when it is stopped; answers `resume` and `cycle` by `producer.cycled`; speaks `ProducerFact`. */
    producer: fromCallback<ProducerCommand, { camera: string; feed: Feed; profileLevelId: string; watched: boolean }, EventObject>(() => {
      throw new Error('provide actor: producer');
    }),
  },
  guards: {
    carriesNothing: (_, params: { profileLevelId: string | null }) => params.profileLevelId === null,
    isSame: ({ context }, params: { profileLevelId: string | null }) => params.profileLevelId !== null && profileOf(params.profileLevelId) === profileOf(context.profileLevelId),
    isUnsupported: (_, params: { failure: Failure }) => params.failure.class === 'unsupported',
    wantsFlow: ({ context }) => context.wanted === 'flowing',
  },
  delays: { retryDelay: ({ context }) => context.delayMs },
  actions: {
    setWatched: assign(({ event }) => {
      assertEvent(event, 'ingest.watched');
      return { watched: event.watched };
    }),
    tellWatched: enqueueActions(({ context, enqueue }) => enqueue.sendTo('producer', { type: 'producer.watched', watched: context.watched })),
    want: assign((_, params: { flow: Context['wanted'] }) => ({ wanted: params.flow })),
    setProfile: assign(({ event }) => {
      assertEvent(event, 'ingest.ensure');
      return { profileLevelId: event.profileLevelId, attempt: 0 };
    }),
    planRetry: assign(({ context }) => {
      const drawn = random(context.seed);
      return { seed: drawn.seed, attempt: context.attempt + 1, delayMs: context.attempt === 0 ? 0 : jittered(context.policy, context.attempt - 1, drawn.value).delayMs };
    }),
    calm: assign({ attempt: 0 }),
    pause: enqueueActions(({ enqueue }) => enqueue.sendTo('producer', { type: 'producer.pause' })),
    resume: enqueueActions(({ enqueue }) => enqueue.sendTo('producer', { type: 'producer.resume' })),
    cycle: enqueueActions(({ enqueue }) => enqueue.sendTo('producer', { type: 'producer.cycle' })),
    tellCycled: sendParent({ type: 'ingest.cycled' }),
    tellReady: sendParent(({ event }) => {
      assertEvent(event, 'producer.ready');
      return { type: 'ingest.ready', worker: event.worker, workerPid: event.workerPid };
    }),
    tellLost: sendParent((_, params: { failure: Failure }) => ({ type: 'ingest.lost', failure: params.failure })),
  },
});

const byProfile = {
  'ingest.ensure': [
    { guard: { type: 'isSame', params: ({ event }: { event: { profileLevelId: string | null } }) => ({ profileLevelId: event.profileLevelId }) } },
    { guard: { type: 'carriesNothing', params: ({ event }: { event: { profileLevelId: string | null } }) => ({ profileLevelId: event.profileLevelId }) }, target: '#ingest.none', actions: 'setProfile' },
    { target: '#ingest.carrying', reenter: true, actions: 'setProfile' },
  ],
} as const;

/** Told when the producer flows. */
const wantFlow = { actions: { type: 'want', params: { flow: 'flowing' } } } as const;
const lost = ({ event }: { event: { failure: Failure } }) => ({ failure: event.failure });

/** The ingest machine; provide `producer`. */
export const ingestMachine = ingestSetup.createMachine({
  id: 'ingest',
  context: ({ input }) => ({ camera: input.camera, feed: input.feed, policy: input.policy ?? defaultPolicy.sfu, profileLevelId: null, wanted: 'paused', watched: false, attempt: 0, seed: input.feed.ssrc, delayMs: 0 }),
  initial: 'none',
  on: {
    'ingest.pause': { actions: { type: 'want', params: { flow: 'paused' } } },
    'ingest.resume': { actions: [{ type: 'want', params: { flow: 'flowing' } }, 'tellCycled'] },
    // Nothing flows: there is nothing to forget.
    'ingest.cycle': { actions: 'tellCycled' },
    'producer.cycled': { actions: 'tellCycled' },
    'ingest.watched': { actions: 'setWatched' },
  },
  states: {
    /** Nothing WebRTC can carry is known yet. */
    none: { on: byProfile },
    carrying: {
      initial: 'creating',
      invoke: {
        id: 'producer',
        src: 'producer',
        input: ({ context }) => ({ camera: context.camera, feed: context.feed, profileLevelId: context.profileLevelId ?? '', watched: context.watched }),
        onError: { target: 'backoff', actions: ['planRetry', { type: 'tellLost', params: ({ event }) => ({ failure: failureOf(event.error, 'sfu') }) }] },
      },
      on: {
        ...byProfile,
        'ingest.watched': { actions: ['setWatched', 'tellWatched'] },
        'producer.failed': [
          { guard: { type: 'isUnsupported', params: lost }, target: 'unsuitable', actions: { type: 'tellLost', params: lost } },
          { target: 'backoff', actions: ['planRetry', { type: 'tellLost', params: lost }] },
        ],
      },
      states: {
        creating: {
          on: {
            'ingest.resume': wantFlow,
            'producer.ready': [
              { guard: 'wantsFlow', target: 'ready.flowing', actions: 'tellReady' },
              { target: 'ready.paused', actions: 'tellReady' },
            ],
          },
        },
        ready: {
          after: { 10_000: { actions: 'calm' } },
          // What flowed before flows again: `wanted` is kept.
          on: { 'producer.outweighed': { target: '#ingest.carrying', reenter: true } },
          initial: 'paused',
          states: {
            paused: { on: { 'ingest.resume': { target: 'flowing', actions: { type: 'want', params: { flow: 'flowing' } } } } },
            flowing: {
              entry: 'resume',
              exit: 'pause',
              on: { 'ingest.cycle': { actions: 'cycle' }, 'ingest.pause': { target: 'paused', actions: { type: 'want', params: { flow: 'paused' } } } },
            },
          },
        },
      },
    },
    backoff: { on: { ...byProfile, 'ingest.resume': wantFlow }, after: { retryDelay: 'carrying' } },
    unsuitable: { on: byProfile },
  },
});
