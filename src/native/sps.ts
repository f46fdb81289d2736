/** Reads sequence parameter sets: what an H.264 or H.265 stream is, before a single picture was decoded. Pure, never throws. */
import { BitReader, OutOfBits, unescape } from './bits.ts';

/** What an SPS says. `fps` is null where it has no timing. */
export type SpsInfo = { profile: string; profileLevelId: string | null; width: number; height: number; fps: number | null };

type Frame = { width: number; height: number };

const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const extendedSar = 255;
const maxSide = 32_768;

/** An H.264 SPS NAL unit (type 7, without start code) → its contents; null where it is none or broken. */
export function parseH264Sps(nal: Uint8Array): SpsInfo | null {
  if (nal.length < 4 || ((nal[0] ?? 0) & 0x1f) !== 7) return null;
  const [profileIdc = 0, constraints = 0, level = 0] = nal.subarray(1, 4);
  return guarded(() => {
    const bits = new BitReader(unescape(nal.subarray(4)));
    bits.unsigned();
    const { chromaFormat, separatePlanes } = highProfiles.has(profileIdc) ? h264Chroma(bits) : { chromaFormat: 1, separatePlanes: false };
    const frame = h264Frame(bits, separatePlanes ? 0 : chromaFormat);
    const fps = bits.flag() ? h264Fps(bits) : null;
    return {
      profile: h264ProfileName(profileIdc, constraints),
      profileLevelId: [profileIdc, constraints, level].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      ...frame,
      fps,
    };
  });
}

/** H.264 profile names (Annex A), constrained variants told apart by their flags. */
export function h264ProfileName(profileIdc: number, constraints: number): string {
  const [set1, set3, set4, set5] = [0x40, 0x10, 0x08, 0x04].map((bit) => (constraints & bit) !== 0);
  switch (profileIdc) {
    case 66: return set1 ? 'constrained-baseline' : 'baseline';
    case 77: return 'main';
    case 88: return 'extended';
    case 100: return set4 && set5 ? 'constrained-high' : 'high';
    case 110: return set3 ? 'high-10-intra' : 'high-10';
    case 122: return set3 ? 'high-4:2:2-intra' : 'high-4:2:2';
    case 244: return set3 ? 'high-4:4:4-intra' : 'high-4:4:4';
    case 44: return 'cavlc-4:4:4-intra';
    default: return `profile-${profileIdc}`;
  }
}

function h264Chroma(bits: BitReader): { chromaFormat: number; separatePlanes: boolean } {
  const chromaFormat = bits.unsigned();
  const separatePlanes = chromaFormat === 3 && bits.flag();
  bits.unsigned();
  bits.unsigned();
  bits.skip(1);
  if (bits.flag()) {
    for (let i = 0; i < (chromaFormat === 3 ? 12 : 8); i += 1) if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  return { chromaFormat, separatePlanes };
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i += 1) {
    if (next !== 0) next = (last + bits.signed() + 256) & 0xff;
    if (next !== 0) last = next;
  }
}

function h264Frame(bits: BitReader, chromaArray: number): Frame {
  bits.unsigned();
  const orderType = bits.unsigned();
  if (orderType === 0) bits.unsigned();
  else if (orderType === 1) skipOrderCycle(bits);
  bits.unsigned();
  bits.skip(1);
  const widthInBlocks = bits.unsigned() + 1;
  const heightInUnits = bits.unsigned() + 1;
  const framesOnly = bits.flag();
  if (!framesOnly) bits.skip(1);
  bits.skip(1);
  const fields = framesOnly ? 1 : 2;
  const unitX = chromaArray === 1 || chromaArray === 2 ? 2 : 1;
  const unitY = (chromaArray === 1 ? 2 : 1) * fields;
  const crop = bits.flag() ? [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()] : [0, 0, 0, 0];
  return sized(widthInBlocks * 16 - unitX * (crop[0]! + crop[1]!), heightInUnits * 16 * fields - unitY * (crop[2]! + crop[3]!));
}

function skipOrderCycle(bits: BitReader): void {
  bits.skip(1);
  bits.signed();
  bits.signed();
  const cycle = bits.unsigned();
  if (cycle > 255) throw new OutOfBits('order cycle too long');
  for (let i = 0; i < cycle; i += 1) bits.signed();
}

function h264Fps(bits: BitReader): number | null {
  if (bits.flag() && bits.bits(8) === extendedSar) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) bits.skip(24);
  }
  if (bits.flag()) {
    bits.unsigned();
    bits.unsigned();
  }
  if (!bits.flag()) return null;
  const [tick, scale] = [bits.bits(32), bits.bits(32)];
  // Two fields per frame (Annex E, Table E-6).
  return rate(scale, 2 * tick);
}

/** An H.265 SPS NAL unit (type 33, without start code) → its contents; null where it is none or broken. */
export function parseH265Sps(nal: Uint8Array): SpsInfo | null {
  if (nal.length < 4 || (((nal[0] ?? 0) >> 1) & 0x3f) !== 33) return null;
  return guarded(() => {
    const bits = new BitReader(unescape(nal.subarray(2)));
    bits.skip(4);
    const subLayers = bits.bits(3);
    bits.skip(1);
    bits.skip(3);
    const profileIdc = bits.bits(5);
    bits.skip(32 + 48 + 8);
    skipSubLayers(bits, subLayers);
    bits.unsigned();
    const chroma = bits.unsigned();
    if (chroma === 3) bits.skip(1);
    const [width, height] = [bits.unsigned(), bits.unsigned()];
    const crop = bits.flag() ? [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()] : [0, 0, 0, 0];
    const [unitX, unitY] = [chroma === 1 || chroma === 2 ? 2 : 1, chroma === 1 ? 2 : 1];
    return {
      profile: ({ 1: 'main', 2: 'main-10', 3: 'main-still-picture', 4: 'range-extensions' } as Record<number, string>)[profileIdc] ?? `profile-${profileIdc}`,
      profileLevelId: null,
      ...sized(width - unitX * (crop[0]! + crop[1]!), height - unitY * (crop[2]! + crop[3]!)),
      fps: null,
    };
  });
}

function skipSubLayers(bits: BitReader, count: number): void {
  const present = Array.from({ length: count }, () => [bits.flag(), bits.flag()] as const);
  if (count > 0) bits.skip(2 * (8 - count));
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}

/** The first SPS of an AVCDecoderConfigurationRecord (`codec_data`, ISO/IEC 14496-15 §5.3.3.1); null where it has none. */
export function spsOfAvcConfiguration(record: Uint8Array): SpsInfo | null {
  const [countAt, lengthAt, nalAt] = [5, 6, 8];
  if (record.length <= nalAt || ((record[countAt] ?? 0) & 0x1f) === 0) return null;
  const length = ((record[lengthAt] ?? 0) << 8) | (record[lengthAt + 1] ?? 0);
  return nalAt + length > record.length ? null : parseH264Sps(record.subarray(nalAt, nalAt + length));
}

/** The first SPS of an HEVCDecoderConfigurationRecord (`codec_data`, ISO/IEC 14496-15 §8.3.3.1); null where it has none. */
export function spsOfHevcConfiguration(record: Uint8Array): SpsInfo | null {
  const [countAt, firstArrayAt, spsType] = [22, 23, 33];
  const u16 = (at: number): number => ((record[at] ?? 0) << 8) | (record[at + 1] ?? 0);
  let at = firstArrayAt;
  for (let array = record[countAt] ?? 0; array > 0 && at + 3 <= record.length; array -= 1) {
    const type = (record[at] ?? 0) & 0x3f;
    let units = u16(at + 1);
    for (at += 3; units > 0; units -= 1) {
      const end = at + 2 + u16(at);
      if (end > record.length || at + 2 > record.length) return null;
      if (type === spsType) return parseH265Sps(record.subarray(at + 2, end));
      at = end;
    }
  }
  return null;
}

function sized(width: number, height: number): Frame {
  if (width < 1 || height < 1 || width > maxSide || height > maxSide) throw new OutOfBits(`no picture is ${width}×${height}`);
  return { width, height };
}

function rate(numerator: number, denominator: number): number | null {
  if (denominator === 0) return null;
  const fps = Math.round((numerator / denominator) * 1000) / 1000;
  return fps > 0 && fps <= 1000 ? fps : null;
}

function guarded(parse: () => SpsInfo): SpsInfo | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof OutOfBits) return null;
    throw error;
  }
}
