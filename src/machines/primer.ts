/**
 * Primer: shows a joining viewer what the camera's hub has cached, until the camera's next keyframe comes by the ordinary way.
 *
 *   open{preparing → prepared → playing → live} → closing → closed
 *
 * It is help and no condition: whatever fails — no budget, no port, a hub that ended, a deadline — closes it, and the
 * viewer, who consumes the camera's own producer beside it all the time, waits for a keyframe as without it.
 */
import { assign, fromCallback, fromPromise, sendParent, sendTo, setup, type ErrorActorEvent, type EventObject } from 'xstate';

/** Deadlines, ms. */
export type PrimerDeadlines = {
  /** Until its transport and producer are there. */
  prepareMs: number;
  /** From its begin to its end, whatever happens. */
  lifeMs: number;
};

export type PrimerInput = { viewer: string; camera: string; hubPort: number; deadlines: PrimerDeadlines };

/** To the path behind the chart. */
export type PathCommand = { type: 'path.play' };
/** From the path behind the chart. */
export type PathFact = { type: 'path.made' } | { type: 'path.live' } | { type: 'path.ended'; reason: string };

export type PrimerEvent =
  /** The viewer is connected and hears: what is sent now arrives. */
  | { type: 'primer.play' }
  /** The viewer shows the camera's own producer, or is gone. */
  | { type: 'primer.release' }
  | PathFact
  | ErrorActorEvent<unknown, 'path'>;

type Context = PrimerInput & { wanted: boolean; reason: string | null };

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
  guards: { isWanted: ({ context }) => context.wanted },
  delays: {
    prepareDeadline: ({ context }) => context.deadlines.prepareMs,
    lifeDeadline: ({ context }) => context.deadlines.lifeMs,
  },
  actions: {
    want: assign({ wanted: true }),
    recordEnd: assign((_, params: { reason: string }) => ({ reason: params.reason })),
    play: sendTo('path', { type: 'path.play' }),
    tellClosed: sendParent({ type: 'primer.closed' }),
  },
});

/** The primer machine; provide `path` and `confirm`. */
export const primerMachine = primerSetup.createMachine({
  id: 'primer',
  context: ({ input }) => ({ ...input, wanted: false, reason: null }),
  initial: 'open',
  states: {
    open: {
      initial: 'preparing',
      invoke: { id: 'path', src: 'path', input: ({ context: { viewer, camera, hubPort, deadlines } }) => ({ viewer, camera, hubPort, deadlines }), onError: 'closing' },
      on: {
        'primer.play': { actions: 'want' },
        'primer.release': 'closing',
        'path.ended': { target: 'closing', actions: { type: 'recordEnd', params: ({ event }) => ({ reason: event.reason }) } },
      },
      after: { lifeDeadline: { target: 'closing', actions: { type: 'recordEnd', params: { reason: 'deadline' } } } },
      states: {
        preparing: {
          on: { 'path.made': 'prepared' },
          after: { prepareDeadline: { target: '#primer.closing', actions: { type: 'recordEnd', params: { reason: 'deadline' } } } },
        },
        prepared: { always: { guard: 'isWanted', target: 'playing' } },
        playing: { entry: 'play', on: { 'path.live': 'live' } },
        live: {},
      },
    },
    closing: { invoke: { src: 'confirm', input: ({ context }) => ({ viewer: context.viewer }), onDone: 'closed', onError: 'closed' } },
    closed: { type: 'final', entry: 'tellClosed' },
  },
});
