/** A Matroska file (RFC 9559) around frames that stay as they are: sizes and cues in front, so that it plays while it is still coming. Pure. */
import { concat, text, type Mp4Track } from './boxes.ts';
import type { Mp4Frame } from './fmp4.ts';
import { matroskaIds as ids } from './matroska-elements.ts';

/** Bytes to write, or the number of a frame whose bytes come here; those of sound count on behind those of the picture. */
export type Piece = Uint8Array | number;

/** Sound beside the picture; `codecPrivate` as Matroska has it for its codec. */
export type MkvSound = { codec: string; codecPrivate: Uint8Array; rate: number; channels: number; frames: readonly { timeMs: number; length: number }[] };

/** Ids that are written alone. */
const more = { version: 0x4286, readVersion: 0x42f7, maxId: 0x42f2, maxSize: 0x42f3, docType: 0x4282, docVersion: 0x4287, docReadVersion: 0x4285, muxingApp: 0x4d80, writingApp: 0x5741, uid: 0x73c5, lacing: 0x9c, cues: 0x1c53bb6b, cuePoint: 0xbb, cueTime: 0xb3, cuePositions: 0xb7, cueTrack: 0xf7, cueCluster: 0xf1 } as const;
/** A block tells its time in 16 bits, in ms from its cluster's. */
const clusterMs = 20_000;
const blockHead = 4;
const sizeBytes = 8;

type Block = { track: 1 | 2; frame: number; timeMs: number; key: boolean; length: number };
type Cluster = { timeMs: number; blocks: Block[]; bytes: number };

/** The whole file, piece by piece. Times are whole ms. */
export function* mkvPieces(track: Mp4Track, frames: readonly Mp4Frame[], endMs: number, sound: MkvSound | null = null): Generator<Piece> {
  const clusters = clustersOf(blocksOf(frames, sound));
  const info = element(ids.info, integer(ids.scale, 1_000_000), element(ids.duration, double(endMs)), element(more.muxingApp, text('Lookout')), element(more.writingApp, text('Lookout')));
  const entry = element(ids.entry, integer(ids.number, 1), integer(more.uid, 1), integer(ids.type, 1), integer(more.lacing, 0), element(ids.codec, text(track.codec)), element(ids.codecPrivate, track.codecPrivate),
    element(ids.video, integer(ids.width, track.width), integer(ids.height, track.height)));
  const front = concat([info, element(ids.tracks, entry, ...(sound ? [soundEntry(sound)] : []))]);
  const cues = (firstAt: number): Uint8Array => {
    let at = firstAt;
    return element(more.cues, ...clusters.map(({ timeMs, bytes }) => {
      const cue = element(more.cuePoint, integer(more.cueTime, timeMs), element(more.cuePositions, integer(more.cueTrack, 1), integer(more.cueCluster, at)));
      at += bytes;
      return cue;
    }));
  };
  const index = cues(front.length + cues(0).length);
  const bytes = clusters.reduce((sum, cluster) => sum + cluster.bytes, front.length + index.length);
  yield concat([
    element(ids.ebml, integer(more.version, 1), integer(more.readVersion, 1), integer(more.maxId, 4), integer(more.maxSize, 8), element(more.docType, text('matroska')), integer(more.docVersion, 4), integer(more.docReadVersion, 2)),
    header(ids.segment, bytes), front, index,
  ]);
  for (const cluster of clusters) {
    yield concat([header(ids.cluster, cluster.bytes - 4 - sizeBytes), integer(ids.timestamp, cluster.timeMs)]);
    for (const { track: number, frame, timeMs, key, length } of cluster.blocks) {
      const head = new DataView(new ArrayBuffer(blockHead));
      head.setUint8(0, 0x80 | number);
      head.setInt16(1, Math.round(timeMs) - cluster.timeMs);
      head.setUint8(3, key ? 0x80 : 0);
      yield concat([header(ids.simpleBlock, blockHead + length), new Uint8Array(head.buffer)]);
      yield frame;
    }
  }
}

function soundEntry({ codec, codecPrivate, rate, channels }: MkvSound): Uint8Array {
  return element(ids.entry, integer(ids.number, 2), integer(more.uid, 2), integer(ids.type, 2), integer(more.lacing, 0), element(ids.codec, text(codec)), ...(codecPrivate.length > 0 ? [element(ids.codecPrivate, codecPrivate)] : []),
    element(ids.audio, element(ids.rate, double(rate)), integer(ids.channels, channels)));
}

/** Pictures in the order in which they are decoded, sound behind the picture that is shown when it begins. */
function blocksOf(frames: readonly Mp4Frame[], sound: MkvSound | null): Block[] {
  const heard = sound?.frames ?? [];
  const blocks: Block[] = [];
  let next = 0;
  const addSound = (until: number): void => {
    for (let frame = heard[next]; frame !== undefined && frame.timeMs < until; frame = heard[next]) {
      blocks.push({ track: 2, frame: frames.length + next, timeMs: frame.timeMs, key: true, length: frame.length });
      next += 1;
    }
  };
  frames.forEach(({ timeMs, key, length }, frame) => {
    addSound(timeMs);
    blocks.push({ track: 1, frame, timeMs, key, length });
  });
  addSound(Infinity);
  return blocks;
}

/** One for each keyframe, more where keyframes are rare. */
function clustersOf(blocks: readonly Block[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const block of blocks) {
    const last = clusters.at(-1);
    const at = Math.max(0, Math.round(block.timeMs));
    if (last === undefined || (block.track === 1 && block.key) || at - last.timeMs > clusterMs) clusters.push({ timeMs: at, blocks: [], bytes: 4 + sizeBytes + integer(ids.timestamp, at).length });
    const cluster = clusters.at(-1)!;
    cluster.blocks.push(block);
    cluster.bytes += 1 + sizeBytes + blockHead + block.length;
  }
  return clusters;
}

/** Id and size; the size always in eight bytes. */
function header(id: number, size: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(sizeBytes));
  bytes.setBigUint64(0, 0x0100_0000_0000_0000n | BigInt(size));
  return concat([idBytes(id), new Uint8Array(bytes.buffer)]);
}

function element(id: number, ...content: Uint8Array[]): Uint8Array {
  return concat([header(id, content.reduce((sum, { length }) => sum + length, 0)), ...content]);
}

/** Eight bytes, whatever the value: nothing moves when a position becomes known. */
function integer(id: number, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value));
  return element(id, new Uint8Array(bytes.buffer));
}

function double(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, value);
  return new Uint8Array(bytes.buffer);
}

function idBytes(id: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}
