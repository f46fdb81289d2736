/** Audio into RTP: G.711 (RFC 3551 §4.5.14) and AAC in hbr mode (RFC 3640 §3.3.6), one access unit a packet. */
import type { PacketWriter } from './packet.ts';

/** Writes a block of G.711 samples. */
export function packetizeG711(samples: Buffer, writer: PacketWriter): void {
  samples.copy(writer.open(samples.length, false));
}

/** Writes one raw AAC access unit (no ADTS header); one that exceeds the MTU is fragmented (RFC 3640 §3.1). */
export function packetizeAac(unit: Buffer, writer: PacketWriter): void {
  const size = writer.maxPayload - 4;
  for (let at = 0; at < unit.length; at += size) {
    const end = Math.min(at + size, unit.length);
    const payload = writer.open(4 + end - at, end === unit.length);
    // AU-headers-length in bits, then AU-size (13 bits, of the whole unit even in a fragment) and AU-index 0 (3 bits).
    payload.writeUInt16BE(16, 0);
    payload.writeUInt16BE(unit.length << 3, 2);
    unit.copy(payload, 4, at, end);
  }
}
