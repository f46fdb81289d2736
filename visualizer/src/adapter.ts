/** The one door to the server: all that the page asks and hears passes through this interface (socket-adapter.ts, fake/adapter.ts). */
import type { ActorHistoryView, CameraView, EventView, ExportView, FleetTrendView, InspectServerEvents, ProbeReport, RecordingView, RecordWindowView, StatusServerEvents, StreamName, TrendView } from '../../src/api/protocol.ts';

/** The Socket.IO connection as the operator needs to know it. */
export type ConnectionState =
  | { status: 'connecting' }
  | { status: 'online' }
  /** `since` is ms since the epoch on this machine. */
  | { status: 'offline'; since: number; reason: string }
  | { status: 'unauthenticated' };

/** Everything that arrives unasked. */
export type StatusListener = {
  [Event in keyof StatusServerEvents]: StatusServerEvents[Event];
} & { connection: (state: ConnectionState) => void };

export type Session = { name: string; role: string };

/** What the form for a new camera sends. */
export type NewCamera = { name?: string; url: string; sub?: { url: string }; outputs?: { live: { transcode: 'never' | 'on-demand' } } };

/** What is different from now on; what is not named stays. */
export type CameraChange = {
  url?: string;
  /** null: without a second stream. */
  sub?: { url: string } | null;
  name?: string;
  transport?: CameraView['transport'];
  outputs?: { live?: { transcode: 'never' | 'on-demand' }; hls?: { mode: CameraView['outputs']['hls']['mode'] }; record?: { mode?: CameraView['outputs']['record']['mode']; schedule?: RecordWindowView[] } };
};

export type Verb = 'start' | 'stop' | 'restart' | 'retry';

/**
 * `joining` until the first picture can come · `flowing` · `paused` the camera is away, the viewer stays ·
 * `waiting` the viewer was lost and joins again · `unsupported` this browser cannot play it · `refused` the server has no room
 * for it at the moment, and is asked again now and then · `removed` for good.
 */
export type PlayerPhase = 'joining' | 'flowing' | 'paused' | 'waiting' | 'unsupported' | 'refused' | 'removed';

/** Where a player puts what it gets. */
export type PlayerSink = {
  /**
   * The picture to show; a new object whenever the viewer had to join again. `next`: what shall be shown instead as soon as it has
   * a picture; `tookOver` of the player is the answer.
   */
  stream: (stream: MediaStream, next: MediaStream | null) => void;
  phase: (phase: PlayerPhase, why: string | null) => void;
  /** The sound to play; null while there is none, with the reason where it was asked for. */
  sound: (stream: MediaStream | null, why: string | null) => void;
};

/** One second of `getStats`, digested. What the browser does not tell is null. */
export type PlayerStats = {
  codec: string | null;
  profileLevelId: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  bitrate: number | null;
  jitterMs: number | null;
  packetsLost: number | null;
  packetsReceived: number | null;
  framesDecoded: number | null;
  framesDropped: number | null;
  freezes: number | null;
  decodeMs: number | null;
  /** From the server's media worker to the decoded picture. */
  latencyMs: number | null;
};

/** One subscription to one camera. */
export type Player = {
  /** Whether joining makes sense at the moment. A player that lost its camera waits for true, and then joins at once. */
  setAvailable: (available: boolean) => void;
  /** False tells the server to send nothing for now; the viewer stays. */
  setActive: (active: boolean) => void;
  /** Whether somebody wants to hear the camera; it is carried on only then. */
  setSound: (on: boolean) => void;
  /** A frame was painted. The first one after each join is reported to the server. */
  frame: () => void;
  /** The second stream is shown now, and the first one is not needed any more. */
  tookOver: () => void;
  stats: () => Promise<PlayerStats | null>;
  close: () => void;
};

export type StillRequest = { camera: string; width: number; signal: AbortSignal };

/** What the inspector hears. `lost`: nothing arrives at the moment, `snapshot` follows when it does again. */
export type InspectListener = { [Event in keyof InspectServerEvents]: InspectServerEvents[Event] } & { lost: (reason: string) => void };

/** A look at the actors of the program; the server records while it is open. */
export type Inspection = {
  /** Follows this actor; null none. What is kept of it. */
  watch: (actor: string | null) => Promise<ActorHistoryView | null>;
  /** Messages at or below this actor are told from now on; null none. */
  sequence: (below: string | null) => Promise<void>;
  /** Sends an event to an actor by hand. */
  send: (actor: string, event: { type: string; [field: string]: unknown }) => Promise<void>;
  close: () => void;
};

/** A span of time of one camera, in ms since the epoch. */
export type CameraSpan = { camera: string; from: number; to: number };

/** At most `limit` rows, with a number below `before`, from one moment up to another (ms since the epoch), `failures` only. */
export type JournalQuery = { limit: number; before?: number; from?: number; to?: number; failures?: true };

/** What was recorded, and files made of it. */
export type Recordings = {
  /** What overlaps the span, oldest first; `all`: whether these are all of them. */
  list: (span: CameraSpan) => Promise<{ recordings: RecordingView[]; all: boolean }>;
  /** The address of its HLS playlist. */
  playlist: (span: CameraSpan) => string;
  /** Newest first, of every camera. */
  exports: () => Promise<ExportView[]>;
  export: (span: CameraSpan, format: ExportView['format']) => Promise<ExportView>;
  /** The address of its file. */
  exportFile: (id: string) => string;
  removeExport: (id: string) => Promise<void>;
};

export type Adapter = {
  /** Who is logged in, or null. Rejects where the server cannot be reached. */
  session: () => Promise<Session | null>;
  login: (token: string) => Promise<Session>;
  logout: () => Promise<void>;
  /** Opens the status feed and keeps it open; returns what closes it. */
  connect: (listener: StatusListener) => () => void;
  command: (id: string, verb: Verb) => Promise<CameraView>;
  create: (camera: NewCamera) => Promise<CameraView>;
  change: (id: string, change: CameraChange) => Promise<CameraView>;
  remove: (id: string) => Promise<void>;
  probe: (url: string, signal: AbortSignal) => Promise<ProbeReport>;
  /** The journal of a camera, newest first. */
  events: (id: string, query: JournalQuery) => Promise<EventView[]>;
  /** The last hour of a camera; null of all of them together. */
  trends: (camera: string | null) => Promise<TrendView | FleetTrendView>;
  /** A current still picture. */
  still: (request: StillRequest) => Promise<Blob>;
  /** The address of a camera's live HLS playlist. */
  hls: (camera: string) => string;
  recordings: Recordings;
  /** For admins. */
  inspect: (listener: InspectListener) => Inspection;
  /** Nothing happens before `setAvailable(true)`. */
  play: (camera: string, sink: PlayerSink, stream: StreamName) => Player;
};

/** A refusal of the server, or of the network where `code` is `NETWORK`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly statusCode: number;
  /** Field path (`url`) → what is wrong with it. */
  readonly details: { path: string; message: string }[];

  constructor(options: { code: string; statusCode: number; message: string; details?: { path: string; message: string }[] }) {
    super(options.message);
    this.code = options.code;
    this.statusCode = options.statusCode;
    this.details = options.details ?? [];
  }
}

/** What to tell the operator about any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
