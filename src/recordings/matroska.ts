/** What a Matroska file holds, by a walk over its element headers, wherever it ends. Pure. */
import { blockAt, integerAt, matroskaIds as ids, textAt, walkMatroska, type MatroskaVisitor, type ReadAt } from './matroska-elements.ts';
import { soundName } from './span-sound.ts';

/** One track. */
export type MatroskaTrack = { number: number; type: 'video' | 'audio' | 'other'; codec: string; width: number | null; height: number | null; frames: number };

/** What was found; times in ms on the file's own time line. `end`: behind the last whole frame. */
export type Matroska = {
  tracks: MatroskaTrack[];
  video: MatroskaTrack | null;
  /** Codec of the sound, as everybody calls it, where a frame of it is there. */
  sound: string | null;
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

/** What a WAVEFORMATEX begins with. */
const soundTagBytes = 2;

/** Walks a file of `size` bytes. Null where it is no Matroska. */
export function measureMatroska(readAt: ReadAt, size: number): Matroska | null {
  return walkMatroska(readAt, size, (read) => new Walk(read)).result();
}

/** The eight or four bytes that say how long the file is, for {@link Matroska.durationField}. */
export function durationBytes({ length, scaleNs }: NonNullable<Matroska['durationField']>, durationMs: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(length));
  const value = (durationMs * 1_000_000) / scaleNs;
  if (length === 8) bytes.setFloat64(0, value);
  else bytes.setFloat32(0, value);
  return new Uint8Array(bytes.buffer);
}

class Walk implements MatroskaVisitor {
  readonly #read: ReadAt;
  readonly #tracks: MatroskaTrack[] = [];
  #scaleNs = 1_000_000;
  #field: { offset: number; length: number } | null = null;
  readonly #privates = new Map<MatroskaTrack, Uint8Array>();
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
    if (id === ids.segment) this.#isMatroska = true;
    if (id === ids.entry) this.#tracks.push({ number: 0, type: 'other', codec: '', width: null, height: null, frames: 0 });
  }

  leaf(id: number, at: number, length: number): void {
    const track = this.#tracks.at(-1);
    if (id === ids.simpleBlock || id === ids.block) this.#block(at, length, id === ids.simpleBlock);
    else if (id === ids.timestamp) this.#cluster = integerAt(this.#read, at, length);
    else if (id === ids.scale) this.#scaleNs = integerAt(this.#read, at, length);
    else if (id === ids.duration) this.#duration(at, length);
    // A block of a group that refers to another frame is no keyframe.
    else if (id === ids.reference && this.#tracks.find(({ type }) => type === 'video')?.frames === 1) this.#firstIsKeyframe = false;
    else if (track === undefined) return;
    else if (id === ids.number) track.number = integerAt(this.#read, at, length);
    else if (id === ids.type) track.type = ([, 'video', 'audio'] as const)[integerAt(this.#read, at, length)] ?? 'other';
    else if (id === ids.codecPrivate) this.#privates.set(track, this.#read(at, Math.min(length, soundTagBytes)).slice());
    else if (id === ids.codec) track.codec = textAt(this.#read, at, length);
    else if (id === ids.width) track.width = integerAt(this.#read, at, length);
    else if (id === ids.height) track.height = integerAt(this.#read, at, length);
  }

  result(): Matroska | null {
    if (!this.#isMatroska) return null;
    const video = this.#tracks.find(({ type }) => type === 'video') ?? null;
    const frames = video?.frames ?? 0;
    const audio = this.#tracks.find((track) => track.type === 'audio' && track.frames > 0);
    const toMs = (ticks: number): number => (ticks * this.#scaleNs) / 1_000_000;
    const [firstMs, lastMs] = frames === 0 ? [0, 0] : [toMs(this.#first), toMs(this.#last)];
    return {
      tracks: this.#tracks, video, frames, sound: audio ? soundName({ codec: audio.codec, codecPrivate: this.#privates.get(audio) ?? new Uint8Array(0) }) : null, firstMs, lastMs,
      durationMs: frames < 2 ? 0 : Math.round((lastMs - firstMs) * (frames / (frames - 1))),
      startsWithKeyframe: this.#firstIsKeyframe ?? false,
      finished: this.#finished,
      end: this.#end,
      durationField: this.#field && { ...this.#field, scaleNs: this.#scaleNs },
    };
  }

  #block(at: number, length: number, simple: boolean): void {
    const block = blockAt(this.#read, at, length);
    const track = block && this.#tracks.find(({ number }) => number === block.track);
    if (!track) return;
    track.frames += 1;
    this.#end = at + length;
    if (track.type !== 'video') return;
    const time = this.#cluster + block.time;
    this.#first = Math.min(this.#first, time);
    this.#last = Math.max(this.#last, time);
    this.#firstIsKeyframe ??= !simple || block.key;
  }

  #duration(at: number, length: number): void {
    this.#field = { offset: at, length };
    const bytes = this.#read(at, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#finished = (length === 8 ? view.getFloat64(0) : length === 4 ? view.getFloat32(0) : 0) > 0;
  }
}
