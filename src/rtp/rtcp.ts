/** RTCP (RFC 3550 §6): the compound packets a sender sends, and telling what a receiver sent. */

/** Seconds between the NTP era (1900) and the Unix epoch. */
const ntpEpochOffset = 2_208_988_800;

/** Sender's figures at one instant: `rtpTimestamp` is the media clock at `wallClockMs` (Unix time). */
export type SenderReport = { ssrc: number; wallClockMs: number; rtpTimestamp: number; packets: number; octets: number; cname: string };

/** A compound packet of a sender report and the source's CNAME. */
export function senderReport(report: SenderReport): Buffer {
  const description = sourceDescription(report.ssrc, report.cname);
  const bytes = Buffer.alloc(28 + description.length);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8(200, 1);
  bytes.writeUInt16BE(6, 2);
  bytes.writeUInt32BE(report.ssrc >>> 0, 4);
  const seconds = Math.floor(report.wallClockMs / 1000);
  const fraction = report.wallClockMs / 1000 - seconds;
  bytes.writeUInt32BE((seconds + ntpEpochOffset) >>> 0, 8);
  bytes.writeUInt32BE(Math.min(0xffff_ffff, Math.floor(fraction * 2 ** 32)), 12);
  bytes.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  bytes.writeUInt32BE(report.packets >>> 0, 20);
  bytes.writeUInt32BE(report.octets >>> 0, 24);
  description.copy(bytes, 28);
  return bytes;
}

/** A compound packet that ends a source: empty receiver report, CNAME, BYE. */
export function goodbye({ ssrc, cname }: { ssrc: number; cname: string }): Buffer {
  const report = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]);
  const bye = Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 0]);
  report.writeUInt32BE(ssrc >>> 0, 4);
  bye.writeUInt32BE(ssrc >>> 0, 4);
  return Buffer.concat([report, sourceDescription(ssrc, cname), bye]);
}

/** One packet of a compound. For a sender report the instant is given back as it was sent. */
export type RtcpPacket =
  | { type: 'sender-report'; ssrc: number; wallClockMs: number; rtpTimestamp: number; packets: number; octets: number }
  | { type: 'bye'; ssrc: number }
  /** PLI (RFC 4585 §6.3.1) or FIR (RFC 5104 §4.3.1): whoever shows this stream cannot go on without a keyframe. */
  | { type: 'keyframe-request'; ssrc: number }
  | { type: 'other'; payloadType: number };

/** The packets of a compound, up to the first that is cut off. */
export function parseRtcp(bytes: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = 4 + bytes.readUInt16BE(at + 2) * 4;
    if (bytes.readUInt8(at) >> 6 !== 2 || at + length > bytes.length) break;
    packets.push(parseOne(bytes.subarray(at, at + length)));
    at += length;
  }
  return packets;
}

function parseOne(bytes: Buffer): RtcpPacket {
  const payloadType = bytes.readUInt8(1);
  if (payloadType === 203 && bytes.length >= 8) return { type: 'bye', ssrc: bytes.readUInt32BE(4) };
  if (payloadType === 206) {
    const kind = bytes.readUInt8(0) & 0x1f;
    if (kind === 1 && bytes.length >= 12) return { type: 'keyframe-request', ssrc: bytes.readUInt32BE(8) };
    // A FIR names its stream in the entry behind, not in the header.
    if (kind === 4 && bytes.length >= 20) return { type: 'keyframe-request', ssrc: bytes.readUInt32BE(12) };
  }
  if (payloadType !== 200 || bytes.length < 28) return { type: 'other', payloadType };
  const wallClockMs = (bytes.readUInt32BE(8) - ntpEpochOffset + bytes.readUInt32BE(12) / 2 ** 32) * 1000;
  return { type: 'sender-report', ssrc: bytes.readUInt32BE(4), wallClockMs, rtpTimestamp: bytes.readUInt32BE(16), packets: bytes.readUInt32BE(20), octets: bytes.readUInt32BE(24) };
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255);
  // SSRC, CNAME item, at least one zero, padded to 32 bits.
  const chunk = Math.ceil((4 + 2 + name.length + 1) / 4) * 4;
  const bytes = Buffer.alloc(4 + chunk);
  bytes.writeUInt8(0x81, 0);
  bytes.writeUInt8(202, 1);
  bytes.writeUInt16BE(chunk / 4, 2);
  bytes.writeUInt32BE(ssrc >>> 0, 4);
  bytes.writeUInt8(1, 8);
  bytes.writeUInt8(name.length, 9);
  name.copy(bytes, 10);
  return bytes;
}
