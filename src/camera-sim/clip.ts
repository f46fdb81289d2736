/**
 * Clips: what simulated cameras play. One file holds one track, already encoded, cut into access units.
 *
 * Layout: `LKCLIP1\n`, header length (uint32, big endian), header (JSON, {@link ClipHeader}), then the access units one
 * behind the other, in decoding order. Video units are Annex B byte streams without delimiters; AAC units are raw.
 */
import { readFileSync } from 'node:fs';

/** What a track is encoded with. */
export type ClipCodec = 'H264' | 'H265' | 'MP4V' | 'PCMU' | 'PCMA' | 'AAC';

/** What a clip's header says. */
export type ClipHeader = {
  codec: ClipCodec;
  /** Ticks of the RTP clock a second. */
  clockRate: number;
  /** Ticks an access unit lasts. */
  unitTicks: number;
  /** Bytes of every access unit. */
  sizes: number[];
  /** Video: indices of the units that are keyframes. */
  keyframes: number[];
  /** Video with B-frames: place of every unit in presentation order; absent where that is the decoding order. */
  order?: number[];
  width?: number;
  height?: number;
  /** AudioSpecificConfig (AAC) or VisualObjectSequence (MP4V), hexadecimal. */
  config?: string;
};

/** A clip in memory; units are views into one buffer. */
export type Clip = { header: ClipHeader; units: Buffer[] };

const magic = 'LKCLIP1\n';

/** Reads a clip. Throws where the file is none. */
export function readClip(path: string | URL): Clip {
  const bytes = readFileSync(path);
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic) throw new Error(`${String(path)} is no clip`);
  const start = magic.length + 4;
  const data = start + bytes.readUInt32BE(magic.length);
  const header = JSON.parse(bytes.subarray(start, data).toString('utf8')) as ClipHeader;
  let at = data;
  const units = header.sizes.map((size) => bytes.subarray(at, at += size));
  if (at !== bytes.length) throw new Error(`${String(path)} is cut off`);
  return { header, units };
}

/** The bytes of a clip file. */
export function writeClip({ header, units }: Clip): Buffer {
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length, 0);
  return Buffer.concat([Buffer.from(magic, 'latin1'), length, json, ...units]);
}
