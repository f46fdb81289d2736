/**
 * What the interfaces (REST, Socket.IO, metrics) need of the supervisor: declared here by its consumer, implemented in
 * `control/control-plane.ts`, handed over by `main.ts`. Nothing else of the actors is visible to the interfaces.
 */
import type { DtlsFingerprint } from 'mediasoup/types';
import type { CameraInput, CameraPatch, CameraSetup } from '../camera-config.ts';
import type { CameraUrl } from '../camera-url.ts';
import type { FailureClass } from '../errors.ts';
import type { FaultRequest, FaultView } from './faults.ts';
import type { FramesAccessView, PacketsAccessView } from './attach-protocol.ts';
import type { ActorHistoryView, ActorView, AvailabilityView, CameraState, CameraView, ChartView, EventView, ExplanationView, IncidentView, InspectServerEvents, MessageView, Opaque, ProbeReport, FlightView, RecordingQuery, RecordingView, SfuView, SfuWorkerView, StepView, StreamName, SystemView, TimerView, TrendView, FleetTrendView, ViewerServerEvents, ExportInput, ExportView } from './protocol.ts';
import type { EventQuery } from '../store/types.ts';

export type { ProbeReport } from './protocol.ts';

/** A picture and when it was taken (ms since the epoch). */
export type Snapshot = { jpeg: Uint8Array; takenAt: number; width: number; height: number };

/** Cumulative figures of one camera since the program started, for Prometheus counters. */
export type CameraCounters = {
  id: string;
  packets: number;
  bytes: number;
  keyframes: number;
  ingestPacketsLost: number;
  /** Sources started after the first, by the class of the failure before. */
  restarts: Partial<Record<FailureClass, number>>;
  /** Seconds spent in each state, up to now. */
  stateSeconds: Partial<Record<CameraState, number>>;
  recordingBytes: number;
};

/** A change that subscribers hear of. Coalescing is the subscriber's business. */
export type Delta =
  | { type: 'camera'; id: string; camera: CameraView | null }
  | { type: 'workers'; workers: SfuWorkerView[] }
  | { type: 'system'; system: SystemView }
  | { type: 'journal'; event: EventView }
  /** A camera is live again: seconds from the loss to the first fresh packet. */
  | { type: 'recovered'; id: string; class: FailureClass; seconds: number }
  /** An actor was re-spawned by its supervisor: `camera`, `worker`, `host`, … */
  | { type: 'actor-restarted'; actor: string; id: string };

/** What {@link ControlPlane.setup} did. */
export type SetupOutcome = 'created' | 'changed' | 'unchanged';

/** How a viewer's events reach its browser. Must not throw. */
export type ViewerNotify = {
  [K in keyof ViewerServerEvents]: (event: Parameters<ViewerServerEvents[K]>[0]) => void;
};

/** A format of an SDP offer in which somebody can receive H.264. */
export type OfferedH264 = { payloadType: number; /** Six hexadecimal digits (RFC 6184 §8.1). */ profileLevelId: string };

/** Certificates of DTLS, and which end begins the handshake: here, the other one's. */
export type OfferedDtls = { role: 'client' | 'server'; fingerprints: DtlsFingerprint[] };

/** What answers an SDP offer: where to connect to, and what will come. */
export type OfferAnswer = {
  iceParameters: { usernameFragment: string; password: string };
  iceCandidates: { foundation: string; priority: number; address: string; protocol: 'udp' | 'tcp'; port: number; tcpType?: 'passive' }[];
  fingerprints: DtlsFingerprint[];
  video: OfferedH264 & { ssrc: number; cname: string };
};

/** One subscription of one browser to one camera. Every call rejects with a `LookoutError`. */
export type ViewerService = {
  /** `owner` is the socket: `leaveAll(owner)` releases all its viewers. */
  join(request: { camera: string; stream?: StreamName; owner: string; notify: ViewerNotify }): Promise<{ viewer: string; routerRtpCapabilities: Opaque; stream?: StreamName }>;
  transport(request: { viewer: string; owner: string; rtpCapabilities: Opaque; primer?: boolean }): Promise<{ id: string; iceParameters: Opaque; iceCandidates: Opaque[]; dtlsParameters: Opaque }>;
  connect(request: { viewer: string; owner: string; dtlsParameters: Opaque }): Promise<void>;
  /** All at once for those who make an offer: transport, consumer, and pictures as soon as the connection stands. */
  answer(request: { viewer: string; owner: string; video: OfferedH264[]; dtls: OfferedDtls }): Promise<OfferAnswer>;
  consume(request: { viewer: string; owner: string; audio: boolean }): Promise<{ id: string; producerId: string; kind: 'video' | 'audio'; rtpParameters: Opaque; primer?: true }[]>;
  resume(request: { viewer: string; owner: string }): Promise<void>;
  pause(request: { viewer: string; owner: string }): Promise<void>;
  tookOver(request: { viewer: string; owner: string }): Promise<void>;
  leave(request: { viewer: string; owner: string }): Promise<void>;
  leaveAll(owner: string): void;
};

/** The recordings of all cameras, removed ones included. */
export type RecordingService = {
  /** Newest first; `next` is what `after` takes for the page that follows, null behind the last. */
  list(query: RecordingQuery): Promise<{ recordings: RecordingView[]; next: string | null }>;
  /** Throws `LOOKOUT_RECORDING_NOT_FOUND`. */
  get(id: string): Promise<RecordingView>;
  /** Where its bytes are (absolute), and what a download is called. */
  file(id: string): Promise<{ path: string; name: string }>;
  /** Throws `LOOKOUT_RECORDING_OPEN` while it is being written. */
  remove(id: string): Promise<void>;
};

/** Spans of recordings, each as one file. Every call throws `LOOKOUT_EXPORT_NOT_FOUND` for an id that is none. */
export type ExportService = {
  /** Newest first. */
  list(): ExportView[];
  get(id: string): ExportView;
  /** Where its bytes are (absolute), and what a download is called. Throws `LOOKOUT_EXPORT_OPEN` until it is done. */
  file(id: string): { path: string; name: string };
  /** Throws `LOOKOUT_RECORDING_NOT_FOUND`, `LOOKOUT_EXPORT_LIMIT`, `LOOKOUT_STORAGE`. */
  create(input: ExportInput): Promise<ExportView>;
  remove(id: string): Promise<void>;
};

/** Video over HLS, live and recorded. */
export type HlsService = {
  /** Begins the output where it is on demand, and waits for its first segment. Throws `LOOKOUT_NOT_LIVE`, `LOOKOUT_HLS_OFF`. URIs in it are relative, and carry the token. */
  playlist(camera: string, token?: string): Promise<string>;
  /** A segment, or what a player needs before it; absolute path. Throws `LOOKOUT_SEGMENT_NOT_FOUND`. */
  file(camera: string, session: string, name: string): { path: string; type: string };
  /** What is recorded between two moments, ms since the epoch. Throws `LOOKOUT_RECORDING_NOT_FOUND`. */
  recorded(span: { camera: string; from: number; to: number }, token?: string): Promise<string>;
  /** A segment of such a playlist. Throws `LOOKOUT_SEGMENT_NOT_FOUND`. */
  recordedSegment(camera: string, recording: string, name: string): Promise<{ bytes: Uint8Array; type: string }>;
};

/** Where the news of a look go. Must not throw. */
export type InspectTell = {
  actors(delta: Pick<Parameters<InspectServerEvents['actors']>[0], 'changed' | 'removed'>): void;
  steps(batch: { actor: string; steps: StepView[]; timers: TimerView[] }): void;
  messages(batch: { below: string; messages: MessageView[] }): void;
};

/** Somebody looks at the actors. */
export type Look = {
  charts(): ChartView[];
  actors(): ActorView[];
  /** Follows this actor instead of the one before; null follows none. Throws `LOOKOUT_ACTOR_NOT_FOUND`. */
  watch(actor: string | null): ActorHistoryView | null;
  /** Follows the messages at or below this actor; null follows none. Throws `LOOKOUT_ACTOR_NOT_FOUND`. */
  sequence(below: string | null): void;
  /** Sends an event by hand, in the name of `by`. Throws `LOOKOUT_ACTOR_NOT_FOUND`, `LOOKOUT_EVENT_REFUSED`. */
  send(actor: string, event: Record<string, unknown>, by: string): void;
  close(): void;
};

/** The supervisor as the interfaces see it. Views are snapshots without credentials. */
export type ControlPlane = {
  /** `cameras`: the views of all, from whom they are at hand. */
  system(cameras?: CameraView[]): SystemView;
  /** Not ready says why, one sentence each. */
  readiness(): { ready: boolean; reasons: string[] };
  cameras(): CameraView[];
  camera(id: string): CameraView | undefined;
  /** Of main where no stream is named; of sub, of the cameras that have one. */
  counters(stream?: StreamName): CameraCounters[];
  /** One row for each owner of a host. `rssBytes` is the whole process's, which `sharedBy` owners have together. */
  hosts(): { camera: string; role: string; pid: number; rssBytes: number; sharedBy: number }[];
  workers(): SfuWorkerView[];
  /** Cores for transcodes: in use by estimate, allowed for all together; and viewers that were refused for want of them. */
  transcodes(): { used: number; budget: number; refused: number };
  /** What shows joining browsers the first pictures: at the moment, and since the program began. */
  primers(): { active: number; started: number; refused: number; failed: number; repeats: number; bytes: number; catchUps: { active: number; started: number; refused: number; failed: number } };
  sfu(): Promise<SfuView>;
  /** What is held at the moment, for tests and for people who look for a leak. */
  resources(): { actors: number; leases: { kind: string; owner: string; value: string }[]; admission: { holding: number; waiting: number; peak: number } };
  /** Persists first, then starts. Throws `LOOKOUT_CAMERA_EXISTS`, `LOOKOUT_CAMERA_URL`, `LOOKOUT_SHUTTING_DOWN`. */
  create(input: CameraInput): Promise<CameraView>;
  patch(id: string, patch: CameraPatch): Promise<CameraView>;
  /** Makes the camera of this id, or changes what is named and different; the same request twice does nothing. */
  setup(input: CameraSetup): Promise<{ camera: CameraView; outcome: SetupOutcome }>;
  /** Resolves when everything the camera held is released. */
  remove(id: string): Promise<void>;
  command(id: string, verb: 'start' | 'stop' | 'restart' | 'retry'): Promise<CameraView>;
  /** Breaks something on purpose. Throws `LOOKOUT_FAULTS_DISABLED` unless the configuration allows it. */
  inject(id: string, request: FaultRequest): Promise<FaultView>;
  events(id: string, query: EventQuery): Promise<EventView[]>;
  /** The journal of all cameras and of the program itself. */
  journal(query: EventQuery & { camera?: string }): Promise<EventView[]>;
  /** What passed before the failure of this row. Throws `LOOKOUT_FLIGHT_NOT_FOUND`. */
  recording(id: string, seq: number): Promise<FlightView>;
  /** Why it is down, since when, what happened before, when the next try is. */
  explanation(id: string): Promise<ExplanationView>;
  /** Over the last days, from the journal. */
  availability(id: string, days: number): Promise<AvailabilityView>;
  /** The last hour of one camera, and of these together. */
  trend(id: string): TrendView;
  fleetTrend(ids: readonly string[]): FleetTrendView;
  /** Cameras that were lost together, newest first. */
  incidents(): IncidentView[];
  probe(url: CameraUrl, seconds: number, signal: AbortSignal): Promise<ProbeReport>;
  /** Throws `LOOKOUT_NOT_LIVE` with the failure that explains it. `width` 0 keeps the camera's size. */
  snapshot(id: string, options: { width: number }): Promise<Snapshot>;
  /** How to attach to the raw frames of a camera. Throws `LOOKOUT_FRAMES_OFF`. */
  frames(id: string): FramesAccessView;
  /** How to attach to the packets of a camera. Throws `LOOKOUT_NOT_LIVE`. */
  packets(id: string): PacketsAccessView;
  /** Starts or stops recording by hand. Throws `LOOKOUT_RECORDING_MODE` where the camera is not recorded so. */
  record(id: string, wanted: boolean): Promise<CameraView>;
  recordings: RecordingService;
  exports: ExportService;
  hls: HlsService;
  viewers: ViewerService;
  /** Looks at the running actors until `close`; while nobody does, nothing is recorded. */
  inspect(tell: InspectTell): Look;
  /** Returns the unsubscribe function. */
  subscribe(listener: (delta: Delta) => void): () => void;
};
