/**
 * The published contract with every program on the other side: DTOs of REST and Socket.IO messages. Types only at run
 * time for the page (it imports nothing else of the server), TypeBox schemas for the server live beside their routes.
 */
import type { FailureClass } from '../errors.ts';
import type { FlightRecording } from '../media.ts';
import type { StreamName } from '../streams.ts';
import type { FramesOutputView, HlsOutputView, LastError, LiveOutputView, OutputView, RecordOutputView, SoundOutputView, SoundVerdicts, TranscodeOutputView, Verdict } from './output-protocol.ts';

export type * from './export-protocol.ts';
export type * from './inspect-protocol.ts';
export type * from './output-protocol.ts';
export type * from './trend-protocol.ts';

export type { StreamName } from '../streams.ts';

/** The four names every chart shares, and the resting states of a camera. */
export type CameraState = 'stopped' | 'idle' | 'connecting' | 'streaming' | 'backoff' | 'teardown' | 'quarantined';

/** Substates: `admitting|probing|starting` of connecting, `live|stalled` of streaming. */
export type CameraSubstate = 'admitting' | 'probing' | 'starting' | 'live' | 'stalled' | null;

export type MediaView = {
  codec: 'H264' | 'H265';
  /** As the SPS says: `constrained-baseline`, `baseline`, `main`, `high`, … */
  profile: string | null;
  /** RFC 6184 profile-level-id, six hex digits; null for H.265. */
  profileLevelId: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  /** bits per second, over the last seconds. */
  bitrate: number | null;
  keyframeIntervalMs: number | null;
  audio: { codec: string; rate: number; channels: number } | null;
};

/** A recording. While it is being written (`closed` false), `endAt` is null and the figures are 0. */
export type RecordingView = {
  id: string;
  camera: string;
  /** Below the directory of recordings. */
  path: string;
  startAt: string;
  endAt: string | null;
  durationMs: number;
  bytes: number;
  frames: number;
  codec: string | null;
  width: number | null;
  height: number | null;
  /** Codec of its sound, `AAC`, `PCMU` or `PCMA`; null where it has none, or was indexed by a version that did not look. */
  sound: string | null;
  closed: boolean;
  /** Time without a recording before this one, and why, where the journal knows. */
  gapBefore: { from: string; to: string; durationMs: number; class: string | null; code: string | null; message: string | null } | null;
};

/** Which recordings are asked for, of all cameras where none is named; times in ms since the epoch, `after` the id of the last one of the page before. */
export type RecordingQuery = { cameras?: readonly string[]; from?: number; to?: number; limit: number; after?: string };

/** The second stream of a camera: its own health, its own process, its own path through the SFU. */
export type SubView = Pick<CameraView, 'url' | 'state' | 'substate' | 'since' | 'attempt' | 'nextRetryAt' | 'lastError' | 'restarts' | 'media' | 'freshness' | 'viewers' | 'host' | 'worker'> & {
  live: CameraView['outputs']['live'];
};

/** A camera as it is shown everywhere (design §6). Times are ISO 8601 UTC. */
export type CameraView = {
  id: string;
  name: string;
  /** Credentials removed. */
  url: string;
  enabled: boolean;
  transport: 'auto' | 'tcp' | 'udp';
  /** It is declared in lookout.yaml: the API shows and commands it, the file changes and removes it. */
  declared?: boolean;
  desired: 'running' | 'stopped';
  state: CameraState;
  substate: CameraSubstate;
  since: string;
  attempt: number;
  nextRetryAt: string | null;
  lastError: LastError | null;
  restarts: number;
  media: MediaView | null;
  freshness: { packetAgeMs: number | null; keyframeAgeMs: number | null };
  viewers: number;
  host: { pid: number; rssBytes: number } | null;
  worker: { pid: number } | null;
  /** The second stream; what stands beside it is main. Absent where the camera has none. */
  sub?: SubView;
  outputs: { live: LiveOutputView; hls: HlsOutputView; record: RecordOutputView; frames: FramesOutputView; sound?: SoundOutputView; transcode?: TranscodeOutputView; snapshot: OutputView };
};

/** What `POST /api/v1/probe` tells: what was not seen is null, never guessed. */
export type ProbeReport = {
  url: string;
  server: string | null;
  media: MediaView | null;
  gopMs: number | null;
  bFrames: boolean | null;
  /** What each path does with the video, and why; `transcode`: what `outputs.live.transcode` would do for WebRTC viewers. */
  verdicts: { webrtc: Verdict; hls: Verdict; recording: Verdict; frames: Verdict; transcode?: Verdict };
  /** Of the audio track; null where there is none. */
  sound?: SoundVerdicts | null;
  /** What it looks like: a small JPEG in Base64; null where none could be decoded in that time. */
  picture: { jpeg: string; width: number; height: number } | null;
};

/** A row of the journal. */
export type EventView = {
  seq: number;
  at: string;
  camera: string;
  /** Of the second stream where it says so. */
  stream?: StreamName;
  /** What happened, as `noun.pastOrVerb`: `camera.transition`, `actor.restarted`, `camera.created` … */
  type: string;
  from: string | null;
  to: string | null;
  class: FailureClass | null;
  code: string | null;
  message: string;
  evidence: string | null;
  attempt: number | null;
  delayMs: number | null;
  /** What passed between the camera and Lookout before this failure is kept: `GET …/events/:seq/recording`. */
  recording: boolean;
};

/** What passed before a failure, for `camera-sim --replay` too. */
export type FlightView = FlightRecording;

/**
 * How available a stream was between two moments. Gaps are the time it should have been live and was not, by the class
 * of the failure (`lookout-away`: the program itself did not run); before the first journal row nothing is known.
 */
export type StreamAvailability = {
  camera: string;
  from: string;
  to: string;
  /** 0 to 1, of the time it should have been live; null where it never should. */
  uptime: number | null;
  liveSeconds: number;
  gapSeconds: number;
  gapMinutes: number;
  restingSeconds: number;
  unknownSeconds: number;
  losses: number;
  recovery: { count: number; medianSeconds: number; p95Seconds: number; maxSeconds: number } | null;
  byClass: { class: string; losses: number; gapSeconds: number }[];
};

/** Of a camera; `sub` is the same of its second stream, where it has one. */
export type AvailabilityView = StreamAvailability & { sub?: StreamAvailability };

/** Cameras that were lost within 2 s of each other: one incident with one cause. */
export type IncidentView = {
  id: string;
  openedAt: string;
  /** When the last of them was back. */
  closedAt: string | null;
  /** What they have in common: `machine`, `address`, `network`, `class`, or nothing (`mixed`). */
  cause: 'machine' | 'address' | 'network' | 'class' | 'mixed';
  message: string;
  cameras: { camera: string; class: FailureClass; lostAt: string; backAt: string | null }[];
};

/** "Why is this camera down, since when, what happened before, when is the next try?" in one answer. */
export type ExplanationView = {
  camera: string;
  state: CameraState;
  substate: CameraSubstate;
  since: string;
  /** When the loss began that still lasts. */
  downSince: string | null;
  /** One to three sentences for a person. */
  why: string;
  lastError: LastError | null;
  /** What proved it: the RTSP status line, the bus message, the exit signal. */
  evidence: string | null;
  nextRetryAt: string | null;
  attempts: number;
  /** The open incident it is part of. */
  incident: string | null;
  /** The journal, newest first. */
  before: EventView[];
  availability: AvailabilityView;
  /** The same of the second stream, where there is one. */
  sub?: Omit<ExplanationView, 'sub' | 'availability'>;
};

/** Who may do what. */
export type RoleName = 'admin' | 'operator' | 'viewer';

/** A token as it is listed; `cameras`: what a limited viewer may see, null for all. */
export type TokenView = { id: string; name: string; role: RoleName; cameras: string[] | null; createdAt: string; expiresAt: string | null };

/** The program itself. */
export type SystemView = {
  version: string;
  startedAt: string;
  instance: string;
  demo: boolean;
  /** Where gRPC listens; null while it does not. */
  grpcPort?: number | null;
  cameras: number;
  live: number;
  viewers: number;
  hosts: number;
  orphans: number;
  cpu: number;
  rssBytes: number;
  /** Of the heap of the control process. */
  heapBytes?: number;
  /** p99 of the last two seconds. */
  eventLoopDelayMs: number;
  /** Limits of the watchdog that are passed now. */
  passed?: ('delay' | 'memory')[];
};

/** What an object of mediasoup is for. */
export type MediaRoleView = 'ingest' | 'viewer' | 'edge' | 'primer';

/** A mediasoup worker; `cpu` is the CPU time it has used since it began, in seconds. */
export type SfuWorkerView = { index: number; pid: number | null; state: string; restarts: number; routers: number; port: number | null; cpu: number | null; rssBytes: number | null };
export type SfuView = {
  workers: SfuWorkerView[];
  /** Of an ingest, or an edge: a router of WHEP viewers whose offer numbered its payload types. */
  routers: { id: string; camera: string; stream?: StreamName; worker: number; role?: MediaRoleView }[];
  transports: { id: string; kind: 'plain' | 'webrtc' | 'pipe'; camera: string; stream?: StreamName; viewer: string | null; role?: MediaRoleView; recvBufferBytes?: number | null }[];
  /** Keyframes and losses are counted by the ingest's alone. */
  producers: { id: string; camera: string; stream?: StreamName; role?: MediaRoleView; kind: 'video' | 'audio'; paused: boolean; packetCount: number; byteCount: number; keyframeCount: number; packetsLost: number }[];
  /** `viewer` is null for an edge's own. */
  consumers: { id: string; camera: string; stream?: StreamName; viewer: string | null; role?: MediaRoleView; kind: 'video' | 'audio'; paused: boolean }[];
  /** Viewers that are shown what a hub had cached; `live` once that is sent. */
  primers: { camera: string; stream?: StreamName; viewer: string; live: boolean }[];
};

/** Namespace `/status`: `snapshot` once after connecting, deltas afterwards; at most 5 a second per camera. */
export type StatusServerEvents = {
  snapshot: (all: { system: SystemView; cameras: CameraView[]; workers: SfuWorkerView[]; at: string }) => void;
  /** The whole view of one camera that changed; `null` when it was removed. */
  camera: (delta: { id: string; camera: CameraView | null; at: string }) => void;
  sfu: (delta: { workers: SfuWorkerView[]; at: string }) => void;
  system: (system: SystemView) => void;
  /** A journal row, as it is written. */
  journal: (event: EventView) => void;
};

/** Every acknowledgement of `/viewer`: the value, or an error of the catalogue. */
export type Ack<T> = (answer: { ok: true; value: T } | { ok: false; error: { code: string; message: string } }) => void;

/** mediasoup's own JSON shapes, opaque to us; mediasoup-client types them in the page. */
export type Opaque = Record<string, unknown>;

/**
 * Namespace `/viewer`, client to server. The order is: `join` → mediasoup-client `device.load` → `transport` →
 * `connectTransport` (from the transport's event; `connect` itself is reserved by Socket.IO) → `consume` → `resume`. One socket may hold many viewers.
 */
export type ViewerClientEvents = {
  /**
   * Makes a viewer of a camera. The camera need not be live: the viewer waits and `viewer` events tell. `stream`: the one that
   * is asked for, main where none is; the answer says which it is, and that is main for a camera that has no second one.
   */
  join: (request: { camera: string; stream?: StreamName }, ack: Ack<{ viewer: string; routerRtpCapabilities: Opaque; stream?: StreamName }>) => void;
  /**
   * Makes the WebRTC transport; asked for with the capabilities of the device. `primer`: this client can show two consumers of
   * a camera one after the other, see `consume`.
   */
  transport: (request: { viewer: string; rtpCapabilities: Opaque; primer?: boolean }, ack: Ack<{ id: string; iceParameters: Opaque; iceCandidates: Opaque[]; dtlsParameters: Opaque }>) => void;
  connectTransport: (request: { viewer: string; dtlsParameters: Opaque }, ack: Ack<null>) => void;
  /**
   * Consumes video, and audio where `audio` is true and the camera has some; asked again with another `audio`, it takes audio
   * up or drops it, and answers with all consumers that there are then. Audio whose camera changes it ends with `gone`. Consumers start paused. One with `primer` shows
   * pictures at once, until the camera's next keyframe: when the other one has its first frame, show that and say `tookOver`.
   */
  consume: (request: { viewer: string; audio?: boolean }, ack: Ack<{ consumers: { id: string; producerId: string; kind: 'video' | 'audio'; rtpParameters: Opaque; primer?: true }[] }>) => void;
  resume: (request: { viewer: string }, ack: Ack<null>) => void;
  pause: (request: { viewer: string }, ack: Ack<null>) => void;
  /** The client shows the camera's own consumer; the server closes the primer's. */
  tookOver: (request: { viewer: string }, ack: Ack<null>) => void;
  /** First decoded frame, ms after `join`, measured by the page; feeds `vms_media_viewer_first_frame_seconds`. */
  firstFrame: (request: { viewer: string; milliseconds: number }) => void;
  leave: (request: { viewer: string }, ack: Ack<null>) => void;
};

/** Namespace `/viewer`, server to client. */
export type ViewerServerEvents = {
  /** `paused`: the camera is away, the last frame stays; `flowing`: it is back, nothing to do. */
  viewer: (event: { viewer: string; state: 'flowing' | 'paused'; reason: string | null }) => void;
  /** The viewer is gone on the server: join again (`rejoin`: the ingest or worker was replaced) or give up (`removed`). */
  gone: (event: { viewer: string; reason: 'rejoin' | 'removed' | 'shutdown'; message: string }) => void;
};
