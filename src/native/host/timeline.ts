/** From a recorder's running time to the wall clock: the hub's stamps are on CLOCK_MONOTONIC, whatever process made them. */
import { child, fieldOf, type GstPipeline } from '../gst.ts';
import { recordElements as names } from '../launch-record.ts';
import { monotonicMs } from '../monotonic.ts';
import type { HubSpec } from '../protocol.ts';

/** The time line of one recorder. */
export type Timeline = {
  /** ms since the epoch of a running time in ns; asks the clock anew each time, so that a step of NTP shows in the next file. */
  wallClock(runningNs: number): number;
  stop(): void;
};

/** Before this much is over, the first keyframe was seen and the second did not come. */
const lookMs = 10;
/** Frames come one by one once the cached GOP is through; so many readings must agree. */
const agreeing = 3;
/** A running time that cannot be placed by then is taken for now. */
const giveUpMs = 500;

/** Binds to the elements of a pipeline made by `recordLaunch`, and calls `onKnown` once, soon after the first frame. */
export function createTimeline(pipeline: GstPipeline, codec: HubSpec['codec'], onKnown: () => void): Timeline {
  const look = codec === 'H264' ? zeroOfRtp(pipeline) : zeroOfMatroska(pipeline);
  let zero: number | null = null;
  let firstLook: number | null = null;
  const timer = setInterval(() => {
    const found = look();
    if (found === 'nothing yet') return;
    firstLook ??= monotonicMs();
    if (found === 'unsure' && monotonicMs() - firstLook < giveUpMs) return;
    zero = found === 'unsure' ? firstLook : found;
    clearInterval(timer);
    onKnown();
  }, lookMs);
  return {
    wallClock: (runningNs) => Math.round(Date.now() - monotonicMs() + (zero ?? monotonicMs()) + runningNs / 1e6),
    stop: () => clearInterval(timer),
  };
}

/** ms on CLOCK_MONOTONIC when the running time was 0. */
type Zero = number | 'unsure' | 'nothing yet';

/** RTP's own stamp and the running time that the jitter buffer made of it are read from two neighbours; a frame may pass in between. */
function zeroOfRtp(pipeline: GstPipeline): () => Zero {
  const depay = child(pipeline, names.depay);
  const stamp = child(pipeline, names.stamp);
  const readings: number[] = [];
  return () => {
    const running = stampOf(String(stamp['last-message'] ?? ''));
    const rtp = fieldOf(depay['stats'], 'timestamp');
    if (running === null || rtp === undefined) return 'nothing yet';
    const now = monotonicMs();
    readings.push(now - ((Math.trunc(now * 90) % 2 ** 32 - rtp) | 0) / 90 - running);
    if (readings.length < agreeing) return 'unsure';
    const latest = readings.slice(-agreeing);
    if (Math.max(...latest) - Math.min(...latest) > 1) return 'unsure';
    stamp['silent'] = true;
    return latest.at(-1)!;
  };
}

/** The demuxer's running time begins with its first keyframe, whose own stamp is absolute. */
function zeroOfMatroska(pipeline: GstPipeline): () => Zero {
  const origin = child(pipeline, names.origin);
  return () => {
    const first = stampOf(String(origin['last-message'] ?? ''));
    if (first === null) return 'nothing yet';
    origin['silent'] = true;
    return first;
  };
}

/** `chain … pts: 342:56:11.595000000, …` in ms. */
function stampOf(text: string): number | null {
  const [, hours, minutes, seconds] = /^chain .*pts: (\d+):(\d\d):(\d\d\.\d+)/u.exec(text) ?? [];
  return hours === undefined ? null : (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000;
}
