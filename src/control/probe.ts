/** The full probe: DESCRIBE, then the stream itself for a moment, read from a hub of its own. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeReport } from '../api/control.ts';
import type { CameraUrl } from '../camera-url.ts';
import { failure as makeFailure, FailureError } from '../errors.ts';
import type { Host, HostPool } from '../native/host.ts';
import type { Description, SourceStats, VideoFormat } from '../media.ts';
import { beginsKeyframe, createHubReader } from '../native/hub-reader.ts';
import type { HealthLimits } from '../native/protocol.ts';
import type { NameResolver } from '../native/resolve.ts';
import { describe } from '../native/rtsp-client.ts';
import { pathVerdicts, soundVerdicts, type TranscodeLimits } from '../native/verdict.ts';
import { shootOnce, type Shot } from './picture-hosts.ts';

/** What a probe needs. */
export type ProbeDeps = { pool: HostPool; resolver: NameResolver; describeMs: number; latencyMs: number; health: HealthLimits; transcode: TranscodeLimits };

/** What was seen while it played. */
type Seen = { media: VideoFormat | null; stats: SourceStats | null; hubPort: number | null; picture: Shot | null; frames: number; reordered: boolean; keyframes: Keyframes };

/** Keyframes by their own timestamps (90 kHz): exact, where the source's counters are only looked at now and then. */
type Keyframes = { count: number; ticks: number; last: number | null };

const startMs = 10_000;
/** The picture is small: wide enough to see where the camera looks; one that is larger than this all the same is left out. */
const picture = { width: 480, quality: 75, mostBytes: 200_000 };
/** What it may take after the play is over: the decoder's process has to start. */
const pictureGraceMs = 1_000;
const tls = { verify: true, fingerprint: undefined };
let probes = 0;

/** Probes an address. Rejects with a `FailureError`. What was not seen is null. */
export async function probe(deps: ProbeDeps, url: CameraUrl, { seconds, signal }: { seconds: number; signal: AbortSignal }): Promise<ProbeReport> {
  const description = await describe(url, { tls, resolver: deps.resolver, deadlineMs: deps.describeMs, signal });
  const seen: Seen = { media: null, stats: null, hubPort: null, picture: null, frames: 0, reordered: false, keyframes: { count: 0, ticks: 0, last: null } };
  if (description.video) await play(deps, url, { codec: description.video.codec, seconds, signal, seen });
  return report(url, description, seen, deps.transcode);
}

async function play(deps: ProbeDeps, url: CameraUrl, options: { codec: 'H264' | 'H265'; seconds: number; signal: AbortSignal; seen: Seen }): Promise<void> {
  const { codec, seconds, signal, seen } = options;
  probes += 1;
  const host = await deps.pool.take(`probe:${probes}/source`);
  try {
    const started = follow(host, seen);
    host.send({ type: 'source.start', spec: { url: url.reveal(), transport: 'tcp', tls, video: { codec }, feed: null, latencyMs: deps.latencyMs, health: deps.health } });
    await Promise.race([started.flowing, started.failed, delay(startMs, undefined, { signal }).then(() => {
      throw new FailureError(makeFailure('timeout', 'probe-start', `The stream did not start within ${startMs / 1_000} s.`));
    })]);
    const stop = readHub(seen, codec);
    const over = new AbortController();
    const pictured = takePicture(deps.pool, seen, { codec, deadlineMs: seconds * 1_000 + pictureGraceMs, signal: over.signal });
    try {
      await Promise.race([delay(seconds * 1_000, undefined, { signal }).then(() => Promise.race([pictured, delay(pictureGraceMs, undefined, { signal })])), started.failed]);
    } finally {
      stop();
      over.abort();
    }
  } finally {
    await host.release();
  }
}

/** Never rejects: a probe without a picture is a probe all the same. */
async function takePicture(pool: HostPool, seen: Seen, { codec, ...bounds }: { codec: 'H264' | 'H265'; deadlineMs: number; signal: AbortSignal }): Promise<void> {
  if (seen.hubPort === null) return;
  const { width, quality, mostBytes } = picture;
  const taken = await shootOnce(pool, `probe:${probes}/picture`, { hubPort: seen.hubPort, codec, width, quality, ...bounds }).catch(() => null);
  if (taken && taken.jpeg.byteLength <= mostBytes) seen.picture = taken;
}

function follow(host: Host, seen: Seen): { flowing: Promise<void>; failed: Promise<never> } {
  const flowing = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  host.listen((event) => {
    if (event.type === 'source.media') seen.media = event.media;
    if (event.type === 'source.stats') seen.stats = event.stats;
    if (event.type === 'source.started') seen.hubPort = event.hubPort;
    if (event.type === 'source.flowing') flowing.resolve();
    if (event.type === 'source.failed') failed.reject(new FailureError(event.failure));
  });
  void host.exited.then(() => failed.reject(new FailureError(makeFailure('host-crash', 'probe-host', 'The process that probes the camera ended.'))));
  return { flowing: flowing.promise, failed: failed.promise };
}

/** RTP carries presentation times in decoding order: a time that goes back is a B-frame. Hubs of H.265 carry no times. */
function readHub(seen: Seen, codec: 'H264' | 'H265'): () => void {
  if (seen.hubPort === null || codec === 'H265') return () => undefined;
  let last: number | null = null;
  const read = createHubReader(({ timestamp, marker, payload }) => {
    if (beginsKeyframe(payload)) countKeyframe(seen.keyframes, timestamp);
    if (!marker) return;
    seen.frames += 1;
    // The difference modulo 2³², signed: timestamps wrap every 13 hours.
    if (last !== null && ((timestamp - last) | 0) < 0) seen.reordered = true;
    last = timestamp;
  });
  const socket = connect({ host: '127.0.0.1', port: seen.hubPort });
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      read(chunk);
    } catch {
      socket.destroy();
    }
  });
  return () => socket.destroy();
}

/** A picture of several slices counts once. */
function countKeyframe(keyframes: Keyframes, timestamp: number): void {
  if (keyframes.last === timestamp) return;
  if (keyframes.last !== null) keyframes.ticks += (timestamp - keyframes.last) | 0;
  keyframes.last = timestamp;
  keyframes.count += 1;
}

/** Mean distance, ms; null before the second keyframe. */
function gopOf({ count, ticks }: Keyframes): number | null {
  return count < 2 ? null : Math.round(ticks / (count - 1) / 90);
}

function report(url: CameraUrl, description: Description, seen: Seen, limits: TranscodeLimits): ProbeReport {
  const track = seen.media ?? description.video;
  const gopMs = gopOf(seen.keyframes) ?? seen.stats?.keyframeIntervalMs ?? null;
  // Of H.265 the source's own count tells.
  const bFrames = seen.frames < 2 ? seen.stats?.bFrames ?? null : seen.reordered;
  const fps = seen.stats?.fps ?? track?.fps ?? null;
  return {
    url: url.safe,
    server: description.server,
    media: track && {
      codec: track.codec, profile: track.profile, profileLevelId: track.profileLevelId, width: track.width, height: track.height,
      fps, bitrate: seen.stats?.bitrate ?? null, keyframeIntervalMs: gopMs, audio: description.audio,
    },
    gopMs,
    bFrames,
    verdicts: pathVerdicts({ video: track && { ...track, fps }, bFrames, gopMs }, limits),
    sound: soundVerdicts(description.audio, description.sound ?? null),
    picture: seen.picture && { jpeg: Buffer.from(seen.picture.jpeg).toString('base64'), width: seen.picture.width, height: seen.picture.height },
  };
}
