/** Every frame of a Matroska file and where its bytes lie: what is needed to put it into another container as it is. Pure. */
import { blockAt, floatAt, integerAt, matroskaIds as ids, textAt, walkMatroska, type MatroskaVisitor, type ReadAt } from './matroska-elements.ts';

/** A frame; its time in ms on the file's own time line. Frames stand in the order in which they are decoded. */
export type Frame = { timeMs: number; key: boolean; offset: number; length: number };

/** The video of a file. `codecPrivate`: what a decoder is configured with (avcC, hvcC). `sound`: where there is a frame of it. */
export type VideoFrames = { codec: string; codecPrivate: Uint8Array; width: number; height: number; frames: Frame[]; sound?: SoundFrames | null };

/** The sound of a file; of AAC `codecPrivate` is the AudioSpecificConfig. */
export type SoundFrames = { codec: string; codecPrivate: Uint8Array; rate: number; channels: number; frames: Frame[] };

type Track = { number: number; kind: number; codec: string; codecPrivate: Uint8Array; width: number; height: number; rate: number; channels: number; frames: Frame[] };

const [videoKind, audioKind] = [1, 2];

/** Reads up to the last whole frame, so that a file may be read that is being written; frames without a byte are left out. Null where there is no video. */
export function readFrames(readAt: ReadAt, size: number): VideoFrames | null {
  return walkMatroska(readAt, size, (read) => new Index(read)).result();
}

class Index implements MatroskaVisitor {
  readonly #read: ReadAt;
  readonly #tracks: Track[] = [];
  #scaleNs = 1_000_000;
  #cluster = 0;
  /** The frame of the block of this group. */
  #grouped: Frame | undefined;

  constructor(read: ReadAt) {
    this.#read = read;
  }

  enter(id: number): void {
    if (id === ids.entry) this.#tracks.push({ number: 0, kind: 0, codec: '', codecPrivate: new Uint8Array(0), width: 0, height: 0, rate: 0, channels: 1, frames: [] });
  }

  leaf(id: number, at: number, length: number): void {
    const track = this.#tracks.at(-1);
    if (id === ids.simpleBlock || id === ids.block) this.#block(at, length, id === ids.simpleBlock);
    else if (id === ids.timestamp) this.#cluster = integerAt(this.#read, at, length);
    else if (id === ids.scale) this.#scaleNs = integerAt(this.#read, at, length);
    else if (id === ids.reference && this.#grouped) this.#grouped.key = false;
    else if (track === undefined) return;
    else if (id === ids.number) track.number = integerAt(this.#read, at, length);
    else if (id === ids.type) track.kind = integerAt(this.#read, at, length);
    else if (id === ids.codec) track.codec = textAt(this.#read, at, length);
    else if (id === ids.codecPrivate) track.codecPrivate = this.#read(at, Math.min(length, 65_536)).slice();
    else if (id === ids.width) track.width = integerAt(this.#read, at, length);
    else if (id === ids.height) track.height = integerAt(this.#read, at, length);
    else if (id === ids.rate) track.rate = floatAt(this.#read, at, length);
    else if (id === ids.channels) track.channels = integerAt(this.#read, at, length);
  }

  result(): VideoFrames | null {
    const [video, audio] = [videoKind, audioKind].map((kind) => this.#tracks.find((track) => track.kind === kind && track.frames.length > 0));
    if (video === undefined) return null;
    const { codec, codecPrivate, width, height, frames } = video;
    return { codec, codecPrivate, width, height, frames, ...(audio && { sound: { codec: audio.codec, codecPrivate: audio.codecPrivate, rate: audio.rate, channels: audio.channels, frames: audio.frames } }) };
  }

  #block(at: number, length: number, simple: boolean): void {
    this.#grouped = undefined;
    const block = blockAt(this.#read, at, length);
    const track = block && this.#tracks.find(({ number }) => number === block.track);
    // What was left of an access unit of nothing but parameter sets: shows nothing, and ffmpeg refuses a fragment with an empty sample.
    if (!track || length === block.bytes) return;
    const frame = {
      timeMs: ((this.#cluster + block.time) * this.#scaleNs) / 1_000_000,
      // A block of a group is a keyframe unless it refers to another frame, which is told behind it.
      key: !simple || block.key,
      offset: at + block.bytes,
      length: length - block.bytes,
    };
    if (!simple) this.#grouped = frame;
    track.frames.push(frame);
  }
}
