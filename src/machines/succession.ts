/**
 * Succession: prepares a planned restart. It takes a slot like any attempt to connect, and asks the camera what it offers
 * at the address that is to come, before a second source starts beside the running one.
 *
 *   admitting → probing → ready (holds its slot until the camera stops it)        probing → refused
 */
import { fromCallback, fromPromise, sendParent, setup, type EventObject } from 'xstate';
import type { CameraConfig } from '../camera-config.ts';
import { failureOf } from '../errors.ts';
import type { Description } from '../media.ts';
import type { SuccessionFact, WaitFact } from './events.ts';

/** Why a source that runs is replaced. */
export type SuccessionReason = 'restart' | 'address' | 'grown';

const successionSetup = setup({
  types: {
    input: {} as { config: CameraConfig; viewed: boolean },
    context: {} as { config: CameraConfig; viewed: boolean },
    events: {} as WaitFact,
  },
  actors: {
    /** Holds an admission slot for as long as it runs; speaks `slot.granted`. */
    slot: fromCallback<EventObject, { camera: string; host: string; viewed: boolean }>(() => {
      throw new Error('provide actor: slot');
    }),
    /** RTSP DESCRIBE; rejects with a `FailureError`. */
    probe: fromPromise<Description, { config: CameraConfig }>(() => {
      throw new Error('provide actor: probe');
    }),
  },
  actions: {
    tellReady: sendParent((_, params: { description: Description }) => ({ type: 'succession.ready', description: params.description }) satisfies SuccessionFact),
    tellFailed: sendParent((_, params: { error: unknown }) => ({ type: 'succession.failed', failure: failureOf(params.error, 'local') }) satisfies SuccessionFact),
  },
});

/** The succession machine; provide `slot` and `probe`. */
export const successionMachine = successionSetup.createMachine({
  id: 'succession',
  context: ({ input }) => input,
  initial: 'admitting',
  invoke: {
    src: 'slot',
    input: ({ context: { config, viewed } }) => ({ camera: config.id, host: config.url.host, viewed }),
    onError: { target: '.refused', actions: { type: 'tellFailed', params: ({ event }) => ({ error: event.error }) } },
  },
  states: {
    admitting: { on: { 'slot.granted': 'probing' } },
    probing: {
      invoke: {
        src: 'probe',
        input: ({ context }) => ({ config: context.config }),
        onDone: { target: 'ready', actions: { type: 'tellReady', params: ({ event }) => ({ description: event.output }) } },
        onError: { target: 'refused', actions: { type: 'tellFailed', params: ({ event }) => ({ error: event.error }) } },
      },
    },
    ready: {},
    refused: { type: 'final' },
  },
});
