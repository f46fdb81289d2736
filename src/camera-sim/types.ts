/** What a simulated camera is made of, how it can be made to misbehave, and what it tells about itself. */
import type { FlightRecording } from '../media.ts';
import type { Credentials } from '../rtsp/auth.ts';
import type { Mutant } from './mutator.ts';

/** A simulated camera. Its address is `rtsp://127.0.0.1:<port>/<name>`. */
export type MountConfig = MountOptions & (ClipMount | ReplayMount);

/** It plays clips. */
export type ClipMount = {
  /** Clip of the video track; null for a camera without one. */
  video: string | null;
  /** Clip of the audio track, where there is one. */
  audio?: string;
  replay?: undefined;
};

/** It does what a flight recording says, for every client from the beginning. */
export type ReplayMount = { replay: FlightRecording; video?: undefined; audio?: undefined };

/** What all cameras have in common. */
export type MountOptions = {
  name: string;
  /** Its own port, with `per-mount`; 0 or absent: one is chosen below the kernel's ephemeral range. */
  port?: number;
  auth?: { scheme: 'basic' | 'digest-md5' | 'digest-sha256'; credentials: Credentials; qop?: 'auth' | 'none' };
  /** Lower transports SETUP accepts; the others get 461. */
  transports?: ('tcp' | 'udp')[];
  /** Sessions beyond it get 453. */
  maxSessions?: number;
  /** What `Session` announces; a session that shows no life for this long is closed. 60 s where not given. */
  sessionTimeoutSeconds?: number;
  /** What counts as life: `any` RTSP request or RTCP packet, only an `rtsp` request (a strict camera), or nothing is asked for. */
  keepAlive?: 'any' | 'rtsp' | 'off';
  /** A session whose connection ends without TEARDOWN keeps its place until it times out, as in many cameras. */
  linger?: boolean;
  /** Where in its clip the camera is when the simulator starts, seconds; `random` keeps cameras out of step. */
  phase?: number | 'random';
};

/** How a camera behaves until told otherwise. Any part can be changed while it runs. */
export type Behaviour = {
  /** `closed`: its port refuses connections (needs a port of its own). Connections that exist go on. */
  listen: 'open' | 'closed';
  /** False: connections are accepted, requests never answered. */
  answer: boolean;
  /** Answers these methods (all but OPTIONS where not given) with a status, `count` times (for good where not given). */
  status: { code: number; methods?: string[]; count?: number } | null;
  /** Which tracks flow. `none`: silent with the connection open. */
  media: 'all' | 'audio-only' | 'video-only' | 'none';
  /** False: access units that begin a GOP, parameter sets included, are not sent. */
  keyframes: boolean;
  /** `frozen`: RTP timestamps stand still. */
  timestamps: 'running' | 'frozen';
  /** Share of RTP packets, 0 to 1, that get lost, damaged, or swapped with the next of their access unit. */
  drop: number;
  corrupt: number;
  reorder: number;
  /** Everything leaves this much later than it was captured. */
  delayMs: number;
  /** Frames a second relative to the clip's. */
  speed: number;
};

/** A camera at its best. */
export const healthy: Behaviour = {
  listen: 'open', answer: true, status: null, media: 'all', keyframes: true, timestamps: 'running',
  drop: 0, corrupt: 0, reorder: 0, delayMs: 0, speed: 1,
};

/** Something that happens to a camera once. */
export type Incident =
  /** Its connections end: FIN, or RST. Sessions are gone. */
  | { type: 'close' }
  | { type: 'reset' }
  /** RTCP BYE to every session; with `close`, FIN behind it: a regular end of stream. */
  | { type: 'bye'; close: boolean }
  /** RTP timestamps jump, forward or back. */
  | { type: 'jump'; seconds: number }
  /** Another clip from its first frame on. With `reconnect` sessions are closed and learn it from DESCRIBE, else they get it in-band. */
  | { type: 'change'; video: string; reconnect: boolean }
  /** The stream is mutated for `ms`, by seed; another one before that takes its place. */
  | { type: 'mutate'; mutant: Mutant }
  /**
   * Connections reset; for `seconds` refused (with a port of its own, else answered 503); then `status` (503 where not given)
   * for `unavailableMs`; then its clip begins anew.
   */
  | { type: 'reboot'; seconds: number; unavailableMs?: number; status?: number };

/** What a camera tells about itself. */
export type MountStats = {
  url: string;
  connections: number;
  sessions: number;
  playing: number;
  /** Since the start: connections accepted, requests by method, answers by status. */
  accepted: number;
  requests: Record<string, number>;
  statuses: Record<string, number>;
  packets: number;
  bytes: number;
  /** Access units not sent because a client did not read fast enough. */
  unitsDropped: number;
  /** Sessions closed because they showed no life. */
  timedOut: number;
  /** Whether its stream is being mutated. */
  mutates: boolean;
};

/** What the simulator serves. */
export type SimulatorConfig = {
  mounts: MountConfig[];
  /** 0 or absent: one is chosen below the kernel's ephemeral range. With `per-mount` every camera has one of its own. */
  port?: number | 'per-mount';
  /** Certificate and key (PEM): every port speaks RTSP over TLS then. Packets over UDP stay in the clear. */
  tls?: { key: string; cert: string };
  /** Address to listen on, 127.0.0.1 where not given. */
  host?: string;
};
