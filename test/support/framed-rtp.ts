/** RTP packets (RFC 3550 §5.1) behind their lengths (RFC 4571 §2), as hubs give them and `rtpstreamdepay` reads them. */

/** What a packet says; `timestamp` in ticks, `first` the byte with version, padding, extension and CSRC count. */
export type FramedPacket = { payload: Uint8Array; sequence: number; timestamp?: number; marker?: boolean; first?: number };

/** One packet of payload type 96 and SSRC 1. */
export function framedRtp({ payload, sequence, timestamp = 0, marker = true, first = 0x80 }: FramedPacket): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(12 + payload.length, 0);
  head.writeUInt8(first, 2);
  head.writeUInt8(96 | (marker ? 0x80 : 0), 3);
  head.writeUInt16BE(sequence, 4);
  head.writeUInt32BE(timestamp, 6);
  head.writeUInt32BE(1, 10);
  return Buffer.concat([head, payload]);
}
