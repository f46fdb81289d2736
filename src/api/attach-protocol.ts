/** Shapes for programs that attach to a camera: to its raw frames, and to its packets. */
import type { FramesOutputView, LastError } from './protocol.ts';

/** How a program attaches to the raw frames of a camera (docs/frames.md). `tcp` is null before the first run; `commands` show the frames with GStreamer. */
export type FramesAccessView = {
  camera: string;
  state: string;
  lastError: LastError | null;
  format: FramesOutputView['format'];
  width: number;
  height: number;
  fps: number;
  frameBytes: number;
  /** The wire format of both: GStreamer Data Protocol 1.0. */
  protocol: 'gdp-1.0';
  tcp: { host: string; port: number } | null;
  /** A Unix socket that speaks the protocol of shmsink. */
  sharedMemory: { socket: string };
  readers: FramesOutputView['readers'];
  commands: { tcp: string | null; sharedMemory: string };
};

/** How a program attaches to the packets of a camera's hub (docs/frames.md). `protocol`: RTP framed by RFC 4571, or a Matroska stream. `caps` say to GStreamer what `rtp` is, for H.264. */
export type PacketsAccessView = {
  camera: string;
  codec: 'H264' | 'H265';
  width: number | null;
  height: number | null;
  protocol: 'rtp-rfc4571' | 'matroska';
  host: string;
  port: number;
  caps: string | null;
  command: string;
};
