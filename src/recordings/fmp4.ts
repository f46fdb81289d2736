/**
 * Fragmented MP4 (ISO/IEC 14496-12) around frames that stay as they are: H.264 and H.265 with lengths, as Matroska keeps
 * them too. Pure. One video track, 90 kHz, and where there is AAC one of sound; what goes behind the head of a fragment are
 * the bytes of the pictures, then those of the sound, in order.
 */
import { aacFrameMs, box, concat, full, movie, sampleDescription, soundDescription, soundForMp4, soundTrackId, text, ticks, trackId, u32, u64, type Mp4Sound, type Mp4Track } from './boxes.ts';

/** A frame, in decoding order; its time of presentation in ms. */
export type Mp4Frame = { timeMs: number; key: boolean; length: number };

const keyFlags = 0x02000000;
const deltaFlags = 0x01010000;

/** A frame of sound; its time in ms. */
export type Mp4SoundFrame = { timeMs: number; length: number };

const emptyTables = [full('stts', 0, 0, u32(0)), full('stsc', 0, 0, u32(0)), full('stsz', 0, 0, u32(0, 0)), full('stco', 0, 0, u32(0))];

/** `ftyp` and `moov`. Throws for a codec of video that has no sample entry here; sound that has none is left out. */
export function initSegment(track: Mp4Track & { sound?: Mp4Sound | null }): Uint8Array {
  const sound = soundForMp4(track.sound);
  const ids = sound ? [trackId, soundTrackId] : [trackId];
  return concat([
    box('ftyp', text('iso6'), u32(1), text('iso6'), text('isom'), text('mp41')),
    movie(track, {
      duration: 0, tables: [sampleDescription(track), ...emptyTables], sound: sound ? [soundDescription(sound), ...emptyTables] : undefined,
      extension: [box('mvex', ...ids.map((id) => full('trex', 0, 0, u32(id, 1, 0, 0, 0))))],
    }),
  ]);
}

/**
 * `moof` and the header of `mdat` for frames whose bytes follow. They are decoded at the sorted times of presentation, and
 * shown later by what the deepest reordering needs, so that nothing is shown before it is decoded. `endMs`: where the next
 * fragment begins.
 */
export function fragmentHead({ sequence, frames, endMs, sound }: { sequence: number; frames: readonly Mp4Frame[]; endMs: number; sound?: { frames: readonly Mp4SoundFrame[]; frameMs: number } | undefined }): Uint8Array {
  const decodeAt = frames.map(({ timeMs }) => ticks(timeMs)).toSorted((a, b) => a - b);
  const delay = Math.max(0, ...frames.map(({ timeMs }, index) => decodeAt[index]! - ticks(timeMs)));
  const samples = frames.flatMap(({ timeMs, key, length }, index) => [
    Math.max(1, (decodeAt[index + 1] ?? ticks(endMs)) - decodeAt[index]!), length, key ? keyFlags : deltaFlags, ticks(timeMs) - decodeAt[index]! + delay,
  ]);
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  const moof = (dataOffset: number): Uint8Array => box('moof',
    full('mfhd', 0, 0, u32(sequence)),
    box('traf',
      full('tfhd', 0, 0x020000, u32(trackId)),
      full('tfdt', 1, 0, u64(decodeAt[0] ?? 0)),
      full('trun', 0, 0x000f01, u32(frames.length, dataOffset, ...samples))),
    ...(sound && sound.frames.length > 0 ? [soundFragment(sound, dataOffset + bytes)] : []));
  const head = u32(bytes + (sound?.frames ?? []).reduce((sum, { length }) => sum + length, 0) + 8);
  return concat([moof(moof(0).length + 8), head, text('mdat')]);
}

/** One frame follows the other: recordings have their times in whole ms, and only what is longer than half a frame is a gap. */
function soundFragment({ frames, frameMs }: { frames: readonly Mp4SoundFrame[]; frameMs: number }, dataOffset: number): Uint8Array {
  const lasts = ticks(frameMs);
  let at = ticks(frames[0]!.timeMs);
  const begin = at;
  const samples = frames.flatMap(({ length }, index) => {
    const next = frames[index + 1];
    const missing = next === undefined ? 0 : ticks(next.timeMs) - at - lasts;
    const duration = lasts + (missing > lasts / 2 ? missing : 0);
    at += duration;
    return [duration, length];
  });
  return box('traf',
    full('tfhd', 0, 0x020000, u32(soundTrackId)),
    full('tfdt', 1, 0, u64(begin)),
    full('trun', 0, 0x000301, u32(frames.length, dataOffset, ...samples)));
}

/** What {@link fragmentHead} takes of a recording's sound; undefined where MP4 has none of it. */
export function soundPart<F extends Mp4SoundFrame>(sound: (Mp4Sound & { frames: readonly F[] }) | null | undefined): { frames: readonly F[]; frameMs: number } | undefined {
  const fits = soundForMp4(sound);
  return fits ? { frames: fits.frames, frameMs: aacFrameMs(fits) } : undefined;
}
