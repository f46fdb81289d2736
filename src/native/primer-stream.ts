/** Makes of a hub's packets the RTP stream of one primer: cut to the size of a network packet, numbered anew, stamped as they leave. Pure. */
import { packetizeH264 } from '../rtp/h264.ts';
import { packetEnd, PacketWriter, prefixBytes, stampRun } from '../rtp/packet.ts';
import type { HubPacket } from './hub-reader.ts';
import { createUnitJoiner } from './hub-units.ts';

/** As the feed's payloader. */
const maxPayload = 1188;
const ticksPerMs = 90;
/** In an RTP packet (RFC 3550 §5.1), bytes. */
const [markerAt, timeAt] = [1, 4];

/** The stream; `sequence` is its first number. */
export type PrimerStream = {
  /** The packets of an access unit, once its last packet is there; without a time. */
  add(packet: Omit<HubPacket, 'sequence'>): Buffer[];
  /** Gives the packet that leaves now its time, that of its unit. `now` is monotonic, ms. */
  stamp(packet: Buffer, now: number): void;
  /** What comes next begins at a keyframe, and with this number: what was not sent never was. */
  begin(sequence: number): void;
  /** The number of the next packet. */
  next(): number;
};

/**
 * The times of the cached packets do not survive: a decoder would play them at their pace, and stay as far behind as they are
 * old. Stamped as they leave they are one burst, which it runs through, and what follows is live; how the burst is paced looks like no
 * jitter. No two units share a stamp.
 */
export function createPrimerStream({ ssrc, payloadType, sequence }: { ssrc: number; payloadType: number; sequence: number }): PrimerStream {
  const writer = new PacketWriter({ payloadType, maxPayload });
  let next = sequence;
  let ticks = 0;
  let isFirst = true;
  let join = createUnitJoiner();

  return {
    next: () => next,
    begin(from) {
      next = from;
      isFirst = true;
      join = createUnitJoiner();
    },
    add(packet) {
      const units = join(packet);
      if (units === null) return [];
      packetizeH264(units, writer);
      const run = writer.finish();
      stampRun(run, { channel: 0, sequence: next, timestamp: 0, ssrc });
      next = (next + run.offsets.length) & 0xffff;
      return Array.from(run.offsets, (at, index) => run.bytes.subarray(at + prefixBytes, packetEnd(run, index)));
    },
    stamp(packet, now) {
      if (isFirst) ticks = Math.max(Math.round(now * ticksPerMs), ticks + 1);
      packet.writeUInt32BE(ticks >>> 0, timeAt);
      isFirst = (packet.readUInt8(markerAt) & 0x80) !== 0;
    },
  };
}
