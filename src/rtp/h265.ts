/** H.265 into RTP without DONL (RFC 7798): single NAL units, aggregation packets for small neighbours, fragmentation units. */
import { aggregable } from './nal.ts';
import type { PacketWriter } from './packet.ts';

const aggregationPacket = 48;
const fragmentationUnit = 49;

/** Writes one access unit (NAL units without start codes, no delimiter); the last packet gets the marker. */
export function packetizeH265(units: readonly Buffer[], writer: PacketWriter): void {
  for (let index = 0; index < units.length;) {
    const count = aggregable(units, { start: index, headerBytes: 2, maxPayload: writer.maxPayload });
    const last = index + count === units.length;
    const unit = units[index] as Buffer;
    if (count > 1) aggregate(units.slice(index, index + count), { writer, marker: last });
    else if (unit.length <= writer.maxPayload) unit.copy(writer.open(unit.length, last));
    else fragment(unit, { writer, marker: last });
    index += count;
  }
}

type Target = { writer: PacketWriter; marker: boolean };

/** The payload header takes the lowest layer and temporal id of what is inside (RFC 7798 §4.4.2). */
function aggregate(units: readonly Buffer[], { writer, marker }: Target): void {
  const payload = writer.open(units.reduce((size, unit) => size + 2 + unit.length, 2), marker);
  const ids = Math.min(...units.map((unit) => unit.readUInt16BE(0) & 0x01ff));
  payload.writeUInt16BE((aggregationPacket << 9) | ids, 0);
  let at = 2;
  for (const unit of units) {
    payload.writeUInt16BE(unit.length, at);
    unit.copy(payload, at + 2);
    at += 2 + unit.length;
  }
}

function fragment(unit: Buffer, { writer, marker }: Target): void {
  const header = unit.readUInt16BE(0);
  const size = writer.maxPayload - 3;
  for (let at = 2; at < unit.length; at += size) {
    const end = Math.min(at + size, unit.length);
    const last = end === unit.length;
    const payload = writer.open(3 + end - at, marker && last);
    payload.writeUInt16BE((header & 0x81ff) | (fragmentationUnit << 9), 0);
    payload[2] = ((header >> 9) & 0x3f) | (at === 2 ? 0x80 : 0) | (last ? 0x40 : 0);
    unit.copy(payload, 3, at, end);
  }
}
