/** NAL units of H.264 and H.265: cutting an Annex B byte stream, and what their types mean. */

/** Video codecs that are carried as NAL units. */
export type NalCodec = 'H264' | 'H265';

/** What a NAL unit is, as far as transport cares. */
export type NalKind = 'parameter-set' | 'keyframe' | 'frame' | 'delimiter' | 'other';

/** The NAL units between the start codes of an Annex B byte stream, as views. */
export function splitAnnexB(bytes: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = -1;
  for (let at = bytes.indexOf(startCode); at !== -1; at = bytes.indexOf(startCode, at + 3)) {
    if (start !== -1) units.push(trimZeros(bytes.subarray(start, at)));
    start = at + 3;
  }
  if (start !== -1) units.push(trimZeros(bytes.subarray(start)));
  return units.filter((unit) => unit.length > 0);
}

/** Kind of a NAL unit (H.264 table 7-1, H.265 table 7-1). */
export function nalKind(codec: NalCodec, unit: Uint8Array): NalKind {
  const first = unit[0] ?? 0;
  if (codec === 'H264') return h264Kinds[first & 0x1f] ?? 'other';
  const type = (first >> 1) & 0x3f;
  if (type >= 16 && type <= 23) return 'keyframe';
  if (type <= 9) return 'frame';
  if (type >= 32 && type <= 34) return 'parameter-set';
  return type === 35 ? 'delimiter' : 'other';
}

/** How many units from `start` on fit into one aggregation packet: `headerBytes`, then each unit behind two bytes of length. At least 1. */
export function aggregable(units: readonly Buffer[], { start, headerBytes, maxPayload }: { start: number; headerBytes: number; maxPayload: number }): number {
  let size = headerBytes;
  let count = 0;
  while (start + count < units.length) {
    size += 2 + (units[start + count] as Buffer).length;
    if (size > maxPayload) break;
    count += 1;
  }
  return Math.max(1, count);
}

const startCode = Buffer.from([0, 0, 1]);
const h264Kinds: Record<number, NalKind> = { 1: 'frame', 2: 'frame', 3: 'frame', 4: 'frame', 5: 'keyframe', 7: 'parameter-set', 8: 'parameter-set', 9: 'delimiter', 13: 'parameter-set' };

/** The zero before a four-byte start code belongs to no NAL unit, nor do trailing zeros. */
function trimZeros(unit: Buffer): Buffer {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end -= 1;
  return unit.subarray(0, end);
}
