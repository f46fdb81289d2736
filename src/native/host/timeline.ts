/** From a recorder's running time to the wall clock: the hub's stamps are on CLOCK_MONOTONIC, whatever process made them. */
import { child, type GstPipeline } from '../gst.ts';
import { recordElements as names } from '../launch-record.ts';
import { monotonicMs } from '../monotonic.ts';

/** The time line of one recorder. */
export type Timeline = {
  /** ms since the epoch of a running time in ns; asks the clock anew each time, so that a step of NTP shows in the next file. */
  wallClock(runningNs: number): number;
  /** False before the first packet came. */
  isKnown(): boolean;
};

/** Binds to the `lookoutclock` of a pipeline made by `recordLaunch`, `hlsLaunch` or `framesLaunch`; it knows before anything is written. */
export function createTimeline(pipeline: GstPipeline): Timeline {
  const clock = child(pipeline, names.clock);
  const told = (): string => String(clock['zero'] ?? '');
  /** ms on CLOCK_MONOTONIC when the running time was 0. */
  const zero = (): number => {
    const text = told();
    return text === '' ? monotonicMs() : Number(text) / 1e6;
  };
  return { wallClock: (runningNs) => Math.round(Date.now() - monotonicMs() + zero() + runningNs / 1e6), isKnown: () => told() !== '' };
}
