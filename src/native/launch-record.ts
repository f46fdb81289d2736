/** The launch description of a recorder: hub → Matroska files, pass-through, cut at keyframes. Pure. */
import { hubClient, integer } from './launch.ts';
import type { HubSpec, RecordSpec } from './protocol.ts';

/** Element names of a recorder, as its runner looks them up. `depay` and `stamp` are in the client of an H.264 hub. */
export const recordElements = { frames: 'frames', mux: 'record', origin: 'origin', depay: 'depay', stamp: 'stamp' } as const;

/** Half of the GOP that is assumed while none was measured. */
const unknownHalfGopMs = 1_000;

/**
 * `splitmuxsink` ends a file before the GOP that would pass the limit: half a GOP more than wanted, and it ends at the
 * nearest keyframe. Unbuffered and in small clusters, so that after a SIGKILL everything but the GOP under way is there:
 * filesink's own 64 KB are seconds of a quiet camera. `offset-to-zero`: files begin at 0, whenever they were begun.
 *
 * Where the hub is Matroska, the demuxer's running time begins with its first keyframe; `origin` tells when that was.
 */
export function recordLaunch({ hub, segmentMs, segmentBytes }: RecordSpec): string {
  const limit = `max-size-time=${integer(segmentLimitMs(hub, segmentMs), 1, 7_200_000)}000000 max-size-bytes=${integer(segmentBytes, 0, Number.MAX_SAFE_INTEGER)}`;
  return `${hubClient(hub.codec, hub.port, true)} ! identity name=frames ! tee name=t`
    + `  t. ! splitmuxsink name=record muxer="matroskamux offset-to-zero=true" sink="filesink buffer-mode=unbuffered" ${limit}${originBranch(hub)}`;
}

/** The limit that makes files end at the keyframe nearest to the time wanted. */
export function segmentLimitMs({ gopMs }: HubSpec, segmentMs: number): number {
  return segmentMs + (gopMs === null ? Math.min(unknownHalfGopMs, Math.round(segmentMs / 4)) : Math.round(gopMs / 2));
}

/** What tells the time line when the first keyframe of a Matroska hub was; nothing for another hub. */
export function originBranch({ codec }: HubSpec): string {
  return codec === 'H265' ? '  t. ! identity drop-buffer-flags=delta-unit ! fakesink name=origin silent=false sync=false async=false' : '';
}
