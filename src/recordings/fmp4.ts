/**
 * Fragmented MP4 (ISO/IEC 14496-12) around frames that stay as they are: H.264 and H.265 with lengths, as Matroska keeps
 * them too. Pure. One video track, 90 kHz; what goes behind the head of a fragment are the frames' bytes, in order.
 */
import { box, concat, full, movie, sampleDescription, text, ticks, trackId, u32, u64, type Mp4Track } from './boxes.ts';

/** A frame, in decoding order; its time of presentation in ms. */
export type Mp4Frame = { timeMs: number; key: boolean; length: number };

const keyFlags = 0x02000000;
const deltaFlags = 0x01010000;

/** `ftyp` and `moov`. Throws for a codec that has no sample entry here. */
export function initSegment(track: Mp4Track): Uint8Array {
  const tables = [sampleDescription(track), full('stts', 0, 0, u32(0)), full('stsc', 0, 0, u32(0)), full('stsz', 0, 0, u32(0, 0)), full('stco', 0, 0, u32(0))];
  return concat([
    box('ftyp', text('iso6'), u32(1), text('iso6'), text('isom'), text('mp41')),
    movie(track, { duration: 0, tables, extension: [box('mvex', full('trex', 0, 0, u32(trackId, 1, 0, 0, 0)))] }),
  ]);
}

/**
 * `moof` and the header of `mdat` for frames whose bytes follow. They are decoded at the sorted times of presentation, and
 * shown later by what the deepest reordering needs, so that nothing is shown before it is decoded. `endMs`: where the next
 * fragment begins.
 */
export function fragmentHead({ sequence, frames, endMs }: { sequence: number; frames: readonly Mp4Frame[]; endMs: number }): Uint8Array {
  const decodeAt = frames.map(({ timeMs }) => ticks(timeMs)).toSorted((a, b) => a - b);
  const delay = Math.max(0, ...frames.map(({ timeMs }, index) => decodeAt[index]! - ticks(timeMs)));
  const samples = frames.flatMap(({ timeMs, key, length }, index) => [
    Math.max(1, (decodeAt[index + 1] ?? ticks(endMs)) - decodeAt[index]!), length, key ? keyFlags : deltaFlags, ticks(timeMs) - decodeAt[index]! + delay,
  ]);
  const moof = (dataOffset: number): Uint8Array => box('moof',
    full('mfhd', 0, 0, u32(sequence)),
    box('traf',
      full('tfhd', 0, 0x020000, u32(trackId)),
      full('tfdt', 1, 0, u64(decodeAt[0] ?? 0)),
      full('trun', 0, 0x000f01, u32(frames.length, dataOffset, ...samples))));
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  const head = u32(bytes + 8);
  return concat([moof(moof(0).length + 8), head, text('mdat')]);
}
