/** From a camera's snapshot to what the world may see of it: an allow-list, no credential, times in ISO 8601 UTC. */
import type { SnapshotFrom } from 'xstate';
import type { CameraState, CameraSubstate, CameraView, FramesOutputView, HlsOutputView, LastError, MediaView, OutputView, RecordOutputView, SubView, TranscodeOutputView, Verdict } from '../api/protocol.ts';
import type { Failure } from '../errors.ts';
import type { CameraContext, cameraMachine } from '../machines/camera.ts';
import { carriage, carriedMedia, transcodeOf } from '../machines/camera-live.ts';
import { isConfigured } from '../machines/camera-outputs.ts';
import type { OutputName } from '../machines/events.ts';
import type { Freshness } from './figures.ts';
import { outputState, type OutputSnapshot, type OutputTrace } from './output-journal.ts';
import { soundVerdicts, webrtcVerdict } from '../native/verdict.ts';

/** A camera machine's snapshot. */
export type CameraSnapshot = SnapshotFrom<typeof cameraMachine>;

/** What the snapshot does not hold: when states were entered, whether lookout.yaml declares it, the snapshot output's last failure and its process, when packets last came, and what was recorded. */
export type CameraFacts = { since: number; picture: { failure: Failure | null; host: OutputView['host'] }; freshness: Freshness; declared: boolean; hls: { trace: OutputTrace | undefined; segments: number }; record: { trace: OutputTrace | undefined; bytes: number }; frames: { trace: OutputTrace | undefined }; now: number };

/** State and substate by their published names. */
export function stateOf(snapshot: Pick<CameraSnapshot, 'value'>): { state: CameraState; substate: CameraSubstate } {
  const { value } = snapshot;
  if (typeof value === 'string') return { state: value === 'disposed' || value === 'deciding' ? 'stopped' : (value as CameraState), substate: null };
  const [state, inner] = Object.entries(value)[0] ?? ['stopped', null];
  const published = state === 'connecting' || state === 'streaming';
  return { state: state as CameraState, substate: published ? (inner as CameraSubstate) : null };
}

/** The public view. */
export function viewOf(snapshot: CameraSnapshot, facts: CameraFacts): CameraView {
  const { context } = snapshot;
  const { config, stats } = context;
  const { state, substate } = stateOf(snapshot);
  const age = (at: number | null): number | null => (at === null ? null : Math.max(0, facts.now - at));
  const waits = state === 'backoff' || state === 'quarantined';
  return {
    id: config.id,
    name: config.name,
    url: config.url.safe,
    enabled: config.enabled,
    transport: config.transport,
    declared: facts.declared,
    desired: context.desired,
    state,
    substate,
    since: iso(facts.since),
    attempt: context.history.attempt,
    nextRetryAt: waits ? iso(facts.since + context.delayMs) : null,
    lastError: errorView(context.lastError),
    restarts: Math.max(0, context.sourcesStarted - 1),
    media: mediaView(context),
    freshness: { packetAgeMs: age(facts.freshness.packetAt), keyframeAgeMs: age(facts.freshness.keyframeAt) },
    viewers: context.viewers,
    host: context.host && { pid: context.host.pid, rssBytes: stats?.rssBytes ?? 0 },
    worker: context.worker && { pid: context.worker.pid },
    outputs: {
      live: { state: liveState(snapshot), lastError: errorView(context.ingestError), host: null, verdict: verdictOf(context), transcode: config.outputs.live.transcode, carriage: context.media || context.description?.video ? carriage(context) : null },
      hls: hlsView(snapshot, facts),
      record: recordView(snapshot, facts),
      frames: framesView(snapshot, facts),
      sound: { ...outputView(snapshot, 'sound'), verdicts: context.description && soundVerdicts(context.description.audio, context.description.sound ?? null) },
      transcode: transcodeView(snapshot),
      snapshot: { state: context.host?.hubPort ? 'ready' : 'waiting', lastError: errorView(facts.picture.failure), host: facts.picture.host },
    },
  };
}

/** What is shown of a camera's second stream. */
export function subViewOf({ url, state, substate, since, attempt, nextRetryAt, lastError, restarts, media, freshness, viewers, host, worker, outputs: { live } }: CameraView): SubView {
  return { url, state, substate, since, attempt, nextRetryAt, lastError, restarts, media, freshness, viewers, host, worker, live };
}

function hlsView(snapshot: CameraSnapshot, { hls, since }: CameraFacts): HlsOutputView {
  return { ...outputView(snapshot, 'hls'), mode: snapshot.context.config.outputs.hls.mode, since: iso(hls.trace?.since ?? since), segments: hls.segments };
}

function recordView(snapshot: CameraSnapshot, { record, since }: CameraFacts): RecordOutputView {
  const file = outputOf(snapshot, 'record')?.context.file ?? null;
  return { ...outputView(snapshot, 'record'), mode: snapshot.context.config.outputs.record.mode, schedule: [...snapshot.context.config.outputs.record.schedule], since: iso(record.trace?.since ?? since), bytes: record.bytes, file };
}

function framesView(snapshot: CameraSnapshot, { frames, since }: CameraFacts): FramesOutputView {
  const { tcp = 0, shared = 0, missed = 0, behindMs = null } = outputOf(snapshot, 'frames')?.context.stats?.readers ?? {};
  return { ...outputView(snapshot, 'frames'), ...snapshot.context.config.outputs.frames, since: iso(frames.trace?.since ?? since), readers: { tcp, sharedMemory: shared }, missed, behindMs };
}

function transcodeView(snapshot: CameraSnapshot): TranscodeOutputView {
  const { width = null, height = null, cores = null } = transcodeOf(snapshot.context)?.transcode ?? {};
  return { ...outputView(snapshot, 'transcode'), width, height, cores };
}

/** What all outputs show. */
function outputView(snapshot: CameraSnapshot, name: OutputName): OutputView {
  const { error } = snapshot.context.outputs[name];
  const output = outputOf(snapshot, name);
  if (!output) return { state: isConfigured(snapshot.context, name) ? 'backoff' : 'off', lastError: errorView(error), host: null };
  const { pid, stats, lastError } = output.context;
  return { state: outputState(output), lastError: errorView(error ?? lastError), host: pid === null ? null : { pid, rssBytes: stats?.rssBytes ?? 0 } };
}

/** The snapshot of an output whose actor lives. */
function outputOf({ children }: CameraSnapshot, name: OutputName): OutputSnapshot | undefined {
  const output = children[`output:${name}`]?.getSnapshot() as OutputSnapshot | undefined;
  return output?.status === 'active' ? output : undefined;
}

/** `ready`: the SFU can take it; `open`: the feed, or the transcode, flows; `unsupported`: WebRTC cannot carry it. */
function liveState(snapshot: CameraSnapshot): string {
  const { context } = snapshot;
  if (context.ingestError?.class === 'unsupported') return 'unsupported';
  if (context.ingestError) return 'backoff';
  if (!context.worker) return verdictOf(context)?.ok === false ? 'unsupported' : 'waiting';
  if (carriage(context) === 'transcode') return outputView(snapshot, 'transcode').state === 'running' ? 'open' : 'ready';
  return context.feedOpen && context.host ? 'open' : 'ready';
}

function verdictOf(context: CameraContext): Verdict | null {
  const known = carriedMedia(context);
  if (!known && !context.description) return null;
  return webrtcVerdict(known, context.config.outputs.live.transcode);
}

function mediaView({ media, description, stats }: CameraContext): MediaView | null {
  const known = media ?? description?.video;
  if (!known) return null;
  return {
    codec: known.codec,
    profile: known.profile,
    profileLevelId: known.profileLevelId,
    width: known.width,
    height: known.height,
    fps: stats?.fps ?? known.fps,
    bitrate: stats?.bitrate ?? null,
    keyframeIntervalMs: stats?.keyframeIntervalMs ?? null,
    audio: description?.audio ?? null,
  };
}

/** A failure as it is shown. */
export function errorView(failure: Failure | null): LastError | null {
  return failure && { class: failure.class, code: failure.code, message: failure.message, at: iso(failure.at) };
}

const iso = (ms: number): string => new Date(ms).toISOString();
