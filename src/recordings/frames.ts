/** Every frame of a Matroska file and where its bytes lie: what is needed to put it into another container as it is. Pure. */
import { elementAt, matroskaIds as ids, matroskaMasters, varint, windowed, type ReadAt } from './matroska.ts';

/** A frame; its time in ms on the file's own time line. Frames stand in the order in which they are decoded. */
export type Frame = { timeMs: number; key: boolean; offset: number; length: number };

/** The video of a file. `codecPrivate`: what a decoder is configured with (avcC, hvcC). */
export type VideoFrames = { codec: string; codecPrivate: Uint8Array; width: number; height: number; frames: Frame[] };

const headerBytes = 12;
const blockHeaderBytes = 11;

type Track = { number: number; video: boolean; codec: string; codecPrivate: Uint8Array; width: number; height: number };

/** Reads up to the last whole frame, so that a file may be read that is being written. Null where there is no video. */
export function readFrames(readAt: ReadAt, size: number): VideoFrames | null {
  const read = windowed(readAt, size);
  const index = new Index(read);
  for (let at = 0; at < size;) {
    const header = elementAt(read(at, headerBytes));
    if (header === null) break;
    const start = at + header.bytes;
    at = start;
    if (matroskaMasters.has(header.id)) {
      index.enter(header.id);
      continue;
    }
    if (header.length === null || start + header.length > size) break;
    index.leaf(header.id, start, header.length);
    at = start + header.length;
  }
  return index.result();
}

class Index {
  readonly #read: ReadAt;
  readonly #tracks: Track[] = [];
  readonly #frames: Frame[] = [];
  #scaleNs = 1_000_000;
  #cluster = 0;
  #inGroup = false;

  constructor(read: ReadAt) {
    this.#read = read;
  }

  enter(id: number): void {
    if (id === ids.entry) this.#tracks.push({ number: 0, video: false, codec: '', codecPrivate: new Uint8Array(0), width: 0, height: 0 });
  }

  leaf(id: number, at: number, length: number): void {
    const track = this.#tracks.at(-1);
    if (id === ids.simpleBlock || id === ids.block) this.#block(at, length, id === ids.simpleBlock);
    else if (id === ids.timestamp) this.#cluster = this.#integer(at, length);
    else if (id === ids.scale) this.#scaleNs = this.#integer(at, length);
    else if (id === ids.reference && this.#inGroup) this.#frames.at(-1)!.key = false;
    else if (track === undefined) return;
    else if (id === ids.number) track.number = this.#integer(at, length);
    else if (id === ids.type) track.video = this.#integer(at, length) === 1;
    else if (id === ids.codec) track.codec = new TextDecoder().decode(this.#read(at, Math.min(length, 64))).replaceAll('\0', '');
    else if (id === ids.codecPrivate) track.codecPrivate = this.#read(at, Math.min(length, 65_536)).slice();
    else if (id === ids.width) track.width = this.#integer(at, length);
    else if (id === ids.height) track.height = this.#integer(at, length);
  }

  result(): VideoFrames | null {
    const video = this.#tracks.find((track) => track.video);
    if (video === undefined || this.#frames.length === 0) return null;
    const { codec, codecPrivate, width, height } = video;
    return { codec, codecPrivate, width, height, frames: this.#frames };
  }

  #block(at: number, length: number, simple: boolean): void {
    this.#inGroup = false;
    const bytes = this.#read(at, Math.min(length, blockHeaderBytes));
    const number = varint(bytes, 0, true);
    if (number === null || bytes.length < number.bytes + 3) return;
    if (this.#tracks.find((track) => track.number === number.value)?.video !== true) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = number.bytes + 3;
    this.#inGroup = !simple;
    this.#frames.push({
      timeMs: ((this.#cluster + view.getInt16(number.bytes)) * this.#scaleNs) / 1_000_000,
      // A block of a group is a keyframe unless it refers to another frame, which is told behind it.
      key: !simple || (view.getUint8(number.bytes + 2) & 0x80) !== 0,
      offset: at + header,
      length: length - header,
    });
  }

  #integer(at: number, length: number): number {
    return this.#read(at, Math.min(length, 8)).reduce((value, byte) => value * 256 + byte, 0);
  }
}
