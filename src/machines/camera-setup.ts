/** The parts of the camera chart: contracts of its actors, guards, delays and actions. The structure is in `camera.ts`. */
import { assertEvent, assign, cancel, enqueueActions, fromCallback, fromPromise, setup, type DoneActorEvent, type ErrorActorEvent, type EventObject } from 'xstate';
import type { Failure } from '../errors.ts';
import type { Description } from '../media.ts';
import {
  afterFailure, countSource, firstTransport, farFrom, fitsIngest, initialContext, pullChanged, shifted, sourceInput,
  type CameraContext, type CameraMachineInput, type Next,
} from './camera-context.ts';
import { announcedProfile, carriage, feedsIngest } from './camera-live.ts';
import { forgiven, hubFor, livingOutputs, missingOutputs, needsSource, outputInput, outputOptions, outputRespawnMs, wantsOutput, withOutput } from './camera-outputs.ts';
import { crashOf } from './crash.ts';
import type { CameraCommand, IngestFact, OutputFact, OutputName, SourceFact, SuccessionFact, WaitFact } from './events.ts';
import { ingestMachine } from './ingest.ts';
import { outputMachine } from './output.ts';
import { jittered } from './policy.ts';
import { sourceMachine } from './source.ts';
import { successionMachine, type SuccessionReason } from './succession.ts';

type Internal = { type: 'feed.idle' } | { type: 'source.idle' } | { type: 'ingest.respawn' } | { type: 'output.respawn' } | { type: 'sound.idle' } | { type: 'transcode.idle' };
type Crash = ErrorActorEvent<unknown, 'succession'> | ErrorActorEvent<unknown, 'source'> | ErrorActorEvent<unknown, 'ingest'> | ErrorActorEvent<unknown, `output:${OutputName}`> | DoneActorEvent<unknown, 'source'>;

/** Everything a camera hears. */
export type CameraEvent = CameraCommand | SourceFact | IngestFact | OutputFact | WaitFact | SuccessionFact | Internal | Crash;

const notProvided = (name: string) => (): never => {
  throw new Error(`provide actor: ${name}`);
};

/** `setup` of the camera machine. */
export const cameraSetup = setup({
  types: {
    input: {} as CameraMachineInput,
    context: {} as CameraContext,
    events: {} as CameraEvent,
    children: {} as { source: 'source'; ingest: 'ingest'; 'output:hls': 'output'; 'output:record': 'output'; 'output:frames': 'output'; 'output:sound': 'output'; 'output:transcode': 'output'; slot: 'slot'; presence: 'presence'; probe: 'probe'; revoke: 'revoke'; succession: 'succession' },
    tags: {} as 'viewable' | 'waiting',
  },
  actors: {
    /** Pulls the camera; speaks `SourceFact` to its parent. */
    source: sourceMachine,
    /** Prepares a planned restart; speaks `SuccessionFact`. */
    succession: successionMachine,
    /** Holds PlainTransport and Producer; speaks `IngestFact`. */
    ingest: ingestMachine,
    /** Follows the hub; speaks `OutputFact`. */
    output: outputMachine,
    /** Holds an admission slot for as long as it runs; speaks `slot.granted`. */
    slot: fromCallback<EventObject, { camera: string; host: string; viewed: boolean }>(notProvided('slot')),
    /** Knocks on the camera's port; speaks `presence.opened`. */
    presence: fromCallback<EventObject, { url: CameraContext['config']['url']; before: 'closed' | 'unknown' }>(notProvided('presence')),
    /** RTSP DESCRIBE; rejects with a `FailureError`. */
    probe: fromPromise<Description, { config: CameraContext['config'] }>(notProvided('probe')),
    /** Revokes whatever the source leased and confirms that it is gone. */
    revoke: fromPromise<void, { camera: string }>(notProvided('revoke')),
  },
  guards: {
    wantsToRun: ({ context }) => context.desired === 'running',
    isUnwatchedOnDemand: ({ context }) => context.config.source.mode === 'on-demand' && context.viewers === 0 && !needsSource(context),
    isWatched: ({ context }) => context.viewers > 0 || needsSource(context),
    isAlwaysOn: ({ context }) => context.config.source.mode === 'always',
    hasNoSource: ({ context }) => !context.sourceAlive,
    /** A camera that ends lets its outputs finish; one that comes again does not wait for them. */
    hasNoOpenOutput: ({ context }) => context.next !== 'disposed' || livingOutputs(context).every((name) => !context.outputs[name].open),
    hasVideo: (_, params: { description: Description }) => params.description.video !== null,
    leadsTo: ({ context }, params: { next: Next }) => context.next === params.next,
    fitsIngest: ({ context }, params: { description: Description }) => fitsIngest(context, params.description),
    hasGrown: ({ context, event }) => event.type === 'source.stats' && context.mayRecycle && context.settings.recycleRssBytes > 0 && event.stats.rssBytes >= context.settings.recycleRssBytes,
    /** A second source for the new address can start beside the one that runs; while another starts, it cannot. */
    canSucceed: ({ context, event }) => context.handover?.phase !== 'starting' && (event.type !== 'camera.update' || pullChanged(context.config, event.config)),
    /** It has, or has no longer, B-frames: what WebRTC viewers get may be another thing now. */
    changesOrder: ({ context, event }) => event.type === 'source.stats' && event.stats.bFrames !== null && event.stats.bFrames !== context.bFrames,
    changesPull: ({ context, event }) => event.type === 'camera.update' && pullChanged(context.config, event.config),
  },
  delays: {
    retryDelay: ({ context }) => context.delayMs,
    resetAfter: ({ context }) => context.settings.resetAfterMs,
    quarantineProbe: ({ context }) => context.settings.quarantineProbeMs,
    releaseDeadline: ({ context }) => context.settings.releaseMs,
    feedLinger: ({ context }) => context.settings.feedLingerMs,
    /** At once after the first crash, then as after any failure of the SFU. A turn of the clock lies between, so that no crash at the start becomes an endless loop. */
    ingestRespawn: ({ context }) => (context.ingestCrashes <= 1 ? 0 : jittered({ ...context.settings.policy.sfu, floorMs: 0 }, context.ingestCrashes - 2, 1).delayMs),
    outputRespawn: ({ context }) => outputRespawnMs(context),
    outputDeadline: ({ context }) => context.settings.output.finishMs + context.settings.output.reapMs,
    transcodeLinger: ({ context }) => context.settings.transcode.lingerMs,
    sourceLinger: ({ context }) => context.config.source.closeAfterSeconds * 1_000,
  },
  actions: {
    wantRunning: assign({ desired: 'running' }),
    /** What follows answers nobody's failure: the journal must not blame the last one. */
    wantStopped: assign({ desired: 'stopped', next: 'stopped', cause: null, why: null }),
    blameNobody: assign({ cause: null, why: null }),
    leadTo: assign((_, params: { next: Next }) => ({ next: params.next })),
    /** An operator asked: forget what was, begin anew. */
    forgive: assign(({ context }) => ({ history: { ...context.history, attempt: 0, window: [], sameInARow: 0, lastClass: null }, cause: null, why: null, delayMs: 0 })),
    recordFailure: assign(({ context }, params: { failure: Failure; wasStreaming: boolean }) => afterFailure(context, params.failure, params.wasStreaming)),
    recordDescription: assign((_, params: { description: Description }) => ({ description: params.description, media: null })),
    recordFresh: assign(({ context }) => ({ history: { ...context.history, attempt: 0, sameInARow: 0, lastClass: null }, cause: null, why: null, ingestCrashes: 0, mayRecycle: true, outputs: forgiven(context) })),
    recordUpdate: assign(({ event }) => {
      assertEvent(event, 'camera.update');
      return { config: event.config };
    }),
    resetTransport: assign(({ context }) => ({ transport: firstTransport(context.config) })),
    recordReady: assign(({ event }) => {
      assertEvent(event, 'source.ready');
      return { host: { pid: event.pid, hubPort: null } };
    }),
    recordStarted: assign(({ context, event }) => {
      assertEvent(event, 'source.started');
      return { host: context.host && { ...context.host, hubPort: event.hubPort, soundPort: event.soundPort ?? null } };
    }),
    recordMedia: assign(({ event }) => {
      assertEvent(event, 'source.media');
      return { media: event.media };
    }),
    recordStats: assign(({ context, event }) => {
      assertEvent(event, 'source.stats');
      const { feedSequence } = event.stats;
      return { stats: event.stats, bFrames: event.stats.bFrames ?? context.bFrames, ...(feedSequence === null ? {} : { feed: { ...context.feed, sequence: farFrom(feedSequence) } }) };
    }),
    recordPresence: assign(({ event }) => {
      assertEvent(event, 'presence.opened');
      return { lastAliveAt: event.at, why: 'its port opened again' };
    }),
    /** Spawns what the configuration asks for, tells what is there of changes. Also after a crash. */
    syncOutputs: enqueueActions(({ context, enqueue }) => {
      for (const name of livingOutputs(context)) {
        enqueue.sendTo(`output:${name}`, { type: 'output.update', options: outputOptions(context, name) });
        enqueue.sendTo(`output:${name}`, { type: 'output.want', wanted: wantsOutput(context, name) });
      }
      for (const name of missingOutputs(context)) {
        enqueue.assign(({ context: now }) => withOutput(now, name, { alive: true, open: false, error: null }));
        enqueue.spawnChild('output', { id: `output:${name}`, input: outputInput(context, name) });
      }
    }),
    attachOutputs: enqueueActions(({ context, enqueue }) => {
      for (const name of livingOutputs(context)) {
        const hub = hubFor(context, name);
        if (hub) enqueue.sendTo(`output:${name}`, { type: 'output.attach', hub });
      }
    }),
    detachOutputs: enqueueActions(({ context, enqueue }) => {
      for (const name of livingOutputs(context)) enqueue.sendTo(`output:${name}`, { type: 'output.detach' });
    }),
    recordOutput: assign(({ context, event }) => {
      assertEvent(event, 'output.changed');
      return withOutput(context, event.output, { open: event.open });
    }),
    setRecording: assign(({ event }) => {
      assertEvent(event, 'recording.set');
      return { recordingWanted: event.wanted };
    }),
    setHls: assign(({ event }) => {
      assertEvent(event, 'hls.set');
      return { hlsWanted: event.wanted };
    }),
    /** What was started for a listener goes on for a moment after the last one: muting is often undone. */
    setSound: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'sound.set');
      enqueue(cancel('sound-idle'));
      if (event.wanted) enqueue.assign({ soundWanted: true });
      else enqueue.raise({ type: 'sound.idle' }, { delay: 'feedLinger', id: 'sound-idle' });
    }),
    endSound: assign({ soundWanted: false }),
    /** Likewise: a page that is loaded anew comes back. */
    setTranscode: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'transcode.set');
      enqueue(cancel('transcode-idle'));
      if (event.wanted) enqueue.assign({ transcodeWanted: true });
      else enqueue.raise({ type: 'transcode.idle' }, { delay: 'transcodeLinger', id: 'transcode-idle' });
    }),
    endTranscode: assign({ transcodeWanted: false }),
    stopOutputs: enqueueActions(({ context, enqueue }) => {
      for (const name of livingOutputs(context)) enqueue.stopChild(`output:${name}`);
    }),
    planOutput: enqueueActions(({ context, enqueue }, params: { output: OutputName; error: unknown }) => {
      enqueue.stopChild(`output:${params.output}`);
      enqueue.assign(withOutput(context, params.output, { alive: false, open: false, crashes: context.outputs[params.output].crashes + 1, error: crashOf(params.error) }));
      enqueue.raise({ type: 'output.respawn' }, { delay: 'outputRespawn', id: 'output-respawn' });
    }),
    recordIngest: assign(({ event }) => {
      assertEvent(event, ['ingest.ready', 'ingest.lost']);
      return event.type === 'ingest.ready'
        ? { worker: { index: event.worker, pid: event.workerPid }, ingestError: null }
        : { worker: null, ingestError: event.failure };
    }),
    recordViewers: assign(({ context, event }) => {
      assertEvent(event, 'viewers.changed');
      return { viewers: event.count, feedOpen: context.feedOpen || event.count > 0 };
    }),
    shutFeed: assign(({ context }) => ({ feedOpen: context.config.outputs.live.feed === 'always' })),
    tellWatched: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive) enqueue.sendTo('ingest', { type: 'ingest.watched', watched: context.viewers > 0 });
    }),
    tellFeed: enqueueActions(({ context, enqueue }) => {
      const open = feedsIngest(context);
      if (context.sourceAlive) enqueue.sendTo('source', { type: 'feed.set', open });
      enqueue.assign({ sourceFeeds: open });
    }),
    /** The source feeds what WebRTC carries; what it turned out not to carry, it feeds no longer. Nothing is said where nothing changes. */
    correctFeed: enqueueActions(({ context, enqueue }) => {
      const open = feedsIngest(context);
      if (context.sourceAlive && context.sourceFeeds !== open) enqueue.sendTo('source', { type: 'feed.set', open });
      enqueue.assign({ sourceFeeds: open });
    }),
    startLinger: enqueueActions(({ context, enqueue }) => {
      enqueue(cancel('feed-idle'));
      enqueue(cancel('source-idle'));
      if (context.viewers > 0) return;
      enqueue.raise({ type: 'feed.idle' }, { delay: 'feedLinger', id: 'feed-idle' });
      enqueue.raise({ type: 'source.idle' }, { delay: 'sourceLinger', id: 'source-idle' });
    }),
    startIngest: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive) return;
      enqueue.assign({ ingestAlive: true });
      enqueue.spawnChild('ingest', { id: 'ingest', input: { camera: context.config.id, feed: context.feed } });
    }),
    stopIngest: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('ingest');
      enqueue.assign({ worker: null, ingestAlive: false });
    }),
    planIngest: enqueueActions(({ context, enqueue }, params: { error: unknown }) => {
      enqueue.assign({ ingestCrashes: context.ingestCrashes + 1, ingestError: { ...crashOf(params.error), class: 'sfu' } });
      enqueue.raise({ type: 'ingest.respawn' }, { delay: 'ingestRespawn', id: 'ingest-respawn' });
    }),
    ensureIngest: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive && context.description) enqueue.sendTo('ingest', { type: 'ingest.ensure', profileLevelId: announcedProfile(context) });
    }),
    pauseIngest: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive) enqueue.sendTo('ingest', { type: 'ingest.pause' });
    }),
    /** The source keeps what it has from its first keyframe on until the ingest lets it through. */
    resumeIngest: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive) enqueue.sendTo('ingest', { type: 'ingest.resume' });
      else enqueue.sendTo('source', { type: 'ingest.cycled' });
    }),
    startSource: enqueueActions(({ context, enqueue }) => {
      const source = sourceInput(context);
      if (!source) return;
      enqueue.assign({ ...countSource(context), handover: null, sourceFeeds: source.feed.open });
      enqueue.spawnChild('source', { id: 'source', input: { source, deadlines: context.settings.source } });
    }),
    startSuccession: enqueueActions(({ context, enqueue }, params: { reason: SuccessionReason }) => {
      enqueue.stopChild('succession');
      enqueue.assign({ handover: { reason: params.reason, phase: 'preparing', failure: null } });
      enqueue.spawnChild('succession', { id: 'succession', input: { config: context.config, viewed: context.viewers > 0 } });
    }),
    replaceSource: enqueueActions(({ context, enqueue }, params: { description: Description }) => {
      const next = { ...context, description: params.description, feed: shifted(context.feed) };
      const source = sourceInput(next);
      if (!source || !context.handover) return;
      enqueue.assign({ description: next.description, feed: next.feed, handover: { ...context.handover, phase: 'starting' } });
      enqueue.sendTo('source', { type: 'source.replace', source });
    }),
    recordReplaced: assign(({ context, event }) => {
      assertEvent(event, 'source.replaced');
      const { pid, hubPort, soundPort = null, media } = event;
      return { ...countSource({ ...context, cause: null }), host: { pid, hubPort, soundPort }, media: media ?? context.media, stats: null, handover: context.handover && { ...context.handover, phase: 'replaced' as const } };
    }),
    recordNotReplaced: assign(({ context }, params: { failure: Failure | null }) => ({ handover: context.handover && { ...context.handover, phase: 'failed' as const, failure: params.failure } })),
    endSuccession: enqueueActions(({ enqueue }) => enqueue.stopChild('succession')),
    cycleIngest: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive) enqueue.sendTo('ingest', { type: 'ingest.cycle' });
      else enqueue.sendTo('source', { type: 'ingest.cycled' });
    }),
    /** For a transcode that comes anew. */
    cycleForTranscode: enqueueActions(({ context, enqueue }) => {
      if (context.ingestAlive && carriage(context) === 'transcode') enqueue.sendTo('ingest', { type: 'ingest.cycle' });
    }),
    tellCycled: enqueueActions(({ context, enqueue }) => {
      if (context.outputs.transcode.alive) enqueue.sendTo('output:transcode', { type: 'ingest.cycled' });
      if (context.sourceAlive) enqueue.sendTo('source', { type: 'ingest.cycled' });
    }),
    releaseSource: enqueueActions(({ context, enqueue }) => {
      if (context.sourceAlive) enqueue.sendTo('source', { type: 'source.release' });
    }),
    forgetSource: enqueueActions(({ enqueue }) => {
      enqueue.stopChild('source');
      enqueue.assign({ host: null, stats: null, sourceAlive: false });
    }),
  },
});

export { initialContext };
