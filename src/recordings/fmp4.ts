/**
 * Fragmented MP4 (ISO/IEC 14496-12) around frames that stay as they are: H.264 and H.265 with lengths, as Matroska keeps
 * them too. Pure. One video track, 90 kHz; what goes behind the head of a fragment are the frames' bytes, in order.
 */

/** What a player must know before the first frame. */
export type Mp4Track = { codec: string; codecPrivate: Uint8Array; width: number; height: number };

/** A frame, in decoding order; its time of presentation in ms. */
export type Mp4Frame = { timeMs: number; key: boolean; length: number };

const ticksPerMs = 90;
const trackId = 1;
const keyFlags = 0x02000000;
const deltaFlags = 0x01010000;
const identity = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** By Matroska's names of codecs. */
const sampleEntries: Record<string, { entry: string; configuration: string }> = {
  'V_MPEG4/ISO/AVC': { entry: 'avc1', configuration: 'avcC' },
  'V_MPEGH/ISO/HEVC': { entry: 'hvc1', configuration: 'hvcC' },
};

/** `ftyp` and `moov`. Throws for a codec that has no sample entry here. */
export function initSegment({ codec, codecPrivate, width, height }: Mp4Track): Uint8Array {
  const names = sampleEntries[codec];
  if (names === undefined) throw new RangeError(`${codec} does not fit into MP4.`);
  const visual = box(names.entry, zeros(6), u16(1), zeros(16), u16(width, height), u32(0x480000, 0x480000, 0), u16(1), zeros(32), u16(24, 0xffff), box(names.configuration, codecPrivate));
  const table = box('stbl', full('stsd', 0, 0, u32(1), visual), full('stts', 0, 0, u32(0)), full('stsc', 0, 0, u32(0)), full('stsz', 0, 0, u32(0, 0)), full('stco', 0, 0, u32(0)));
  const media = box('mdia',
    full('mdhd', 0, 0, u32(0, 0, ticksPerMs * 1_000, 0), u16(0x55c4, 0)),
    full('hdlr', 0, 0, u32(0), text('vide'), zeros(12), text('video\0')),
    box('minf', full('vmhd', 0, 1, zeros(8)), box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1))), table));
  return concat([
    box('ftyp', text('iso6'), u32(1), text('iso6'), text('isom'), text('mp41')),
    box('moov',
      full('mvhd', 0, 0, u32(0, 0, ticksPerMs * 1_000, 0, 0x10000), u16(0x100, 0), zeros(8), u32(...identity), zeros(24), u32(trackId + 1)),
      box('trak', full('tkhd', 0, 3, u32(0, 0, trackId, 0, 0), zeros(8), u16(0, 0, 0, 0), u32(...identity, width * 0x10000, height * 0x10000)), media),
      box('mvex', full('trex', 0, 0, u32(trackId, 1, 0, 0, 0)))),
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

function ticks(ms: number): number {
  return Math.round(ms * ticksPerMs);
}

function box(name: string, ...content: Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return concat([u32(length), text(name), ...content]);
}

function full(name: string, version: number, flags: number, ...content: Uint8Array[]): Uint8Array {
  return box(name, u32(version * 0x1000000 + flags), ...content);
}

function u16(...values: number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff]));
}

function u32(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return new Uint8Array(view.buffer);
}

function u64(value: number): Uint8Array {
  return u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
