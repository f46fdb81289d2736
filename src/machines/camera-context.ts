/** What a camera remembers, and the pure functions that change it. */
import type { CameraConfig } from '../camera-config.ts';
import { failure as makeFailure, type Failure, type FailureClass } from '../errors.ts';
import type { Description, Feed, SoundFormat, SourceStats, VideoFormat } from '../media.ts';
import { feedsIngest } from './camera-live.ts';
import { noOutputs, type OutputEntry } from './camera-outputs.ts';
import type { OutputName } from './events.ts';
import type { OutputSettings } from './output.ts';
import type { SourceDeadlines } from './source.ts';
import type { SuccessionReason } from './succession.ts';
import { decide, emptyHistory, reclassify, type History, type Intensity, type PolicyTable } from './policy.ts';

/** Numbers a camera follows; all from configuration, times in ms. */
export type CameraSettings = {
  policy: PolicyTable;
  intensity: Intensity;
  /** The attempt counter resets after the stream was fresh for this long. */
  resetAfterMs: number;
  quarantineProbeMs: number;
  bootingWindowMs: number;
  /** How long `teardown` waits for the source to say that it is released, before its leases are revoked. */
  releaseMs: number;
  /** Deadlines of the source and its hosts. */
  source: SourceDeadlines;
  /** A host that grew to this many bytes is replaced by a fresh one; 0: never. */
  recycleRssBytes: number;
  /** How long the feed to the SFU stays open after the last viewer. */
  feedLingerMs: number;
  output: OutputSettings;
  hlsSegmentSeconds: number;
  /** Lines of a transcode at most, and how long it goes on after its last viewer. */
  transcode: { maxHeight: number; lingerMs: number };
};

/** What a camera is started with. The feed is leased before and outlives every source and worker. */
export type CameraMachineInput = { config: CameraConfig; settings: CameraSettings; feed: Feed; seed: number };

/** Where `teardown` leads. */
export type Next = 'stopped' | 'idle' | 'connecting' | 'waiting' | 'watching' | 'quarantined' | 'disposed';

export type CameraContext = {
  config: CameraConfig;
  settings: CameraSettings;
  feed: Feed;
  desired: 'running' | 'stopped';
  /** The transport of the next source; `auto` falls from tcp to udp where the camera refuses it (RTSP 461). */
  transport: 'tcp' | 'udp';
  description: Description | null;
  media: VideoFormat | null;
  stats: SourceStats | null;
  /** A source was spawned and has not said `source.released` yet. */
  sourceAlive: boolean;
  /** `soundPort`: of the hub of sound, where there is one. */
  host: { pid: number; hubPort: number | null; soundPort?: number | null } | null;
  worker: { index: number; pid: number } | null;
  /** An ingest actor runs; commands to one that does not would make the camera itself throw. */
  ingestAlive: boolean;
  /** How often it crashed since the stream was fresh for long enough. */
  ingestCrashes: number;
  /** Why the ingest is not there, if it should be. */
  ingestError: Failure | null;
  /** The last failure, kept for the reader after recovery. */
  lastError: Failure | null;
  /** The failure that the running retry answers; null after an operator's command. */
  cause: Failure | null;
  history: History;
  next: Next;
  delayMs: number;
  /** Why this delay or this quarantine, for the journal. */
  why: string | null;
  /** When it was last known to be alive (ms since the epoch), for `booting`. */
  lastAliveAt: number | null;
  sourcesStarted: number;
  restarts: Partial<Record<FailureClass, number>>;
  viewers: number;
  feedOpen: boolean;
  /** What the source was told last. */
  sourceFeeds: boolean;
  /** An operator or a schedule wants the camera recorded; continuous recording asks nobody. */
  recordingWanted: boolean;
  /** Somebody fetches it over HLS. */
  hlsWanted: boolean;
  /** Somebody listens, or did a moment ago. */
  soundWanted: boolean;
  /** Somebody watches, or did a moment ago, who may have a transcode. */
  transcodeWanted: boolean;
  /** As the last source that could tell said: the next one is most likely the same. */
  bFrames: boolean | null;
  outputs: Record<OutputName, OutputEntry>;
  /** The last planned restart; null where there was none since the source started. */
  handover: Handover | null;
  /** The running source was fresh for long enough that a grown host may be replaced again. */
  mayRecycle: boolean;
};

/** A planned restart: a new source starts beside the old one and takes over at a keyframe. */
export type Handover = { reason: SuccessionReason; phase: 'preparing' | 'starting' | 'replaced' | 'failed'; failure: Failure | null };

/** Input of the source a camera spawns. */
export type SourceInput = { config: CameraConfig; transport: 'tcp' | 'udp'; codec: 'H264' | 'H265'; sound?: SoundFormat | null; feed: Feed & { open: boolean; gated?: boolean } };

/** A camera that has not run yet. */
export function initialContext({ config, settings, feed, seed }: CameraMachineInput): CameraContext {
  return {
    config, settings, feed: { sequence: seed & 0xffff, ...feed },
    desired: config.enabled ? 'running' : 'stopped',
    transport: firstTransport(config),
    description: null, media: null, stats: null, sourceAlive: false, host: null, worker: null, ingestAlive: false, ingestCrashes: 0, ingestError: null,
    lastError: null, cause: null, history: emptyHistory(seed), next: 'stopped', delayMs: 0, why: null, lastAliveAt: null,
    sourcesStarted: 0, restarts: {}, viewers: 0, feedOpen: config.outputs.live.feed === 'always', sourceFeeds: false, handover: null, mayRecycle: false, recordingWanted: false, hlsWanted: false, soundWanted: false, transcodeWanted: false, bFrames: null, outputs: noOutputs,
  };
}

/** What the next source pulls; null before a description said what there is. */
export function sourceInput(context: CameraContext): SourceInput | null {
  const { config, transport, description, feed } = context;
  const codec = description?.video?.codec;
  return codec ? { config, transport, codec, sound: description.sound ?? null, feed: { ...feed, open: feedsIngest(context), gated: true } } : null;
}

/**
 * The first sequence number of the next source: half the circle away from the newest one known. mediasoup takes a jump of
 * less than 3,000 for packets that were lost (`MaxDropout`), and only a larger one for a stream that began anew.
 */
export function farFrom(sequence: number): number {
  return (sequence + 0x8000) & 0xffff;
}

/** More than two sources of one camera ever differ in their reading of its clock, ms. */
const handoverShiftMs = 50;

/** The feed of a source that takes over: its first frame must not be older than the last one of the source before. */
export function shifted(feed: Feed): Feed {
  return { ...feed, shiftMs: (feed.shiftMs ?? 0) + handoverShiftMs };
}

/** Whether a source of this description can feed the ingest there is: H.264 of the same profile; levels do not matter. */
export function fitsIngest(context: CameraContext, { video }: Description): boolean {
  const now = context.description?.video;
  return video !== null && now !== null && now !== undefined && video.codec === now.codec && profileOf(video.profileLevelId) === profileOf(now.profileLevelId);
}

/** `profile_idc` and constraint flags of a profile-level-id (RFC 6184 §8.1), without the level. */
export function profileOf(profileLevelId: string | null): string | null {
  return profileLevelId && profileLevelId.slice(0, 4).toLowerCase();
}

/** TCP first: it loses nothing on the way, and every camera has it. */
export function firstTransport(config: CameraConfig): 'tcp' | 'udp' {
  return config.transport === 'udp' ? 'udp' : 'tcp';
}

/** Whether the source must be replaced for the new configuration to hold. */
export function pullChanged(old: CameraConfig, next: CameraConfig): boolean {
  return old.url.reveal() !== next.url.reveal() || old.transport !== next.transport
    || old.tls.verify !== next.tls.verify || old.tls.fingerprint !== next.tls.fingerprint;
}

/** Records a failure and decides where teardown leads. */
export function afterFailure(context: CameraContext, raw: Failure, wasStreaming: boolean): Partial<CameraContext> {
  const failure = reclassify(raw, context.lastAliveAt, context.settings.bootingWindowMs);
  const decision = decide(failure, context.history, context.settings);
  const common = { lastError: failure, cause: failure, history: decision.history, why: decision.why, ...(wasStreaming ? { lastAliveAt: failure.at } : {}) };
  if (failure.code === 'rtsp-461' && context.config.transport === 'auto') {
    const transport = context.transport === 'tcp' ? 'udp' : 'tcp';
    return { ...common, transport, next: 'connecting', delayMs: 0, why: `the camera refuses this transport: trying ${transport}` };
  }
  if (decision.step === 'quarantine') return { ...common, next: 'quarantined', delayMs: context.settings.quarantineProbeMs };
  if (decision.delayMs === 0) return { ...common, next: 'connecting', delayMs: 0 };
  return { ...common, next: decision.presence ? 'watching' : 'waiting', delayMs: decision.delayMs };
}

/**
 * Counts a source about to start; those after the first are restarts, by the class of the failure before. The one after it
 * begins far from it, even where it dies before anybody heard how far its feed came.
 */
export function countSource(context: CameraContext): Partial<CameraContext> {
  const restarts = { ...context.restarts };
  if (context.sourcesStarted > 0 && context.cause) restarts[context.cause.class] = (restarts[context.cause.class] ?? 0) + 1;
  const feed = { ...context.feed, sequence: farFrom(context.feed.sequence ?? 0) };
  return { sourcesStarted: context.sourcesStarted + 1, restarts, sourceAlive: true, mayRecycle: false, feed };
}

/** A description without a video track that any path can carry. */
export function unsupportedTracks(description: Description): Failure {
  const tracks = description.unsupported.length > 0 ? description.unsupported.join(', ') : 'none';
  return makeFailure('unsupported', 'no-video-track', `The camera offers no H.264 or H.265 video track (offered: ${tracks}).`);
}
