/** How the first pictures of a viewer are played: all that is cached at once, or its keyframe and then a catch-up. Pure. */
import { transcodeForm } from '../carriage.ts';
import type { PrimerWay } from '../machines/primer.ts';
import type { SourceStats, VideoFormat } from '../media.ts';

/** What is known of a camera when somebody joins. `keyframeAt` and `now` are ms since the epoch; `catchUpBytes` 0 means never; a keyframe is held for `holdMs` at most. */
export type OpeningFacts = {
  media: VideoFormat;
  stats: Pick<SourceStats, 'keyframeIntervalMs' | 'bitrate'> | null;
  keyframeAt: number | null;
  now: number;
  catchUpBytes: number;
  holdMs: number;
};

/** No catch-up is there before a keyframe that comes within this. */
const nearMs = 900;
/** What two threads of a slow machine decode (`npm run bench -- first-frame gops=10`). */
const bytesPerMs = 2_500;
/** It encodes in one thread, and must keep pace: 1080p with 30 frames takes 0.75, 4K 2.5. */
const mostCores = 1;
/** A transcode has this much more than its original, since it is encoded in a hurry. */
const generosity = 1.5;
/** No camera is made larger than it is. */
const anyHeight = Infinity;

/**
 * What a browser decodes first costs by its bytes, whatever the size of the pictures (docs/performance.md). How many are cached is
 * estimated by the bitrate and the age of the keyframe.
 */
export function primerWay({ media, stats, keyframeAt, now, catchUpBytes, holdMs }: OpeningFacts): PrimerWay {
  const { keyframeIntervalMs: intervalMs = null, bitrate = null } = stats ?? {};
  if (catchUpBytes === 0 || intervalMs === null || bitrate === null || keyframeAt === null) return { type: 'burst' };
  // Counters are read once a second: a newer keyframe may have come since.
  const ageMs = Math.max(0, now - keyframeAt) % intervalMs;
  const bytes = (ageMs / 1_000) * (bitrate / 8);
  const isSooner = bytes / bytesPerMs < holdMs && intervalMs - ageMs >= nearMs;
  const { keyframeEvery, kbps, cores } = transcodeForm(media, anyHeight);
  if (bytes <= catchUpBytes || !isSooner || cores > mostCores) return { type: 'burst' };
  return { type: 'catch-up', form: { keyframeEvery, kbps: Math.max(kbps, Math.round((bitrate / 1_000) * generosity)) } };
}
