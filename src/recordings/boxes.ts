/** The boxes of MP4 files (ISO/IEC 14496-12), and what is the same in every movie with one video track. Pure. */

/** What a player must know before the first frame. */
export type Mp4Track = { codec: string; codecPrivate: Uint8Array; width: number; height: number };

/** AAC beside the video; `codecPrivate` is the AudioSpecificConfig. */
export type Mp4Sound = { codec: string; codecPrivate: Uint8Array; rate: number; channels: number };

/** Matroska's name of AAC: of what cameras send, the one that players of MP4 take. */
const aac = 'A_AAC';

/** The sound of a recording where MP4 can hold it. */
export function soundForMp4<S extends Mp4Sound>(sound: S | null | undefined): S | null {
  return sound?.codec === aac && sound.codecPrivate.length > 0 && sound.rate > 0 ? sound : null;
}

/** How long a frame of AAC lasts, ms. */
export function aacFrameMs({ rate }: Mp4Sound): number {
  return 1_024_000 / rate;
}

/** Units of time in a movie: 90 kHz, as in RTP. */
export const ticksPerMs = 90;
/** The ids of the tracks. */
export const trackId = 1;
export const soundTrackId = 2;

const identity = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** By Matroska's names of codecs. */
const sampleEntries: Record<string, { entry: string; configuration: string }> = {
  'V_MPEG4/ISO/AVC': { entry: 'avc1', configuration: 'avcC' },
  'V_MPEGH/ISO/HEVC': { entry: 'hvc1', configuration: 'hvcC' },
};

/** The nearest tick. */
export function ticks(ms: number): number {
  return Math.round(ms * ticksPerMs);
}

/** `stsd` of a track. Throws for a codec that has no sample entry here. */
export function sampleDescription({ codec, codecPrivate, width, height }: Mp4Track): Uint8Array {
  const names = sampleEntries[codec];
  if (names === undefined) throw new RangeError(`${codec} does not fit into MP4.`);
  const visual = box(names.entry, zeros(6), u16(1), zeros(16), u16(width, height), u32(0x480000, 0x480000, 0), u16(1), zeros(32), u16(24, 0xffff), box(names.configuration, codecPrivate));
  return full('stsd', 0, 0, u32(1), visual);
}

/** `stsd` of AAC (ISO/IEC 14496-14 §5.6.1): the configuration within an ES_Descriptor (14496-1 §7.2.6.5). */
export function soundDescription({ codecPrivate, rate, channels }: Mp4Sound): Uint8Array {
  const descriptor = (tag: number, ...content: Uint8Array[]): Uint8Array => concat([Uint8Array.of(tag, content.reduce((sum, { length }) => sum + length, 0)), ...content]);
  const decoder = descriptor(4, Uint8Array.of(0x40, 0x15, 0, 0, 0), u32(0, 0), descriptor(5, codecPrivate));
  const esds = full('esds', 0, 0, descriptor(3, u16(0), zeros(1), decoder, descriptor(6, Uint8Array.of(2))));
  return full('stsd', 0, 0, u32(1), box('mp4a', zeros(6), u16(1), zeros(8), u16(channels, 16, 0, 0), u32(rate * 0x10000 >>> 0), esds));
}

/** `moov`. `tables`: the boxes of `stbl`; `edits` go into the track and `extension` into the movie. Durations in ticks, below 2³² (13 h). */
export function movie({ width, height }: Mp4Track, { duration, tables, edits = [], sound, soundEdits = [], extension = [] }: { duration: number; tables: Uint8Array[]; edits?: Uint8Array[]; /** Boxes of the `stbl` of sound, where there is some. */ sound?: Uint8Array[] | undefined; soundEdits?: Uint8Array[] | undefined; extension?: Uint8Array[] }): Uint8Array {
  const mediaOf = (handler: string, name: string, header: Uint8Array, boxes: Uint8Array[]): Uint8Array => box('mdia',
    full('mdhd', 0, 0, u32(0, 0, ticksPerMs * 1_000, duration), u16(0x55c4, 0)),
    full('hdlr', 0, 0, u32(0), text(handler), zeros(12), text(`${name}\0`)),
    box('minf', header, box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1))), box('stbl', ...boxes)));
  const media = mediaOf('vide', 'video', full('vmhd', 0, 1, zeros(8)), tables);
  const heard = sound === undefined ? [] : [box('trak',
    full('tkhd', 0, 3, u32(0, 0, soundTrackId, 0, duration), zeros(8), u16(0, 0, 0x100, 0), u32(...identity, 0, 0)), ...soundEdits,
    mediaOf('soun', 'sound', full('smhd', 0, 0, zeros(4)), sound))];
  return box('moov',
    full('mvhd', 0, 0, u32(0, 0, ticksPerMs * 1_000, duration, 0x10000), u16(0x100, 0), zeros(8), u32(...identity), zeros(24), u32(soundTrackId + 1)),
    box('trak', full('tkhd', 0, 3, u32(0, 0, trackId, 0, duration), zeros(8), u16(0, 0, 0, 0), u32(...identity, width * 0x10000, height * 0x10000)), ...edits, media),
    ...heard,
    ...extension);
}

/** A box. */
export function box(name: string, ...content: Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return concat([u32(length), text(name), ...content]);
}

/** A box with version and flags. */
export function full(name: string, version: number, flags: number, ...content: Uint8Array[]): Uint8Array {
  return box(name, u32(version * 0x1000000 + flags), ...content);
}

/** Big-endian, as everything below. */
export function u16(...values: number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff]));
}

export function u32(...values: number[]): Uint8Array {
  return u32s(values);
}

/** Like {@link u32}, for tables longer than an argument list may be. */
export function u32s(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return new Uint8Array(view.buffer);
}

export function u64(value: number): Uint8Array {
  return u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

export const zeros = (length: number): Uint8Array => new Uint8Array(length);
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** One behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
