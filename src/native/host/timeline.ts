/** From a recorder's running time to the wall clock: the hub's stamps are on CLOCK_MONOTONIC, whatever process made them. */
import { child, type GstPipeline } from '../gst.ts';
import { recordElements as names } from '../launch-record.ts';
import { monotonicMs } from '../monotonic.ts';

/** The time line of one recorder. */
export type Timeline = {
  /** ms since the epoch of a running time in ns; asks the clock anew each time, so that a step of NTP shows in the next file. */
  wallClock(runningNs: number): number;
};

/** Binds to the `lookoutclock` of a pipeline made by `recordLaunch` or `hlsLaunch`; it knows before anything is written. */
export function createTimeline(pipeline: GstPipeline): Timeline {
  const clock = child(pipeline, names.clock);
  /** ms on CLOCK_MONOTONIC when the running time was 0. */
  const zero = (): number => {
    const text = String(clock['zero'] ?? '');
    return text === '' ? monotonicMs() : Number(text) / 1e6;
  };
  return { wallClock: (runningNs) => Math.round(Date.now() - monotonicMs() + zero() + runningNs / 1e6) };
}
