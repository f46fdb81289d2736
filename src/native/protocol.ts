/** The whole IPC protocol between the supervisor and a host: one discriminated union each way (`type`). */
import type { FrameForm } from '../camera-config.ts';
import type { TranscodeForm } from '../carriage.ts';
import type { Failure } from '../errors.ts';
import type { SoundFormat, SourceStats, VideoFormat } from '../media.ts';

/** What a source pulls and where it puts it. Holds credentials: IPC only. */
export type SourceSpec = {
  /** With credentials. Never logged. */
  url: string;
  transport: 'tcp' | 'udp';
  tls: { verify: boolean; fingerprint: string | undefined };
  video: { codec: 'H264' | 'H265' };
  /** The audio track that outputs and viewers are offered, where there is one. */
  sound?: SoundFormat | null;
  /**
   * Where RTP goes: the ingest's PlainTransport. `ssrc` is a uint32, fixed over the ingest's life. Null where WebRTC cannot carry it.
   * `gated`: what this source gives waits for `gate.open` (`host/gate.ts`).
   * `shiftMs`: how far the RTP clock is ahead of CLOCK_MONOTONIC. `sequence`: the first sequence number.
   */
  feed: { port: number; bindPort: number; ssrc: number; payloadType: number; open: boolean; gated?: boolean; shiftMs?: number; sequence?: number } | null;
  /** rtspsrc's jitter buffer over UDP, ms; TCP needs none. */
  latencyMs: number;
  /** Freshness limits, ms. */
  health: HealthLimits;
  /** True: elements that disturb the stream on demand are built in. Never in production. */
  faults?: boolean;
  /** The descriptor of its flight box in the host. Its seat says it (`host-seat.ts`); without one nothing is counted. */
  box?: number;
};

/** When a stream counts as stalled, silent, without keyframe … (design §3); all ms. */
export type HealthLimits = {
  /** `stalled` after this long without a packet. */
  stallMs: number;
  /** `silent` after max(this, 5 frame intervals). */
  silentMs: number;
  /** `no-keyframe` after max(this, 3 × longest GOP seen). */
  keyframeMs: number;
  /** `timestamps`: PTS stands still, or jumps, more than this. */
  ptsJumpMs: number;
  /** How often the counters are read. */
  checkMs: number;
  /** First packet must come within this after PLAY, else `silent`. */
  firstPacketMs: number;
};

/** What an output is started with: the hub it reads, and what it makes of that. */
export type OutputSpec = RecordSpec | HlsSpec | FramesSpec | SoundSpec | TranscodeSpec;

/** A hub as an output reads it; `gopMs` where it is known; `sound` where the camera has some that the output takes. */
export type HubSpec = { port: number; codec: 'H264' | 'H265'; gopMs: number | null; sound?: SoundHub | null };

/** A hub of sound, beside the one of the video and on the same time line. */
export type SoundHub = SoundFormat & { port: number };

/** A recording: files below `dir`/`camera`, cut at the keyframe nearest to `segmentMs`, and before `segmentBytes`. */
export type RecordSpec = { output: 'record'; camera: string; hub: HubSpec; dir: string; segmentMs: number; segmentBytes: number };

/** HLS: segments in `dir`, which is this run's own and absolute; the newest `keep` of them stay. */
export type HlsSpec = { output: 'hls'; camera: string; hub: HubSpec; dir: string; segmentMs: number; keep: number };

/** Raw frames: served at `port` of 127.0.0.1, or at another where that is taken or 0, and at `socket`, from areas of shared memory named `areas…`. */
export type FramesSpec = { output: 'frames'; camera: string; hub: HubSpec; form: FrameForm; port: number; socket: string; areas: string; run: string };

/** Live sound for WebRTC viewers: from the hub of sound to an ingest of sound. `ssrc` is a uint32. */
export type SoundSpec = { output: 'sound'; camera: string; sound: SoundHub; feed: { port: number; bindPort: number; ssrc: number; payloadType: number } };

/** H.264 for WebRTC viewers of what it cannot carry, to the camera's ingest in the place of the source's feed. `ssrc` is a uint32, `sequence` the first sequence number. */
export type TranscodeSpec = { output: 'transcode'; camera: string; hub: HubSpec; form: TranscodeForm; feed: { port: number; bindPort: number; ssrc: number; payloadType: number; sequence: number } };

/** A hub of its own that begins in the present, for viewers who would have to decode too much first. `threads`: of the decoder. */
export type CatchUpSpec = { output: 'catch-up'; camera: string; hub: Pick<HubSpec, 'port' | 'codec'>; form: Pick<TranscodeForm, 'kbps' | 'keyframeEvery'>; threads: number };

/** A segment that is complete. `map`: the file that a player needs before it, for fragmented MP4. Times are ms since the epoch. */
export type HlsSegment = { name: string; map: string | null; startAt: number; durationMs: number; bytes: number };

/** A file that is being written. `path` is below the directory of recordings; times are ms since the epoch. */
export type OpenedFile = { path: string; startAt: number };

/** A file that was finished, and what it turned out to hold. */
export type ClosedFile = OpenedFile & { openPath: string; durationMs: number; bytes: number; frames: number; codec: string; width: number | null; height: number | null; sound: string | null; startsWithKeyframe: boolean };

/** A command or an event as it travels: a host may run several sources, each in a seat with a number that never comes again. */
export type Seated<T> = T & { seat: number };

/** What a source handed to its feed: bytes, and its newest RTP sequence number. */
export type Fed = { bytes: number; sequence: number | null };

/** Supervisor → host: to who sits in one of its seats. */
export type HostCommand =
  | { type: 'source.start'; spec: SourceSpec }
  /** Opens or shuts the valve of the RTP feed; shut, it is answered by `feed.shut`. */
  | { type: 'feed.set'; open: boolean }
  /** Keep what the feed gives from the next keyframe on, and say `gate.ready`. A gate is armed from the start; this makes it wait for another keyframe. */
  | { type: 'gate.arm' }
  /** Let out what was kept; from now on the feed, or the transcode, reaches the ingest directly. */
  | { type: 'gate.open' }
  /** One picture from a hub; the next order only after the answer, of the same codec and quality. `width` 0 keeps the camera's size. */
  | { type: 'snapshot.take'; hubPort: number; codec: 'H264' | 'H265'; width: number; quality: number }
  | { type: 'output.start'; spec: OutputSpec | CatchUpSpec }
  /** Load what a catch-up needs: one will come. */
  | { type: 'catch-up.prepare' }
  /** Write what came so far and end; with `drainMs` the hub may close by itself first. */
  | { type: 'output.finish'; drainMs: number }
  /** Pipeline to NULL (RTSP TEARDOWN leaves), then `stopped`; the supervisor kills at its own deadline. */
  | { type: 'stop' }
  /** Loses RTP packets, or damages bytes of their payload, for so long. Only in a source with `faults`. */
  | { type: 'fault.disturb'; kind: 'drop' | 'corrupt'; rate: number; ms: number }
  /** Blocks the host, whoever sits in it, as a native call would that does not return. */
  | { type: 'fault.hang'; ms: number };

/** Supervisor → host, all of it. */
export type HostOrder = Seated<HostCommand> | { type: 'ping'; seq: number };

/** Host → supervisor, all of it. */
export type HostWord =
  | Seated<HostEvent>
  | { type: 'ready'; pid: number }
  /** `fed`: of each source that has a feed, with its seat. */
  | { type: 'pong'; seq: number; rssBytes: number; fed: Seated<Fed>[] };

/** Host → supervisor: from who sits in one of its seats. */
export type HostEvent =
  /** The pipeline reached PLAYING and the hubs listen; packets may not have come yet. `soundPort`: of the hub of sound, where there is one. */
  | { type: 'source.started'; hubPort: number; soundPort?: number | null }
  /** First packet, or packets again after `source.stalled`. */
  | { type: 'source.flowing' }
  | { type: 'source.stalled'; sinceMs: number }
  | { type: 'source.media'; media: VideoFormat }
  | { type: 'feed.shut' }
  /** A keyframe is kept: of a source's feed, or of a transcode. */
  | { type: 'gate.ready' }
  | { type: 'source.stats'; stats: SourceStats }
  /** The pipeline is over: error, EOS, or a freshness limit was passed. Nothing else follows but `stopped`. */
  | { type: 'source.failed'; failure: Failure }
  /** `spent`: this host is to take no more. */
  | { type: 'snapshot.taken'; jpeg: Uint8Array; width: number; height: number; spent: boolean }
  | { type: 'snapshot.failed'; failure: Failure }
  /** It reads the hub. */
  | { type: 'output.started' }
  /** Its hub can be read; the first unit comes when it stands in the present. */
  | { type: 'catch-up.listening'; hubPort: number }
  /** Readers of raw frames can attach. */
  | { type: 'frames.listening'; port: number }
  | { type: 'output.stats'; stats: { frames: number; bytes: number; rssBytes: number; sequence?: number; readers?: { tcp: number; shared: number; missed: number; cut: number; behindMs: number } } }
  | { type: 'output.failed'; failure: Failure }
  /** The hub ended, or it was asked to finish, and everything is written. */
  | { type: 'output.finished' }
  | { type: 'file.opened'; file: OpenedFile }
  | { type: 'file.closed'; file: ClosedFile }
  /** It held no frame and was removed. */
  | { type: 'file.empty'; openPath: string }
  | { type: 'segment.closed'; segment: HlsSegment }
  | { type: 'stopped' };
