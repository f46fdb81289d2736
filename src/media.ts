/** What a camera's tracks are, and what is counted of them: the words machines, hosts and the probe share. Types only. */

/** A video track. What is not known is null, never guessed. */
export type VideoFormat = {
  codec: 'H264' | 'H265';
  /** As the SPS says: `constrained-baseline`, `main`, `high`, … */
  profile: string | null;
  /** RFC 6184 §8.1, six hex digits; null for H.265. */
  profileLevelId: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
};

/** An audio track, by its RTP encoding name. */
export type AudioFormat = { codec: string; rate: number; channels: number };

/**
 * Sound that Lookout carries on, as a hub of sound gives it. `config`: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6) of
 * AAC in hexadecimal digits; null for G.711. Rate in Hz, of the core where there is spectral band replication.
 */
export type SoundFormat = { codec: 'AAC' | 'PCMU' | 'PCMA'; rate: number; channels: number; config: string | null };

/** What a camera offers, as its DESCRIBE says. */
export type Description<V extends VideoFormat = VideoFormat> = {
  server: string | null;
  video: V | null;
  audio: AudioFormat | null;
  /** The audio track where outputs and viewers can have it. */
  sound?: SoundFormat | null;
  /** Tracks nobody can carry, as `video/JPEG`. */
  unsupported: string[];
};

/** Counters of a source since it began; ages are measured at the moment of sending, ms. */
export type SourceStats = {
  packets: number;
  bytes: number;
  frames: number;
  keyframes: number;
  packetAgeMs: number | null;
  keyframeAgeMs: number | null;
  /** Mean distance between the last keyframes. */
  keyframeIntervalMs: number | null;
  /** Whether pictures come in another order than they are shown in; null before enough of them came. */
  bFrames: boolean | null;
  fps: number | null;
  /** bits per second. */
  bitrate: number | null;
  /** Bytes handed to the feed; grows only while the feed is open. */
  feedBytes: number;
  /** Newest RTP sequence number of the feed; null before the first packet. */
  feedSequence: number | null;
  rssBytes: number;
};

/** Where the RTP of a camera comes from and goes to: leased by the camera, the same for every source and every worker. */
export type Feed = {
  port: number;
  bindPort: number;
  ssrc: number;
  payloadType: number;
  /** How far its RTP clock is ahead of CLOCK_MONOTONIC, ms: a little more with every handover, so that time never goes back. */
  shiftMs?: number;
  /** First sequence number of the next source; the payloader's own choice where it is absent. */
  sequence?: number;
};

/** One RTSP message of a flight recording, credentials removed; `by` says whether Lookout's probe or the source spoke. */
export type FlightMessage = { at: number; by: 'probe' | 'source'; direction: 'sent' | 'received'; text: string };

/**
 * Packets whose headers follow from one another: packet i of `count` has sequence + i and timestamp + i · step. With a step
 * of 0 they are one access unit (or a part), and `marker` is that of the last packet; else it is that of all of them.
 */
export type FlightRun = {
  at: number;
  /** From the first packet to the last. */
  ms: number;
  track: 'video' | 'audio';
  ssrc: number;
  payloadType: number;
  sequence: number;
  timestamp: number;
  step: number;
  count: number;
  marker: boolean;
  /** Its first access unit is a keyframe. */
  keyframe: boolean;
  /** RTP headers included. */
  bytes: number;
  /** Packets of this track that are missing before it. */
  missing: number;
};

/** What passed between a camera and Lookout before a failure. `at` counts ms from `from`. */
export type FlightRecording = {
  camera: string;
  /** The journal row of the failure. */
  seq: number;
  class: string;
  code: string;
  from: string;
  to: string;
  dialogue: FlightMessage[];
  rtp: FlightRun[];
};
