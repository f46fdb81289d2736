/** Makes of a hub's packets the RTP stream of one primer: cut to the size of a network packet, numbered anew, stamped on arrival. Pure. */
import { packetizeH264 } from '../rtp/h264.ts';
import { packetEnd, PacketWriter, prefixBytes, stampRun } from '../rtp/packet.ts';
import type { HubPacket } from './hub-reader.ts';
import { createUnitJoiner } from './hub-units.ts';

/** As the feed's payloader. */
const maxPayload = 1188;
const ticksPerMs = 90;

/** The stream; `sequence` is its first number. */
export type PrimerStream = {
  /** The packets of an access unit, once its last packet is there. `now` is monotonic, ms. */
  add(packet: Omit<HubPacket, 'sequence'>, now: number): Buffer[];
  /** What comes next begins at a keyframe, and with this number: what was not sent never was. */
  begin(sequence: number): void;
  /** The number of the next packet. */
  next(): number;
};

/**
 * The times of the cached packets do not survive: a decoder would play them at their pace, and stay as far behind as they are
 * old. Stamped on arrival they are one burst, which it runs through, and what follows is live. No two units share a stamp.
 */
export function createPrimerStream({ ssrc, payloadType, sequence }: { ssrc: number; payloadType: number; sequence: number }): PrimerStream {
  const writer = new PacketWriter({ payloadType, maxPayload });
  let next = sequence;
  let ticks = 0;
  let join = createUnitJoiner();

  return {
    next: () => next,
    begin(from) {
      next = from;
      join = createUnitJoiner();
    },
    add(packet, now) {
      const units = join(packet);
      if (units === null) return [];
      packetizeH264(units, writer);
      const run = writer.finish();
      ticks = Math.max(Math.round(now * ticksPerMs), ticks + 1);
      stampRun(run, { channel: 0, sequence: next, timestamp: ticks, ssrc });
      next = (next + run.offsets.length) & 0xffff;
      return Array.from(run.offsets, (at, index) => run.bytes.subarray(at + prefixBytes, packetEnd(run, index)));
    },
  };
}
