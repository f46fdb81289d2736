/** Makes of a hub's packets the RTP stream of one primer: cut to the size of a network packet, numbered anew, stamped on arrival. Pure. */
import { packetizeH264 } from '../rtp/h264.ts';
import { packetEnd, PacketWriter, prefixBytes, stampRun } from '../rtp/packet.ts';
import { aggregated, type HubPacket } from './hub-reader.ts';

const stapA = 24;
const fuA = 28;
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
  let units: Buffer[] = [];
  let parts: Buffer[] = [];

  const collect = (payload: Buffer): void => {
    const first = payload[0] ?? 0;
    const kind = first & 0x1f;
    if (kind === stapA) units.push(...aggregated(payload));
    else if (kind !== fuA) units.push(payload);
    else {
      const header = payload[1] ?? 0;
      if ((header & 0x80) !== 0) parts = [Buffer.of((first & 0xe0) | (header & 0x1f))];
      parts.push(payload.subarray(2));
      if ((header & 0x40) === 0) return;
      units.push(Buffer.concat(parts));
      parts = [];
    }
  };

  return {
    next: () => next,
    begin(from) {
      next = from;
      units = [];
      parts = [];
    },
    add({ payload, marker }, now) {
      collect(payload);
      if (!marker) return [];
      packetizeH264(units.filter((unit) => unit.length > 0), writer);
      units = [];
      const run = writer.finish();
      ticks = Math.max(Math.round(now * ticksPerMs), ticks + 1);
      stampRun(run, { channel: 0, sequence: next, timestamp: ticks, ssrc });
      next = (next + run.offsets.length) & 0xffff;
      return Array.from(run.offsets, (at, index) => run.bytes.subarray(at + prefixBytes, packetEnd(run, index)));
    },
  };
}
