/**
 * What a Matroska file holds, by a walk over its element headers (RFC 8794, RFC 9559). Made for files that end anywhere:
 * ids are unique over all levels, so the walk needs no sizes of masters, which an unfinished file does not have. Pure.
 */

/** Reads up to `length` bytes at `offset`; fewer at the end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** One track. */
export type MatroskaTrack = { number: number; type: 'video' | 'audio' | 'other'; codec: string; width: number | null; height: number | null; frames: number };

/** What was found; times in ms on the file's own time line. `end`: behind the last whole frame. */
export type Matroska = {
  tracks: MatroskaTrack[];
  video: MatroskaTrack | null;
  /** Video frames. */
  frames: number;
  firstMs: number;
  lastMs: number;
  /** From the first frame to the end of the last one, which is taken to last as long as the mean. */
  durationMs: number;
  startsWithKeyframe: boolean;
  /** Its muxer finished it: there is a duration in its header. */
  finished: boolean;
  end: number;
  /** Where the header keeps room for the duration, and in which unit. */
  durationField: { offset: number; length: number; scaleNs: number } | null;
};

/** Element ids, as RFC 9559 has them. */
export const matroskaIds = {
  segment: 0x18538067, info: 0x1549a966, scale: 0x2ad7b1, duration: 0x4489, tracks: 0x1654ae6b, entry: 0xae, number: 0xd7, type: 0x83, codec: 0x86,
  video: 0xe0, width: 0xb0, height: 0xba, cluster: 0x1f43b675, timestamp: 0xe7, simpleBlock: 0xa3, group: 0xa0, block: 0xa1, reference: 0xfb, ebml: 0x1a45dfa3, codecPrivate: 0x63a2,
} as const;
/** Elements that hold elements. */
export const matroskaMasters = new Set<number>([matroskaIds.segment, matroskaIds.info, matroskaIds.tracks, matroskaIds.entry, matroskaIds.video, matroskaIds.cluster, matroskaIds.group]);
const headerBytes = 12;
const blockHeaderBytes = 11;
const windowBytes = 8192;

/** Walks a file of `size` bytes. Null where it is no Matroska. */
export function measureMatroska(readAt: ReadAt, size: number): Matroska | null {
  const read = windowed(readAt, size);
  const walk = new Walk(read);
  let at = 0;
  while (at < size) {
    const header = elementAt(read(at, headerBytes));
    if (header === null || (at === 0 && header.id !== matroskaIds.ebml)) break;
    const start = at + header.bytes;
    if (matroskaMasters.has(header.id)) {
      walk.enter(header.id);
      at = start;
      continue;
    }
    // Cut off in the middle, or a size that only a finished file has.
    if (header.length === null || start + header.length > size) break;
    walk.leaf(header.id, start, header.length);
    at = start + header.length;
  }
  return walk.result();
}

/** The eight or four bytes that say how long the file is, for {@link Matroska.durationField}. */
export function durationBytes({ length, scaleNs }: NonNullable<Matroska['durationField']>, durationMs: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(length));
  const value = (durationMs * 1_000_000) / scaleNs;
  if (length === 8) bytes.setFloat64(0, value);
  else bytes.setFloat32(0, value);
  return new Uint8Array(bytes.buffer);
}

class Walk {
  readonly #read: ReadAt;
  readonly #tracks: MatroskaTrack[] = [];
  #scaleNs = 1_000_000;
  #field: { offset: number; length: number } | null = null;
  #finished = false;
  #cluster = 0;
  #first = Infinity;
  #last = -Infinity;
  #firstIsKeyframe: boolean | null = null;
  #isMatroska = false;
  #end = 0;

  constructor(read: ReadAt) {
    this.#read = read;
  }

  enter(id: number): void {
    if (id === matroskaIds.segment) this.#isMatroska = true;
    if (id === matroskaIds.entry) this.#tracks.push({ number: 0, type: 'other', codec: '', width: null, height: null, frames: 0 });
  }

  leaf(id: number, at: number, length: number): void {
    const track = this.#tracks.at(-1);
    if (id === matroskaIds.simpleBlock || id === matroskaIds.block) this.#block(at, length, id === matroskaIds.simpleBlock);
    else if (id === matroskaIds.timestamp) this.#cluster = this.#integer(at, length);
    else if (id === matroskaIds.scale) this.#scaleNs = this.#integer(at, length);
    else if (id === matroskaIds.duration) this.#duration(at, length);
    // A block of a group that refers to another frame is no keyframe.
    else if (id === matroskaIds.reference && this.#tracks.find(({ type }) => type === 'video')?.frames === 1) this.#firstIsKeyframe = false;
    else if (track === undefined) return;
    else if (id === matroskaIds.number) track.number = this.#integer(at, length);
    else if (id === matroskaIds.type) track.type = ([, 'video', 'audio'] as const)[this.#integer(at, length)] ?? 'other';
    else if (id === matroskaIds.codec) track.codec = new TextDecoder().decode(this.#read(at, Math.min(length, 64))).replaceAll('\0', '');
    else if (id === matroskaIds.width) track.width = this.#integer(at, length);
    else if (id === matroskaIds.height) track.height = this.#integer(at, length);
  }

  result(): Matroska | null {
    if (!this.#isMatroska) return null;
    const video = this.#tracks.find(({ type }) => type === 'video') ?? null;
    const frames = video?.frames ?? 0;
    const toMs = (ticks: number): number => (ticks * this.#scaleNs) / 1_000_000;
    const [firstMs, lastMs] = frames === 0 ? [0, 0] : [toMs(this.#first), toMs(this.#last)];
    return {
      tracks: this.#tracks, video, frames, firstMs, lastMs,
      durationMs: frames < 2 ? 0 : Math.round((lastMs - firstMs) * (frames / (frames - 1))),
      startsWithKeyframe: this.#firstIsKeyframe ?? false,
      finished: this.#finished,
      end: this.#end,
      durationField: this.#field && { ...this.#field, scaleNs: this.#scaleNs },
    };
  }

  #block(at: number, length: number, simple: boolean): void {
    const bytes = this.#read(at, Math.min(length, blockHeaderBytes));
    const number = varint(bytes, 0, true);
    if (number === null || bytes.length < number.bytes + 3) return;
    const track = this.#tracks.find((candidate) => candidate.number === number.value);
    if (track === undefined) return;
    track.frames += 1;
    this.#end = at + length;
    if (track.type !== 'video') return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const time = this.#cluster + view.getInt16(number.bytes);
    this.#first = Math.min(this.#first, time);
    this.#last = Math.max(this.#last, time);
    this.#firstIsKeyframe ??= !simple || (view.getUint8(number.bytes + 2) & 0x80) !== 0;
  }

  #duration(at: number, length: number): void {
    this.#field = { offset: at, length };
    const bytes = this.#read(at, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#finished = (length === 8 ? view.getFloat64(0) : length === 4 ? view.getFloat32(0) : 0) > 0;
  }

  #integer(at: number, length: number): number {
    return this.#read(at, Math.min(length, 8)).reduce((value, byte) => value * 256 + byte, 0);
  }
}

/** Id and size at the start of `bytes`; `length` null where the size is unknown. */
export function elementAt(bytes: Uint8Array): { id: number; length: number | null; bytes: number } | null {
  const id = varint(bytes, 0, false);
  if (id === null || id.bytes > 4) return null;
  const size = varint(bytes, id.bytes, true);
  if (size === null) return null;
  return { id: id.value, length: size.unknown ? null : size.value, bytes: id.bytes + size.bytes };
}

/** A number whose first byte tells its width; `strip` takes the width's mark away. Plain arithmetic: 2⁵³ is enough for sizes. */
export function varint(bytes: Uint8Array, at: number, strip: boolean): { value: number; bytes: number; unknown: boolean } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const width = Math.clz32(first) - 23;
  if (at + width > bytes.length) return null;
  let value = strip ? first & (0xff >> width) : first;
  let ones = value === 0xff >> width;
  for (let index = 1; index < width; index += 1) {
    const byte = bytes[at + index] as number;
    value = value * 256 + byte;
    ones &&= byte === 0xff;
  }
  return { value, bytes: width, unknown: ones };
}

/** Most reads are a few bytes, close together. */
export function windowed(readAt: ReadAt, size: number): ReadAt {
  let from = 0;
  let window: Uint8Array = new Uint8Array(0);
  return (offset, length) => {
    if (length > windowBytes) return readAt(offset, length);
    if (offset < from || offset + length > from + window.length) {
      from = offset;
      window = readAt(offset, Math.min(windowBytes, Math.max(0, size - offset)));
    }
    return window.subarray(offset - from, offset - from + length);
  };
}
