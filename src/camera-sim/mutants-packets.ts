/** Mutations of how it is sent: fragments and aggregates, headers, order, loss, times, reports, framing. */
import { goodbye, senderReport } from '../rtp/rtcp.ts';
import { headerBytes, prefixBytes } from '../rtp/packet.ts';
import type { Mutation, Payload, UnitContext } from './mutation.ts';

/** Where the packet begins that a prefix announces, and its fields (RFC 3550 §5.1). */
const at = { first: prefixBytes, second: prefixBytes + 1, sequence: prefixBytes + 2, ssrc: prefixBytes + 8, payload: prefixBytes + headerBytes } as const;
const cname = 'mutant';

/** By name. */
export const packetMutations = {
  'bad-fragments': { payloads: (payloads, context) => payloads.flatMap((payload) => fragmented(payload, context)) },
  'bad-aggregates': { payloads: (payloads, context) => payloads.map((payload) => (context.random.chance(0.5) ? aggregate(payload, context) : payload)) },
  'wrong-payload-type': { payloads: (payloads, { random }) => payloads.map((payload) => (random.chance(0.3) ? { ...payload, payloadType: random.pick([0, 8, 72, 97, 98, 127]) } : payload)) },
  'wrong-markers': { payloads: (payloads, { random }) => payloads.map((payload) => ({ ...payload, marker: random.chance(0.5) })) },
  'packets-lost': { packets: (packets, { random }) => packets.filter(() => !random.chance(0.3)) },
  'packets-duplicate': { packets: (packets, { random }) => packets.flatMap((packet) => (random.chance(0.4) ? Array.from({ length: random.between(2, 5) }, () => packet) : [packet])) },
  'packets-reordered': {
    packets(packets, { random, held }) {
      const [late, now] = [packets.filter(() => random.chance(0.3)), held.splice(0)];
      held.push(...late);
      return [...packets.filter((packet) => !late.includes(packet)), ...now];
    },
  },
  'sequence-jumps': {
    packets(packets, { random, whole }) {
      const by = whole.pick([1, 100, 3_000, 30_000, 65_000]);
      for (const packet of packets) if (by > 1 || random.chance(0.3)) packet.writeUInt16BE((packet.readUInt16BE(at.sequence) + by) & 0xffff, at.sequence);
      return packets;
    },
  },
  'wrong-ssrc': {
    packets(packets, { random, whole }) {
      const share = whole.pick([0.2, 1]);
      for (const packet of packets) if (random.chance(share)) packet.writeUInt32BE(whole.between(1, 0xffff_fffe), at.ssrc);
      return packets;
    },
  },
  'bad-headers': { packets: (packets, { random }) => packets.map((packet) => (random.chance(0.4) ? withBadHeader(packet, random) : packet)) },
  'short-packets': { packets: (packets, { random }) => packets.map((packet) => (random.chance(0.4) ? framed(packet, packet.subarray(prefixBytes, prefixBytes + random.between(0, headerBytes + 2))) : packet)) },
  'framing-garbage': { packets: (packets, { random }) => (random.chance(0.2) ? [...packets, Buffer.concat([Buffer.from([random.pick([0x00, 0x0d, 0x41, 0xff])]), random.bytes(random.between(3, 40))])] : packets) },
  'unknown-channel': { packets: (packets, { random }) => packets.flatMap((packet) => (random.chance(0.4) ? [packet, onChannel(packet, random.between(8, 255))] : [packet])) },
  'time-forward': { track: 'all', shift: ({ whole, clockRate }) => Math.round(clockRate * whole.pick([0.5, 0.9, 1.5, 4, 30, 3_600, 40_000])) },
  'time-back': { track: 'all', shift: ({ whole, clockRate }) => -Math.round(clockRate * whole.pick([0.5, 0.9, 1.5, 4, 30, 3_600, 40_000])) },
  'time-forward-video': { shift: ({ whole, clockRate }) => Math.round(clockRate * whole.pick([0.3, 0.9, 3, 20])) },
  'time-back-video': { shift: ({ whole, clockRate }) => -Math.round(clockRate * whole.pick([0.3, 0.9, 3, 20])) },
  'time-still': { shift: ({ index, unitTicks }) => -index * unitTicks },
  'time-random': { shift: ({ random, whole, clockRate }) => Math.round(clockRate * whole.pick([0.05, 0.5, 3]) * (random.fraction() - 0.5)) },
  'time-backwards': { shift: ({ index, unitTicks }) => -2 * index * unitTicks },
  'time-slow': { shift: ({ index, unitTicks, whole }) => Math.round(index * unitTicks * whole.pick([-0.5, 0.5, 3])) },
  'sound-time': { track: 'audio', shift: ({ whole, random, clockRate }) => Math.round(clockRate * whole.pick([-20, -1, 1, 20]) * (whole.chance(0.5) ? 1 : random.fraction())) },
  'sound-lost': { track: 'audio', packets: (packets, { random }) => (random.chance(0.6) ? [] : packets) },
  'wrong-reports': {
    track: 'all',
    control: ({ random, clockRate }, { ssrc, ticks }) => [senderReport({ ssrc, wallClockMs: Date.now() + random.pick([0, -60_000, 3_600_000]), rtpTimestamp: (ticks + Math.round(clockRate * random.pick([0.4, -3, 60]))) >>> 0, packets: 1, octets: 1, cname })],
  },
  'garbage-reports': { track: 'all', control: ({ random }, { ssrc }) => [random.chance(0.3) ? goodbye({ ssrc: (ssrc ^ 0x55) >>> 0, cname }) : random.bytes(random.pick([0, 1, 4, 28, 100]))] },
} satisfies Record<string, Mutation>;

/** H.264 FU-A (RFC 6184 §5.8) and H.265 FU (RFC 7798 §4.4.3): start or end lost or doubled, another type inside, nothing inside. What is no fragment becomes one without an end. */
function fragmented(payload: Payload, { codec, random }: UnitContext): Payload[] {
  const { bytes } = payload;
  const head = codec === 'H264' ? 1 : 2;
  if (bytes.length <= head || random.chance(0.5)) return [payload];
  const type = codec === 'H264' ? bytes[0]! & 0x1f : bytes[0]! >> 1 & 0x3f;
  const isFragment = type === (codec === 'H264' ? 28 : 49);
  const unit = isFragment ? Buffer.from(bytes) : Buffer.concat([bytes.subarray(0, head), Buffer.of(0x80 | type), bytes.subarray(head)]);
  if (!isFragment) unit[0] = codec === 'H264' ? (bytes[0]! & 0xe0) | 28 : (bytes[0]! & 0x81) | 49 << 1;
  const how = random.pick(['start', 'end', 'both', 'neither', 'type', 'empty', 'twice'] as const);
  const fragment = unit[head]!;
  if (how === 'twice') return [payload, payload];
  unit[head] = how === 'start' ? fragment ^ 0x80 : how === 'end' ? fragment ^ 0x40 : how === 'both' ? fragment | 0xc0 : how === 'neither' ? fragment & 0x3f : how === 'type' ? (fragment & 0xc0) | random.between(0, 0x3f) : fragment;
  return [{ ...payload, bytes: how === 'empty' ? unit.subarray(0, head + random.between(0, 1)) : unit }];
}

/** An aggregation packet whose lengths lie: past its end, 0, or with a byte left over. */
function aggregate(payload: Payload, { codec, random }: UnitContext): Payload {
  const head = codec === 'H264' ? Buffer.of(0x78) : Buffer.of(48 << 1, 1);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(random.pick([0, 1, payload.bytes.length, Math.min(0xffff, payload.bytes.length + 1), 0xffff]));
  return { ...payload, bytes: Buffer.concat([head, length, payload.bytes, random.bytes(random.between(0, 3))]) };
}

function withBadHeader(packet: Buffer, random: UnitContext['random']): Buffer {
  const how = random.pick(['version', 'padding', 'extension', 'sources', 'long-padding'] as const);
  const first = packet[at.first]!;
  packet[at.first] = how === 'version' ? (first & 0x3f) | random.pick([0x00, 0x40, 0xc0]) : how === 'extension' ? first | 0x10 : how === 'sources' ? first | 0x0f : first | 0x20;
  if (packet.length > at.payload && (how === 'padding' || how === 'long-padding')) packet[packet.length - 1] = how === 'padding' ? 0 : 255;
  return packet;
}

/** Another packet behind the prefix of this one. */
function framed(packet: Buffer, content: Buffer): Buffer {
  const result = Buffer.concat([packet.subarray(0, prefixBytes), content]);
  result.writeUInt16BE(content.length, 2);
  return result;
}

function onChannel(packet: Buffer, channel: number): Buffer {
  const copy = Buffer.from(packet);
  copy[1] = channel;
  return copy;
}
