/** The launch description of a recorder: hub → Matroska files, pass-through, cut at keyframes. Pure. */
import { hubClient } from './launch.ts';
import { integer } from './launch-number.ts';
import { soundClient } from './launch-sound.ts';
import type { HubSpec, RecordSpec } from './protocol.ts';

/** Element names of a recorder, as its runner looks them up. `clock` is in the client of the hub. */
export const recordElements = { frames: 'frames', mux: 'record', clock: 'clock' } as const;

/** Half of the GOP that is assumed while none was measured. */
const unknownHalfGopMs = 1_000;

/**
 * `splitmuxsink` ends a file before the GOP that would pass the limit: half a GOP more than wanted, and it ends at the
 * nearest keyframe. Unbuffered and in small clusters, so that after a SIGKILL everything but the GOP under way is there:
 * filesink's own 64 KB are seconds of a quiet camera. `offset-to-zero`: files begin at 0, whenever they were begun.
 *
 * Where the camera has sound there is a track for it in every file, whether sound comes or not: a muxer takes no track later.
 */
export function recordLaunch({ hub, segmentMs, segmentBytes }: RecordSpec): string {
  const limit = `max-size-time=${integer(segmentLimitMs(hub, segmentMs), 1, 7_200_000)}000000 max-size-bytes=${integer(segmentBytes, 0, Number.MAX_SAFE_INTEGER)}`;
  return `splitmuxsink name=record muxer="matroskamux offset-to-zero=true" sink="filesink buffer-mode=unbuffered" ${limit}`
    + `  ${hubClient(hub.codec, hub.port, true)} ! lookouttimes name=frames ! record.video${hub.sound ? `  ${soundClient(hub.sound)} ! record.audio_0` : ''}`;
}

/** The limit that makes files end at the keyframe nearest to the time wanted. */
export function segmentLimitMs({ gopMs }: HubSpec, segmentMs: number): number {
  return segmentMs + (gopMs === null ? Math.min(unknownHalfGopMs, Math.round(segmentMs / 4)) : Math.round(gopMs / 2));
}
