/** The elements of a Matroska file (RFC 8794, RFC 9559), met one by one. Made for files that end anywhere: ids are unique over all levels, so no walk needs sizes of masters, which an unfinished file does not have. Pure. */

/** Reads up to `length` bytes at `offset`; fewer at the end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** Element ids, as RFC 9559 has them. */
export const matroskaIds = {
  segment: 0x18538067, info: 0x1549a966, scale: 0x2ad7b1, duration: 0x4489, tracks: 0x1654ae6b, entry: 0xae, number: 0xd7, type: 0x83, codec: 0x86,
  video: 0xe0, width: 0xb0, height: 0xba, cluster: 0x1f43b675, timestamp: 0xe7, simpleBlock: 0xa3, group: 0xa0, block: 0xa1, reference: 0xfb, ebml: 0x1a45dfa3, codecPrivate: 0x63a2, audio: 0xe1, rate: 0xb5, channels: 0x9f,
} as const;
/** Elements that hold elements. */
const masters = new Set<number>([matroskaIds.segment, matroskaIds.info, matroskaIds.tracks, matroskaIds.entry, matroskaIds.video, matroskaIds.audio, matroskaIds.cluster, matroskaIds.group]);
const headerBytes = 12;
const blockHeaderBytes = 11;
const windowBytes = 8192;

/** Who is shown the elements: those that hold others, and those that hold a value of `length` bytes at `at`. */
export type MatroskaVisitor = { enter(id: number): void; leaf(id: number, at: number, length: number): void };

/** Walks a file of `size` bytes up to its last whole element; shows nothing of what is no Matroska. The visitor is made with a reader that makes small reads cheap. */
export function walkMatroska<V extends MatroskaVisitor>(readAt: ReadAt, size: number, visitorOf: (read: ReadAt) => V): V {
  const read = windowed(readAt, size);
  const visitor = visitorOf(read);
  let at = 0;
  while (at < size) {
    const header = elementAt(read(at, headerBytes));
    if (header === null || (at === 0 && header.id !== matroskaIds.ebml)) break;
    const start = at + header.bytes;
    if (masters.has(header.id)) {
      visitor.enter(header.id);
      at = start;
      continue;
    }
    // Cut off in the middle, or a size that only a finished file has.
    if (header.length === null || start + header.length > size) break;
    visitor.leaf(header.id, start, header.length);
    at = start + header.length;
  }
  return visitor;
}

/** An unsigned integer of up to 8 bytes. */
export function integerAt(read: ReadAt, at: number, length: number): number {
  return read(at, Math.min(length, 8)).reduce((value, byte) => value * 256 + byte, 0);
}

/** A floating-point number of 4 or 8 bytes. */
export function floatAt(read: ReadAt, at: number, length: number): number {
  const bytes = read(at, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return length === 8 ? view.getFloat64(0) : length === 4 ? view.getFloat32(0) : 0;
}

/** A text of up to 64 bytes, without its padding. */
export function textAt(read: ReadAt, at: number, length: number): string {
  return new TextDecoder().decode(read(at, Math.min(length, 64))).replaceAll('\0', '');
}

/** The head of a block: its track, its time within the cluster, its keyframe flag (of a simple block), and how long the head is. Null where it is cut off. */
export function blockAt(read: ReadAt, at: number, length: number): { track: number; time: number; key: boolean; bytes: number } | null {
  const bytes = read(at, Math.min(length, blockHeaderBytes));
  const number = varint(bytes, 0, true);
  if (number === null || bytes.length < number.bytes + 3) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { track: number.value, time: view.getInt16(number.bytes), key: (view.getUint8(number.bytes + 2) & 0x80) !== 0, bytes: number.bytes + 3 };
}

/** Id and size at the start of `bytes`; `length` null where the size is unknown. */
function elementAt(bytes: Uint8Array): { id: number; length: number | null; bytes: number } | null {
  const id = varint(bytes, 0, false);
  if (id === null || id.bytes > 4) return null;
  const size = varint(bytes, id.bytes, true);
  if (size === null) return null;
  return { id: id.value, length: size.unknown ? null : size.value, bytes: id.bytes + size.bytes };
}

/** A number whose first byte tells its width; `strip` takes the width's mark away. Plain arithmetic: 2⁵³ is enough for sizes. */
function varint(bytes: Uint8Array, at: number, strip: boolean): { value: number; bytes: number; unknown: boolean } | null {
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
function windowed(readAt: ReadAt, size: number): ReadAt {
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
