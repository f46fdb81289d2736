/** Every frame of a Matroska file and where its bytes lie: what is needed to put it into another container as it is. Pure. */
import { blockAt, integerAt, matroskaIds as ids, textAt, walkMatroska, type MatroskaVisitor, type ReadAt } from './matroska-elements.ts';

/** A frame; its time in ms on the file's own time line. Frames stand in the order in which they are decoded. */
export type Frame = { timeMs: number; key: boolean; offset: number; length: number };

/** The video of a file. `codecPrivate`: what a decoder is configured with (avcC, hvcC). */
export type VideoFrames = { codec: string; codecPrivate: Uint8Array; width: number; height: number; frames: Frame[] };

type Track = { number: number; video: boolean; codec: string; codecPrivate: Uint8Array; width: number; height: number };

/** Reads up to the last whole frame, so that a file may be read that is being written. Null where there is no video. */
export function readFrames(readAt: ReadAt, size: number): VideoFrames | null {
  return walkMatroska(readAt, size, (read) => new Index(read)).result();
}

class Index implements MatroskaVisitor {
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
    else if (id === ids.timestamp) this.#cluster = integerAt(this.#read, at, length);
    else if (id === ids.scale) this.#scaleNs = integerAt(this.#read, at, length);
    else if (id === ids.reference && this.#inGroup) this.#frames.at(-1)!.key = false;
    else if (track === undefined) return;
    else if (id === ids.number) track.number = integerAt(this.#read, at, length);
    else if (id === ids.type) track.video = integerAt(this.#read, at, length) === 1;
    else if (id === ids.codec) track.codec = textAt(this.#read, at, length);
    else if (id === ids.codecPrivate) track.codecPrivate = this.#read(at, Math.min(length, 65_536)).slice();
    else if (id === ids.width) track.width = integerAt(this.#read, at, length);
    else if (id === ids.height) track.height = integerAt(this.#read, at, length);
  }

  result(): VideoFrames | null {
    const video = this.#tracks.find((track) => track.video);
    if (video === undefined || this.#frames.length === 0) return null;
    const { codec, codecPrivate, width, height } = video;
    return { codec, codecPrivate, width, height, frames: this.#frames };
  }

  #block(at: number, length: number, simple: boolean): void {
    this.#inGroup = false;
    const block = blockAt(this.#read, at, length);
    if (block === null || this.#tracks.find(({ number }) => number === block.track)?.video !== true) return;
    this.#inGroup = !simple;
    this.#frames.push({
      timeMs: ((this.#cluster + block.time) * this.#scaleNs) / 1_000_000,
      // A block of a group is a keyframe unless it refers to another frame, which is told behind it.
      key: !simple || block.key,
      offset: at + block.bytes,
      length: length - block.bytes,
    });
  }
}
