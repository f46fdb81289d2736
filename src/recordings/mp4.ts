/** A plain MP4 file: its tables in front, so that it plays while it is still coming, then the frames as they are. Pure. */
import { box, concat, full, movie, sampleDescription, text, ticks, u32, u32s, u64, type Mp4Track } from './boxes.ts';
import type { Mp4Frame } from './fmp4.ts';

/** The bytes before the first frame's; the frames' follow in the order given. `endMs`: when the last one ends. Throws for a codec that does not fit. */
export function mp4Head(track: Mp4Track, frames: readonly Mp4Frame[], endMs: number): Uint8Array {
  const shownAt = frames.map(({ timeMs }) => ticks(timeMs));
  const decodeAt = shownAt.toSorted((a, b) => a - b);
  const delay = decodeAt.reduce((most, at, index) => Math.max(most, at - shownAt[index]!), 0);
  const first = decodeAt[0] ?? 0;
  const end = Math.max(ticks(endMs), (decodeAt.at(-1) ?? 0) + 1);
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  const chunks = chunksOf(frames);
  const tables = [
    sampleDescription(track),
    full('stts', 0, 0, runs(decodeAt.map((at, index) => (decodeAt[index + 1] ?? end) - at))),
    ...(delay === 0 ? [] : [full('ctts', 0, 0, runs(shownAt.map((at, index) => at - decodeAt[index]! + delay)))]),
    full('stss', 0, 0, list(frames.flatMap(({ key }, index) => (key ? [index + 1] : [])))),
    full('stsz', 0, 0, u32(0), list(frames.map(({ length }) => length))),
    full('stsc', 0, 0, chunkRuns(chunks)),
  ];
  // What reordering puts before the first picture is no part of the film.
  const edits = delay === 0 ? [] : [box('edts', full('elst', 0, 0, u32(1, end - first, delay, 0x10000)))];
  const head = (dataAt: number): Uint8Array => concat([
    box('ftyp', text('isom'), u32(0x200), text('isom'), text('iso2'), text('mp41')),
    movie(track, { duration: end - first, tables: [...tables, chunkOffsets(chunks, dataAt)], edits }),
    // A size of 64 bits, whatever it is: an hour of 4K is more than 4 GiB.
    u32(1), text('mdat'), u64(bytes + 16),
  ]);
  return head(head(0).length);
}

type Chunk = { samples: number; bytes: number };

/** A chunk for each keyframe and what depends on it. */
function chunksOf(frames: readonly Mp4Frame[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { key, length } of frames) {
    if (key || chunks.length === 0) chunks.push({ samples: 0, bytes: 0 });
    const chunk = chunks.at(-1)!;
    chunk.samples += 1;
    chunk.bytes += length;
  }
  return chunks;
}

function chunkRuns(chunks: readonly Chunk[]): Uint8Array {
  const entries = chunks.flatMap(({ samples }, index) => (chunks[index - 1]?.samples === samples ? [] : [index + 1, samples, 1]));
  return concat([u32(entries.length / 3), u32s(entries)]);
}

function chunkOffsets(chunks: readonly Chunk[], dataAt: number): Uint8Array {
  let at = dataAt;
  const offsets = chunks.flatMap(({ bytes }) => {
    const offset = at;
    at += bytes;
    return [Math.floor(offset / 2 ** 32), offset % 2 ** 32];
  });
  return full('co64', 0, 0, u32(chunks.length), u32s(offsets));
}

/** Equal values as count and value. */
function runs(values: readonly number[]): Uint8Array {
  const entries: number[] = [];
  values.forEach((value, index) => {
    if (index > 0 && values[index - 1] === value) entries[entries.length - 2]! += 1;
    else entries.push(1, value);
  });
  return concat([u32(entries.length / 2), u32s(entries)]);
}

function list(values: readonly number[]): Uint8Array {
  return concat([u32(values.length), u32s(values)]);
}
