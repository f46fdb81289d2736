/** The part of the contract that tells of the last hour. Published through `protocol.ts`. */

/** The state of a camera as a trend tells it: `connecting`, `backoff` and so on as ever, `off` for idle and stopped ones. */
export type TrendState = 'live' | 'stalled' | 'connecting' | 'backoff' | 'quarantined' | 'off';

/** One camera, in columns of equal length: a point every `stepMs` from `from` on, oldest first. What was not known is null. */
export type TrendView = {
  camera: string;
  /** Of the first point, ISO 8601. */
  from: string;
  stepMs: number;
  /** bits per second. */
  bitrate: (number | null)[];
  fps: (number | null)[];
  /** Age of the last packet. */
  packetAgeMs: (number | null)[];
  /** Sources started after the first, within the step. */
  restarts: number[];
  state: (TrendState | null)[];
};

/** All cameras together that may be seen and are there now: how many there were and were live, and sums. */
export type FleetTrendView = { from: string; stepMs: number; cameras: number[]; live: number[]; bitrate: number[]; restarts: number[] };
