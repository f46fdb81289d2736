/** From a row of the index to what the world sees of a recording. */
import type { RecordingView } from '../api/protocol.ts';
import type { Segment } from '../store/types.ts';

const codecs: Record<string, string> = { 'V_MPEG4/ISO/AVC': 'H264', 'V_MPEGH/ISO/HEVC': 'H265' };
/** As everybody calls what Matroska has its own names for. */
export const codecName = (codec: string): string => codecs[codec] ?? codec;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The public view; times are ISO 8601 UTC. */
export function recordingView({ startAt, endAt, codec, gapBefore, ...rest }: Segment): RecordingView {
  return {
    ...rest,
    startAt: iso(startAt),
    endAt: endAt === null ? null : iso(endAt),
    codec: codec === null ? null : codecName(codec),
    gapBefore: gapBefore && { from: iso(gapBefore.from), to: iso(startAt), durationMs: gapBefore.ms, class: gapBefore.class, code: gapBefore.code, message: gapBefore.message },
  };
}
