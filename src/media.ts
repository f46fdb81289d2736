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

/** What a camera offers, as its DESCRIBE says. */
export type Description<V extends VideoFormat = VideoFormat> = {
  server: string | null;
  video: V | null;
  audio: AudioFormat | null;
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
