/** Mutations of what is inside: NAL units that are cut, empty, overwritten, of no known kind, missing; parameter sets; other pictures; sound. */
import { nalKind } from '../rtp/nal.ts';
import type { Mutation, Payload } from './mutation.ts';
import type { Random } from './random.ts';

/** Bytes that stay, so that a unit is still taken for what it was. */
const nalHead = { H264: 1, H265: 2 } as const;

/** A copy with some bytes behind `from` overwritten, at least one. */
function overwritten(bytes: Buffer, { from, share, random }: { from: number; share: number; random: Random }): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > from) for (let left = Math.ceil((copy.length - from) * share); left > 0; left -= 1) copy[random.between(from, copy.length - 1)] = random.between(0, 255);
  return copy;
}

/** By name. */
export const unitMutations = {
  'truncated-nal': { nals: (nals, { random }) => nals.map((nal) => (random.chance(0.5) ? nal.subarray(0, random.between(1, nal.length)) : nal)) },
  'one-byte-nal': { nals: (nals, { random }) => nals.flatMap((nal) => (random.chance(0.5) ? [nal.subarray(0, 1), nal] : [nal])) },
  'empty-payload': {
    payloads: (payloads, { random }) => payloads.flatMap((payload) => (random.chance(0.4) ? [{ ...payload, bytes: Buffer.alloc(0), marker: random.chance(0.5) }, payload] : [payload])),
  },
  'empty-frame': { payloads: ([payload], { random, keyframe }) => (payload && (keyframe || random.chance(0.5)) ? [{ ...payload, bytes: Buffer.alloc(0), marker: true }] : payload ? [payload] : []) },
  'garbage-nal': { nals: (nals, { random, codec }) => nals.map((nal) => (nalKind(codec, nal) !== 'parameter-set' && random.chance(0.7) ? overwritten(nal, { from: nalHead[codec], share: random.pick([0.005, 0.1, 1]), random }) : nal)) },
  'unknown-nal': {
    nals: (nals, { random, codec }) => nals.flatMap((nal) => {
      const odd = Buffer.from(random.bytes(random.between(2, 60)));
      // H.264: reserved and unspecified types, or the forbidden bit; H.265 the same (RFC 7798 keeps 48 to 50 to itself).
      odd[0] = codec === 'H264' ? random.pick([0, 13, 17, 22, 23, 30, 31, 0x81, 0xe5]) : random.pick([41, 47, 51, 63]) << 1 | (random.chance(0.3) ? 0x80 : 0);
      return random.chance(0.5) ? [odd, nal] : [nal];
    }),
  },
  'parameter-garbage': { nals: (nals, { random, codec }) => nals.map((nal) => (nalKind(codec, nal) === 'parameter-set' && random.chance(0.8) ? overwritten(nal, { from: nalHead[codec], share: random.pick([0.05, 0.3, 1]), random }) : nal)) },
  'parameter-missing': { nals: (nals, { codec }) => nals.filter((nal) => nalKind(codec, nal) !== 'parameter-set') },
  'parameter-truncated': { nals: (nals, { random, codec }) => nals.map((nal) => (nalKind(codec, nal) === 'parameter-set' ? nal.subarray(0, random.between(1, nal.length)) : nal)) },
  'parameter-change': { other: true },
  'keyframe-missing': { nals: (nals, { codec }) => nals.filter((nal) => nalKind(codec, nal) !== 'keyframe') },
  'units-missing': { nals: (nals, { random }) => (random.chance(0.5) ? [] : nals) },
  'units-joined': { nals: (nals, { random }) => (random.chance(0.5) ? [...nals, ...nals] : nals) },
  'sound-garbage': { track: 'audio', payloads: (payloads, { random }) => payloads.map((payload) => ({ ...payload, bytes: random.chance(0.6) ? random.bytes(random.pick([1, 3, 7, 160, 1200])) : payload.bytes })) },
  'sound-empty': { track: 'audio', payloads: (payloads, { random }) => payloads.map((payload) => ({ ...payload, bytes: random.chance(0.5) ? Buffer.alloc(0) : payload.bytes })) },
  'sound-headers': { track: 'audio', payloads: (payloads, { random, codec }) => payloads.map((payload) => (codec === 'AAC' && random.chance(0.7) ? wrongAacHeader(payload, random) : payload)) },
} satisfies Record<string, Mutation>;

/** RFC 3640 §3.2.1: a length of headers that is longer than the packet, or none; a unit that is longer than what follows, or empty. */
function wrongAacHeader(payload: Payload, random: Random): Payload {
  const bytes = Buffer.from(payload.bytes);
  const how = random.pick(['no-headers', 'long-headers', 'many-headers', 'long-unit', 'empty-unit', 'cut'] as const);
  if (bytes.length < 4 || how === 'cut') return { ...payload, bytes: bytes.subarray(0, random.between(0, Math.min(3, bytes.length))) };
  if (how === 'no-headers') bytes.writeUInt16BE(0, 0);
  else if (how === 'long-headers') bytes.writeUInt16BE(0xffff, 0);
  else if (how === 'many-headers') bytes.writeUInt16BE(16 * random.between(2, 40), 0);
  else bytes.writeUInt16BE(how === 'empty-unit' ? 0 : 0xfff8, 2);
  return { ...payload, bytes };
}
