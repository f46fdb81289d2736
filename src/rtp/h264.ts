/** H.264 into RTP, packetization-mode 1 (RFC 6184): single NAL units, STAP-A for small neighbours, FU-A for large ones. */
import { aggregable } from './nal.ts';
import type { PacketWriter } from './packet.ts';

const stapA = 24;
const fuA = 28;

/** Writes one access unit (NAL units without start codes, no delimiter); the last packet gets the marker. */
export function packetizeH264(units: readonly Buffer[], writer: PacketWriter): void {
  for (let index = 0; index < units.length;) {
    const count = aggregable(units, { start: index, headerBytes: 1, maxPayload: writer.maxPayload });
    const last = index + count === units.length;
    const unit = units[index] as Buffer;
    if (count > 1) aggregate(units.slice(index, index + count), { writer, marker: last });
    else if (unit.length <= writer.maxPayload) unit.copy(writer.open(unit.length, last));
    else fragment(unit, { writer, marker: last });
    index += count;
  }
}

type Target = { writer: PacketWriter; marker: boolean };

function aggregate(units: readonly Buffer[], { writer, marker }: Target): void {
  const payload = writer.open(units.reduce((size, unit) => size + 2 + unit.length, 1), marker);
  // F is the OR, NRI the maximum of what is inside (RFC 6184 §5.7.1).
  const importance = Math.max(...units.map((unit) => unit.readUInt8(0) & 0x60));
  payload[0] = stapA | importance | (units.some((unit) => unit.readUInt8(0) >= 0x80) ? 0x80 : 0);
  let at = 1;
  for (const unit of units) {
    payload.writeUInt16BE(unit.length, at);
    unit.copy(payload, at + 2);
    at += 2 + unit.length;
  }
}

function fragment(unit: Buffer, { writer, marker }: Target): void {
  const header = unit.readUInt8(0);
  const size = writer.maxPayload - 2;
  for (let at = 1; at < unit.length; at += size) {
    const end = Math.min(at + size, unit.length);
    const last = end === unit.length;
    const payload = writer.open(2 + end - at, marker && last);
    payload[0] = (header & 0xe0) | fuA;
    payload[1] = (header & 0x1f) | (at === 1 ? 0x80 : 0) | (last ? 0x40 : 0);
    unit.copy(payload, 2, at, end);
  }
}
