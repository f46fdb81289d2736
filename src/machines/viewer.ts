/**
 * Viewer: one subscription of one browser to one camera.
 *
 *   joining → negotiating → watching{flowing ⇄ paused} → closing → closed
 *
 * Whoever goes away in the middle — closes the tab, loses the network, never connects — runs into a deadline, and
 * `closing` releases transport and consumers and waits for it. A primer may show it the first pictures (`primer.ts`).
 */
import { assign, enqueueActions, fromPromise, sendParent, setup, type ErrorActorEvent } from 'xstate';
import { primerMachine, type PrimerDeadlines, type PrimerWay } from './primer.ts';

/** Deadlines, ms. */
export type ViewerDeadlines = {
  /** `join` to the WebRTC transport being asked for. */
  joinMs: number;
  /** Transport made to ICE and DTLS connected and consuming. */
  negotiateMs: number;
  /** ICE disconnected to given up. */
  lostMs: number;
  primer: PrimerDeadlines;
};

/** Why a viewer ended. */
export type ViewerEnd = 'left' | 'deadline' | 'connection-lost' | 'rejoin' | 'removed' | 'shutdown';

export type ViewerEvent =
  | { type: 'viewer.transportMade' }
  | { type: 'viewer.connected' }
  | { type: 'viewer.consuming' }
  /** ICE says disconnected, or DTLS closed. */
  | { type: 'viewer.disconnected' }
  | { type: 'viewer.producerPaused' }
  | { type: 'viewer.producerResumed' }
  /** The camera's hub may have pictures for it before the next keyframe comes. */
  | { type: 'viewer.prime'; hubPort: number; way: PrimerWay }
  /** Its consumers are no longer paused. */
  | { type: 'viewer.resumed' }
  /** The page shows the camera's own producer: the primer has done its work. */
  | { type: 'viewer.tookOver' }
  | { type: 'primer.closed' }
  | ErrorActorEvent<unknown, 'primer'>
  | { type: 'viewer.end'; reason: ViewerEnd };

type Context = { id: string; camera: string; owner: string; deadlines: ViewerDeadlines; reason: ViewerEnd | null; connected: boolean; consuming: boolean; resumed: boolean; primer: boolean };

const viewerSetup = setup({
  types: {
    input: {} as { id: string; camera: string; owner: string; deadlines: ViewerDeadlines },
    context: {} as Context,
    events: {} as ViewerEvent,
    children: {} as { primer: 'primer' },
  },
  actors: {
    /** Shows what the hub has cached; says `primer.closed`. */
    primer: primerMachine,
    /** Closes consumers and transport, tells the browser why. */
    close: fromPromise<void, { id: string; reason: ViewerEnd }>(() => {
      throw new Error('provide actor: close');
    }),
  },
  guards: { isComplete: ({ context }) => context.connected && context.consuming },
  delays: {
    joinDeadline: ({ context }) => context.deadlines.joinMs,
    negotiateDeadline: ({ context }) => context.deadlines.negotiateMs,
    lostDeadline: ({ context }) => context.deadlines.lostMs,
  },
  actions: {
    end: assign((_, params: { reason: ViewerEnd }) => ({ reason: params.reason })),
    markConnected: assign({ connected: true }),
    markConsuming: assign({ consuming: true }),
    markResumed: assign({ resumed: true }),
    startPrimer: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'viewer.prime' || context.primer) return;
      enqueue.assign({ primer: true });
      enqueue.spawnChild('primer', { id: 'primer', input: { viewer: context.id, camera: context.camera, hubPort: event.hubPort, way: event.way, deadlines: context.deadlines.primer } });
    }),
    /** What is sent before the browser hears is lost, the keyframe first. */
    playPrimer: enqueueActions(({ context, enqueue }) => {
      if (context.primer && context.connected && context.resumed) enqueue.sendTo('primer', { type: 'primer.play' });
    }),
    releasePrimer: enqueueActions(({ context, enqueue }) => {
      if (context.primer) enqueue.sendTo('primer', { type: 'primer.release' });
    }),
    forgetPrimer: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('primer');
      enqueue.assign({ primer: false });
    }),
    tellClosed: sendParent(({ context }) => ({ type: 'viewer.closed', id: context.id })),
  },
});

const late = { target: '#viewer.closing', actions: { type: 'end', params: { reason: 'deadline' } } } as const;

/** The viewer machine; provide `close`. */
export const viewerMachine = viewerSetup.createMachine({
  id: 'viewer',
  context: ({ input }) => ({ ...input, reason: null, connected: false, consuming: false, resumed: false, primer: false }),
  initial: 'open',
  on: {
    'primer.closed': { actions: 'forgetPrimer' },
    'xstate.error.actor.primer': { actions: 'forgetPrimer' },
  },
  states: {
    open: {
      initial: 'joining',
      exit: 'releasePrimer',
      on: {
        'viewer.prime': { actions: 'startPrimer' },
        'viewer.resumed': { actions: ['markResumed', 'playPrimer'] },
        'viewer.tookOver': { actions: 'releasePrimer' },
        'viewer.end': { target: 'closing', actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) } },
      },
      states: {
        joining: { on: { 'viewer.transportMade': 'negotiating' }, after: { joinDeadline: late } },
        negotiating: {
          always: { guard: 'isComplete', target: 'watching' },
          on: { 'viewer.connected': { actions: ['markConnected', 'playPrimer'] }, 'viewer.consuming': { actions: 'markConsuming' } },
          after: { negotiateDeadline: late },
        },
        watching: {
          initial: 'flowing',
          on: { 'viewer.disconnected': 'losing' },
          states: {
            flowing: { on: { 'viewer.producerPaused': 'paused' } },
            paused: { on: { 'viewer.producerResumed': 'flowing' } },
          },
        },
        /** ICE may come back by itself: a network change, a laptop lid. */
        losing: {
          on: { 'viewer.connected': 'watching' },
          after: { lostDeadline: { target: '#viewer.closing', actions: { type: 'end', params: { reason: 'connection-lost' } } } },
        },
      },
    },
    closing: {
      invoke: { src: 'close', input: ({ context }) => ({ id: context.id, reason: context.reason ?? 'left' }), onDone: 'closed', onError: 'closed' },
    },
    closed: { type: 'final', entry: 'tellClosed' },
  },
});
