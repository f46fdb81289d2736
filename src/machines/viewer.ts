/**
 * Viewer: one subscription of one browser to one camera.
 *
 *   joining → negotiating → watching{flowing ⇄ paused} → closing → closed
 *
 * Whoever goes away in the middle — closes the tab, loses the network, never connects — runs into a deadline, and
 * `closing` releases transport and consumers and waits for it.
 */
import { assign, fromPromise, sendParent, setup } from 'xstate';

/** Deadlines, ms. */
export type ViewerDeadlines = {
  /** `join` to the WebRTC transport being asked for. */
  joinMs: number;
  /** Transport made to ICE and DTLS connected and consuming. */
  negotiateMs: number;
  /** ICE disconnected to given up. */
  lostMs: number;
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
  | { type: 'viewer.end'; reason: ViewerEnd };

type Context = { id: string; camera: string; owner: string; deadlines: ViewerDeadlines; reason: ViewerEnd | null; connected: boolean; consuming: boolean };

const viewerSetup = setup({
  types: {
    input: {} as { id: string; camera: string; owner: string; deadlines: ViewerDeadlines },
    context: {} as Context,
    events: {} as ViewerEvent,
  },
  actors: {
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
    tellClosed: sendParent(({ context }) => ({ type: 'viewer.closed', id: context.id })),
  },
});

const late = { target: '#viewer.closing', actions: { type: 'end', params: { reason: 'deadline' } } } as const;

/** The viewer machine; provide `close`. */
export const viewerMachine = viewerSetup.createMachine({
  id: 'viewer',
  context: ({ input }) => ({ ...input, reason: null, connected: false, consuming: false }),
  initial: 'open',
  states: {
    open: {
      initial: 'joining',
      on: { 'viewer.end': { target: 'closing', actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) } } },
      states: {
        joining: { on: { 'viewer.transportMade': 'negotiating' }, after: { joinDeadline: late } },
        negotiating: {
          always: { guard: 'isComplete', target: 'watching' },
          on: { 'viewer.connected': { actions: 'markConnected' }, 'viewer.consuming': { actions: 'markConsuming' } },
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
