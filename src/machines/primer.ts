/**
 * Primer: shows a joining viewer what the camera's hub has cached, until the camera's next keyframe comes by the ordinary way.
 *
 *   open{preparing → prepared → [holding →] playing → live} → closing → closed
 *
 * Where that is so much that a browser would decode it for long, it is held at the keyframe until a catch-up
 * (`actors/catch-ups.ts`) has a stream that begins in the present. Where that takes too long all that is cached is played after all.
 *
 * It is help and no condition: whatever fails — no budget, no port, a hub that ended, a deadline — closes it, and the
 * viewer, who consumes the camera's own producer beside it all the time, waits for a keyframe as without it.
 */
import { assign, fromCallback, fromPromise, sendParent, sendTo, setup, type ErrorActorEvent, type EventObject } from 'xstate';
import type { TranscodeForm } from '../carriage.ts';

/** Deadlines, ms. */
export type PrimerDeadlines = {
  /** Until its transport and producer are there. */
  prepareMs: number;
  /** From its begin to its end, whatever happens. */
  lifeMs: number;
  /** How long the keyframe is held before all that is cached is played. */
  holdMs: number;
};

/** `burst`: all that is cached at once. Else its keyframe alone, until there is a `catch-up` of this form. */
export type PrimerWay = { type: 'burst' } | { type: 'catch-up'; form: Pick<TranscodeForm, 'kbps' | 'keyframeEvery'> };

export type PrimerInput = { viewer: string; camera: string; hubPort: number; way: PrimerWay; deadlines: PrimerDeadlines };

/** To the path behind the chart. `held`: the keyframe only; what is held goes on when it is told to play once more. */
export type PathCommand = { type: 'path.play'; held: boolean };
/** From the path behind the chart. `path.late`: there is no catch-up to be held for. */
export type PathFact = { type: 'path.made' } | { type: 'path.live' } | { type: 'path.late' } | { type: 'path.ended'; reason: string };

export type PrimerEvent =
  /** The viewer is connected and hears: what is sent now arrives. */
  | { type: 'primer.play' }
  /** The viewer shows the camera's own producer, or is gone. */
  | { type: 'primer.release' }
  | PathFact
  | ErrorActorEvent<unknown, 'path'>;

type Context = PrimerInput & { wanted: boolean; held: boolean; reason: string | null };

const primerSetup = setup({
  types: { input: {} as PrimerInput, context: {} as Context, events: {} as PrimerEvent },
  actors: {
    /** Takes budget, port, transport and producer, plays when told, lets all go when it is stopped; speaks `PathFact`. */
    path: fromCallback<PathCommand, PrimerInput, EventObject>(() => {
      throw new Error('provide actor: path');
    }),
    /** Confirms that nothing is leased any more. */
    confirm: fromPromise<void, { viewer: string }>(() => {
      throw new Error('provide actor: confirm');
    }),
  },
  guards: { isWanted: ({ context }) => context.wanted, isHeld: ({ context }) => context.wanted && context.held },
  delays: {
    prepareDeadline: ({ context }) => context.deadlines.prepareMs,
    lifeDeadline: ({ context }) => context.deadlines.lifeMs,
    holdDeadline: ({ context }) => context.deadlines.holdMs,
  },
  actions: {
    want: assign({ wanted: true }),
    recordEnd: assign((_, params: { reason: string }) => ({ reason: params.reason })),
    letGo: assign({ held: false }),
    hold: sendTo('path', { type: 'path.play', held: true }),
    play: sendTo('path', { type: 'path.play', held: false }),
    tellClosed: sendParent({ type: 'primer.closed' }),
  },
});

/** The primer machine; provide `path` and `confirm`. */
export const primerMachine = primerSetup.createMachine({
  id: 'primer',
  context: ({ input }) => ({ ...input, wanted: false, held: input.way.type !== 'burst', reason: null }),
  initial: 'open',
  states: {
    open: {
      initial: 'preparing',
      invoke: { id: 'path', src: 'path', input: ({ context: { viewer, camera, hubPort, way, deadlines } }) => ({ viewer, camera, hubPort, way, deadlines }), onError: 'closing' },
      on: {
        'primer.play': { actions: 'want' },
        'primer.release': 'closing',
        'path.late': { actions: 'letGo' },
        'path.ended': { target: 'closing', actions: { type: 'recordEnd', params: ({ event }) => ({ reason: event.reason }) } },
      },
      after: { lifeDeadline: { target: 'closing', actions: { type: 'recordEnd', params: { reason: 'deadline' } } } },
      states: {
        preparing: {
          on: { 'path.made': 'prepared' },
          after: { prepareDeadline: { target: '#primer.closing', actions: { type: 'recordEnd', params: { reason: 'deadline' } } } },
        },
        prepared: { always: [{ guard: 'isHeld', target: 'holding' }, { guard: 'isWanted', target: 'playing' }] },
        holding: { entry: 'hold', on: { 'path.live': 'live', 'path.late': 'playing' }, after: { holdDeadline: 'playing' } },
        playing: { entry: 'play', on: { 'path.live': 'live' } },
        live: {},
      },
    },
    closing: { invoke: { src: 'confirm', input: ({ context }) => ({ viewer: context.viewer }), onDone: 'closed', onError: 'closed' } },
    closed: { type: 'final', entry: 'tellClosed' },
  },
});
