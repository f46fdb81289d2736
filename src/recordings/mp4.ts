/** A plain MP4 file: its tables in front, so that it plays while it is still coming, then the frames as they are. Pure. */
import { aacFrameMs, box, concat, full, movie, sampleDescription, soundDescription, text, ticks, u32, u32s, u64, type Mp4Sound, type Mp4Track } from './boxes.ts';
import type { Mp4Frame, Mp4SoundFrame } from './fmp4.ts';

/** AAC beside the picture. */
export type Mp4FileSound = Mp4Sound & { frames: readonly Mp4SoundFrame[] };

/** The bytes before the first frame's; the frames' follow in the order of {@link mp4Order}. `endMs`: when the last one ends. Throws for a codec that does not fit. */
export function mp4Head(track: Mp4Track, frames: readonly Mp4Frame[], endMs: number, sound: Mp4FileSound | null = null): Uint8Array {
  const shownAt = frames.map(({ timeMs }) => ticks(timeMs));
  const decodeAt = shownAt.toSorted((a, b) => a - b);
  const delay = decodeAt.reduce((most, at, index) => Math.max(most, at - shownAt[index]!), 0);
  const first = decodeAt[0] ?? 0;
  const end = Math.max(ticks(endMs), (decodeAt.at(-1) ?? 0) + 1);
  const bytes = [...frames, ...(sound?.frames ?? [])].reduce((sum, { length }) => sum + length, 0);
  const chunks = chunksOf(frames, sound);
  const tables = [
    sampleDescription(track),
    full('stts', 0, 0, runs(decodeAt.map((at, index) => (decodeAt[index + 1] ?? end) - at))),
    ...(delay === 0 ? [] : [full('ctts', 0, 0, runs(shownAt.map((at, index) => at - decodeAt[index]! + delay)))]),
    full('stss', 0, 0, list(frames.flatMap(({ key }, index) => (key ? [index + 1] : [])))),
    ...sampleTables(frames, chunks.filter(({ heard }) => !heard)),
  ];
  // What reordering puts before the first picture is no part of the film.
  const edits = delay === 0 ? [] : [box('edts', full('elst', 0, 0, u32(1, end - first, delay, 0x10000)))];
  const heard = sound && soundTables(sound, chunks.filter((chunk) => chunk.heard));
  const head = (dataAt: number): Uint8Array => concat([
    box('ftyp', text('isom'), u32(0x200), text('isom'), text('iso2'), text('mp41')),
    movie(track, {
      duration: end - first, tables: [...tables, chunkOffsets(chunks, dataAt, false)], edits,
      sound: heard ? [...heard.tables, chunkOffsets(chunks, dataAt, true)] : undefined, soundEdits: heard?.edits,
    }),
    // A size of 64 bits, whatever it is: an hour of 4K is more than 4 GiB.
    u32(1), text('mdat'), u64(bytes + 16),
  ]);
  return head(head(0).length);
}

/** The numbers of frames in the order of the file; those of sound count on behind those of the picture. */
export function* mp4Order(frames: readonly Mp4Frame[], sound: Mp4FileSound | null): Generator<number> {
  for (const { heard, first, samples } of chunksOf(frames, sound)) for (let nth = 0; nth < samples; nth += 1) yield (heard ? frames.length : 0) + first + nth;
}

/** AAC follows AAC; only what is longer than half a frame is a gap. Where it begins later than the picture, nothing is heard until then. */
function soundTables(sound: Mp4FileSound, chunks: readonly Chunk[]): { tables: Uint8Array[]; edits: Uint8Array[] } {
  const lasts = ticks(aacFrameMs(sound));
  const begin = ticks(sound.frames[0]?.timeMs ?? 0);
  let at = begin;
  const durations = sound.frames.map((_, index) => {
    const next = sound.frames[index + 1];
    const missing = next === undefined ? 0 : ticks(next.timeMs) - at - lasts;
    const duration = lasts + (missing > lasts / 2 ? missing : 0);
    at += duration;
    return duration;
  });
  return {
    tables: [soundDescription(sound), full('stts', 0, 0, runs(durations)), ...sampleTables(sound.frames, chunks)],
    edits: begin === 0 ? [] : [box('edts', full('elst', 0, 0, u32(2, begin, 0xffffffff, 0x10000, at - begin, 0, 0x10000)))],
  };
}

function sampleTables(frames: readonly { length: number }[], chunks: readonly Chunk[]): Uint8Array[] {
  return [full('stsz', 0, 0, u32(0), list(frames.map(({ length }) => length))), full('stsc', 0, 0, chunkRuns(chunks))];
}

type Chunk = { heard: boolean; first: number; samples: number; bytes: number };

/** A chunk for each keyframe and what depends on it, and behind it one of the sound up to the next keyframe. */
function chunksOf(frames: readonly Mp4Frame[], sound: Mp4FileSound | null): Chunk[] {
  const heard = sound?.frames ?? [];
  const starts = frames.flatMap(({ key }, index) => (key || index === 0 ? [index] : []));
  let next = 0;
  return starts.flatMap((start, nth) => {
    const end = starts[nth + 1] ?? frames.length;
    const until = frames[end]?.timeMs ?? Infinity;
    const first = next;
    while (next < heard.length && heard[next]!.timeMs < until) next += 1;
    return [chunkOf(frames, start, end), { ...chunkOf(heard, first, next), heard: true }].filter(({ samples }) => samples > 0);
  });
}

function chunkOf(frames: readonly { length: number }[], first: number, end: number): Chunk {
  return { heard: false, first, samples: end - first, bytes: frames.slice(first, end).reduce((sum, { length }) => sum + length, 0) };
}

function chunkRuns(chunks: readonly Chunk[]): Uint8Array {
  const entries = chunks.flatMap(({ samples }, index) => (chunks[index - 1]?.samples === samples ? [] : [index + 1, samples, 1]));
  return concat([u32(entries.length / 3), u32s(entries)]);
}

function chunkOffsets(chunks: readonly Chunk[], dataAt: number, heard: boolean): Uint8Array {
  let at = dataAt;
  const offsets = chunks.flatMap((chunk) => {
    const offset = at;
    at += chunk.bytes;
    return chunk.heard === heard ? [Math.floor(offset / 2 ** 32), offset % 2 ** 32] : [];
  });
  return full('co64', 0, 0, u32(offsets.length / 2), u32s(offsets));
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
