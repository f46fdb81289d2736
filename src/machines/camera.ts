/**
 * Camera: keeps one RTSP pull alive.
 *
 *   stopped · idle ──▶ connecting{admitting → probing → starting} ──▶ streaming{live ⇄ stalled}
 *                        ▲          │                                      │
 *                        │          └──────────────▶ teardown ◀────────────┘
 *                        │                              │ acknowledged, then as decided before:
 *                        └── backoff{waiting|watching} ◀┼▶ quarantined · stopped · idle · disposed
 *
 * Loss of a source is an event, not a crash: the ingest pauses and keeps its ports and SSRC. Nothing restarts except
 * from `teardown`, which waits for acknowledgements. Pure: effects are the actors it is provided with, times come with
 * the events, randomness from a seed.
 */
import { unsupportedTracks } from './camera-context.ts';
import { cameraSetup, initialContext } from './camera-setup.ts';
import { crashOf } from './crash.ts';
import { failureOf, type Failure } from '../errors.ts';
import type { SuccessionReason } from './succession.ts';

export type { CameraEvent } from './camera-setup.ts';
export type { CameraContext, CameraMachineInput, CameraSettings, SourceInput } from './camera-context.ts';

const lead = (next: Parameters<typeof step>[0]) => step(next);
function step(next: 'stopped' | 'idle' | 'connecting' | 'waiting' | 'watching' | 'quarantined' | 'disposed') {
  return { type: 'leadTo', params: { next } } as const;
}

/** What is known of the video decides what the ingest announces, who feeds it, and the form of a transcode. */
const carryAnew = ['ensureIngest', 'correctFeed', 'syncOutputs', 'attachOutputs'] as const;

/** The pull as it runs: facts of the source that mean the same while connecting and while streaming. */
const sourceFacts = {
  'source.ready': { actions: 'recordReady' },
  'source.started': { actions: ['recordStarted', 'attachOutputs'] },
  'source.media': { actions: ['recordMedia', ...carryAnew] },
  'source.stats': [{ guard: 'changesOrder', actions: ['recordStats', ...carryAnew] }, { actions: 'recordStats' }],
} as const;

/** Commands that end an attempt or a stream; where they lead is said before teardown begins. */
const commands = {
  'camera.stop': { target: '#camera.teardown', actions: 'wantStopped' },
  'camera.restart': { target: '#camera.teardown', actions: ['wantRunning', 'forgive', lead('connecting')] },
  'camera.dispose': { target: '#camera.teardown', actions: ['wantStopped', lead('disposed')] },
  'camera.update': [
    { guard: 'changesPull', target: '#camera.teardown', actions: ['recordUpdate', 'syncOutputs', 'resetTransport', 'forgive', lead('connecting')] },
    { actions: ['recordUpdate', 'ensureIngest', 'correctFeed', 'syncOutputs', 'startLinger'] },
  ],
  'source.idle': { guard: 'isUnwatchedOnDemand', target: '#camera.teardown', actions: ['blameNobody', lead('idle')] },
} as const;

const succeed = (reason: SuccessionReason) => ({ type: 'startSuccession', params: { reason } }) as const;
/** A planned restart that could not be seamless is done the ordinary way: it was asked for. */
const becauseOf = (failureFrom: 'failure' | 'error') => ({
  target: '#camera.teardown',
  actions: [{ type: 'recordNotReplaced', params: ({ event }: { event: { failure?: Failure; error?: unknown } }) => ({ failure: failureFrom === 'failure' ? event.failure ?? null : crashOf(event.error) }) }, 'forgive', lead('connecting')],
}) as const;
const notReplaced = {
  'succession.failed': becauseOf('failure'),
  'source.replaceFailed': becauseOf('failure'),
  'xstate.error.actor.succession': becauseOf('error'),
} as const;

/** The next attempt; for an on-demand camera that nobody wants any more there is none, until somebody comes. */
const whenWanted = <Target extends 'connecting' | '#camera.connecting', Actions extends 'recordPresence'>(target: Target, actions?: Actions) => [
  { guard: 'isUnwatchedOnDemand', target: '#camera.idle', ...(actions && { actions }) },
  { target, ...(actions && { actions }) },
] as const;

/** The camera machine; provide `source`, `succession`, `ingest`, `output`, `slot`, `presence`, `probe` and `revoke`. */
export const cameraMachine = cameraSetup.createMachine({
  id: 'camera',
  context: ({ input }) => initialContext(input),
  initial: 'deciding',
  entry: ['startIngest', 'syncOutputs'],
  on: {
    'viewers.changed': { actions: ['recordViewers', 'tellWatched', 'tellFeed', 'startLinger'] },
    'feed.idle': { actions: ['shutFeed', 'tellFeed'] },
    'ingest.ready': { actions: 'recordIngest' },
    'ingest.lost': { actions: 'recordIngest' },
    'ingest.cycled': { actions: 'tellCycled' },
    'xstate.error.actor.ingest': { actions: ['stopIngest', { type: 'planIngest', params: ({ event }) => ({ error: event.error }) }] },
    'ingest.respawn': { actions: ['startIngest', 'tellWatched', 'ensureIngest'] },
    'output.changed': { actions: 'recordOutput' },
    'output.respawn': { actions: 'syncOutputs' },
    'xstate.error.actor.output:hls': { actions: { type: 'planOutput', params: ({ event }) => ({ output: 'hls', error: event.error }) } },
    'xstate.error.actor.output:frames': { actions: { type: 'planOutput', params: ({ event }) => ({ output: 'frames', error: event.error }) } },
    'xstate.error.actor.output:record': { actions: { type: 'planOutput', params: ({ event }) => ({ output: 'record', error: event.error }) } },
    'xstate.error.actor.output:transcode': { actions: { type: 'planOutput', params: ({ event }) => ({ output: 'transcode', error: event.error }) } },
    'output.primed': { actions: 'cycleForTranscode' },
    'transcode.set': { actions: ['setTranscode', 'syncOutputs'] },
    'transcode.idle': { actions: ['endTranscode', 'syncOutputs', 'startLinger'] },
    'xstate.error.actor.output:sound': { actions: { type: 'planOutput', params: ({ event }) => ({ output: 'sound', error: event.error }) } },
    'sound.set': { actions: ['setSound', 'syncOutputs'] },
    'sound.idle': { actions: ['endSound', 'syncOutputs', 'startLinger'] },
    'hls.set': { actions: ['setHls', 'syncOutputs', 'startLinger'] },
    'recording.set': { actions: ['setRecording', 'syncOutputs', 'startLinger'] },
  },
  states: {
    deciding: {
      always: [
        { guard: 'wantsToRun', target: 'idle' },
        { target: 'stopped' },
      ],
    },
    stopped: {
      on: {
        'camera.start': { target: 'idle', actions: ['wantRunning', 'forgive'] },
        'camera.restart': { target: 'idle', actions: ['wantRunning', 'forgive'] },
        'camera.update': { actions: ['recordUpdate', 'resetTransport', 'syncOutputs'] },
        'camera.dispose': 'disposed',
      },
    },
    /** On-demand cameras rest here until somebody watches; others pass through. */
    idle: {
      always: [
        { guard: 'isAlwaysOn', target: 'connecting' },
        { guard: 'isWatched', target: 'connecting' },
      ],
      on: {
        'camera.stop': { target: 'stopped', actions: 'wantStopped' },
        'camera.restart': { target: 'connecting', actions: 'forgive' },
        'camera.update': { actions: ['recordUpdate', 'resetTransport', 'syncOutputs'] },
        'camera.dispose': 'disposed',
      },
    },
    connecting: {
      initial: 'admitting',
      invoke: {
        id: 'slot',
        src: 'slot',
        input: ({ context }) => ({ camera: context.config.id, host: context.config.url.host, viewed: context.viewers > 0 }),
        onError: { target: 'teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: failureOf(event.error, 'local'), wasStreaming: false }) } },
      },
      on: {
        ...sourceFacts,
        ...commands,
        'source.failed': { target: 'teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: event.failure, wasStreaming: false }) } },
        'xstate.error.actor.source': { target: 'teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: crashOf(event.error), wasStreaming: false }) } },
      },
      states: {
        admitting: { on: { 'slot.granted': 'probing' } },
        probing: {
          invoke: {
            id: 'probe',
            src: 'probe',
            input: ({ context }) => ({ config: context.config }),
            onDone: [
              {
                guard: { type: 'hasVideo', params: ({ event }) => ({ description: event.output }) },
                target: 'starting',
                actions: { type: 'recordDescription', params: ({ event }) => ({ description: event.output }) },
              },
              {
                target: '#camera.teardown',
                actions: [
                  { type: 'recordDescription', params: ({ event }) => ({ description: event.output }) },
                  { type: 'recordFailure', params: ({ event }) => ({ failure: unsupportedTracks(event.output), wasStreaming: false }) },
                ],
              },
            ],
            onError: { target: '#camera.teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: failureOf(event.error, 'local'), wasStreaming: false }) } },
          },
        },
        starting: {
          entry: ['ensureIngest', 'startSource'],
          on: { 'source.flowing': '#camera.streaming' },
        },
      },
    },
    streaming: {
      initial: 'live',
      entry: ['resumeIngest', 'startLinger'],
      exit: 'endSuccession',
      on: {
        ...sourceFacts,
        ...commands,
        'source.switching': { actions: 'cycleIngest' },
        'source.replaced': { target: '.live', actions: ['recordReplaced', 'attachOutputs', 'ensureIngest', 'endSuccession'] },
        ...notReplaced,
        'succession.ready': [
          { guard: { type: 'fitsIngest', params: ({ event }) => ({ description: event.description }) }, actions: { type: 'replaceSource', params: ({ event }) => ({ description: event.description }) } },
          // Another codec or profile: viewers must join again whatever we do.
          { target: 'teardown', actions: [{ type: 'recordNotReplaced', params: { failure: null } }, 'forgive', lead('connecting')] },
        ],
        'ingest.respawn': { actions: ['startIngest', 'tellWatched', 'ensureIngest', 'resumeIngest'] },
        'source.failed': { target: 'teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: event.failure, wasStreaming: true }) } },
        'xstate.error.actor.source': { target: 'teardown', actions: { type: 'recordFailure', params: ({ event }) => ({ failure: crashOf(event.error), wasStreaming: true }) } },
      },
      states: {
        live: {
          tags: 'viewable',
          after: { resetAfter: { actions: 'recordFresh' } },
          on: {
            'source.stalled': 'stalled',
            // Planned restarts of a live camera: make before break. Where that is not possible the way is the ordinary one.
            'camera.restart': { guard: 'canSucceed', actions: ['forgive', succeed('restart')] },
            'camera.update': { guard: 'canSucceed', actions: ['recordUpdate', 'syncOutputs', 'resetTransport', 'forgive', succeed('address'), 'startLinger'] },
            'source.stats': [
              { guard: 'changesOrder', actions: ['recordStats', ...carryAnew] },
              { guard: 'hasGrown', actions: ['recordStats', succeed('grown')] },
              { actions: 'recordStats' },
            ],
          },
        },
        stalled: { on: { 'source.flowing': 'live' } },
      },
    },
    teardown: {
      initial: 'releasing',
      entry: ['pauseIngest', 'detachOutputs', 'releaseSource'],
      on: {
        'camera.stop': { actions: 'wantStopped' },
        'camera.start': { actions: ['wantRunning', lead('connecting')] },
        'camera.restart': { actions: ['wantRunning', 'forgive', lead('connecting')] },
        'camera.retry': { actions: ['wantRunning', 'forgive', lead('connecting')] },
        'camera.dispose': { actions: ['wantStopped', lead('disposed')] },
        'camera.update': { actions: ['recordUpdate', 'resetTransport', 'syncOutputs'] },
      },
      states: {
        releasing: {
          always: { guard: 'hasNoSource', target: 'confirming' },
          on: { 'source.released': 'confirming', 'xstate.error.actor.source': 'confirming' },
          after: { releaseDeadline: 'confirming' },
        },
        confirming: {
          entry: 'forgetSource',
          invoke: { id: 'revoke', src: 'revoke', input: ({ context }) => ({ camera: context.config.id }), onDone: 'parting', onError: 'parting' },
        },
        parting: { always: { guard: 'hasNoOpenOutput', target: 'released' }, after: { outputDeadline: 'released' } },
        released: { type: 'final' },
      },
      onDone: [
        { guard: { type: 'leadsTo', params: { next: 'disposed' } }, target: 'disposed' },
        { guard: { type: 'leadsTo', params: { next: 'stopped' } }, target: 'stopped' },
        { guard: { type: 'leadsTo', params: { next: 'idle' } }, target: 'idle' },
        { guard: { type: 'leadsTo', params: { next: 'quarantined' } }, target: 'quarantined' },
        { guard: { type: 'leadsTo', params: { next: 'watching' } }, target: 'backoff.watching' },
        { guard: { type: 'leadsTo', params: { next: 'waiting' } }, target: 'backoff.waiting' },
        { target: 'connecting' },
      ],
    },
    backoff: {
      initial: 'waiting',
      tags: 'waiting',
      after: { retryDelay: whenWanted('connecting') },
      on: {
        'camera.stop': { target: 'stopped', actions: 'wantStopped' },
        'camera.retry': 'connecting',
        'camera.restart': { target: 'connecting', actions: 'forgive' },
        'camera.update': [
          { guard: 'changesPull', target: 'connecting', actions: ['recordUpdate', 'syncOutputs', 'resetTransport', 'forgive'] },
          { actions: ['recordUpdate', 'syncOutputs'] },
        ],
        'camera.dispose': 'disposed',
      },
      states: {
        waiting: {},
        watching: {
          invoke: {
            id: 'presence',
            src: 'presence',
            // Refused and no route prove that the port was shut; after a time-out it may have been open all along.
            input: ({ context }) => ({ url: context.config.url, before: context.lastError?.class === 'timeout' ? 'unknown' as const : 'closed' as const }),
            onError: 'waiting',
          },
          on: { 'presence.opened': whenWanted('#camera.connecting', 'recordPresence') },
        },
      },
    },
    quarantined: {
      tags: 'waiting',
      after: { quarantineProbe: whenWanted('connecting') },
      on: {
        'camera.stop': { target: 'stopped', actions: 'wantStopped' },
        'camera.retry': { target: 'connecting', actions: 'forgive' },
        'camera.restart': { target: 'connecting', actions: 'forgive' },
        'camera.update': [
          { guard: 'changesPull', target: 'connecting', actions: ['recordUpdate', 'syncOutputs', 'resetTransport', 'forgive'] },
          { actions: ['recordUpdate', 'syncOutputs'] },
        ],
        'camera.dispose': 'disposed',
      },
    },
    disposed: { type: 'final', entry: ['stopIngest', 'stopOutputs'] },
  },
});
