/** Reads an H.264 hub from outside GStreamer: RTP packets (RFC 3550) framed by RFC 4571, a 16-bit length before each. */

/** One RTP packet of a hub. `timestamp` is in 90 kHz units; `marker` ends an access unit. */
export type HubPacket = { sequence: number; timestamp: number; marker: boolean; payload: Buffer };

const lengthBytes = 2;
const rtpHeaderBytes = 12;
/** NAL unit types (H.264 table 7-1): a coded slice of an IDR picture, and a sequence parameter set. */
const idr = 5;
const sps = 7;

/** Whether an H.264 payload (RFC 6184 §5) begins, or aggregates, a slice of an IDR picture. */
export function beginsKeyframe(payload: Uint8Array): boolean {
  const kind = (payload[0] ?? 0) & 0x1f;
  if (kind === 24) return aggregates(payload, idr);
  if (kind === 28) return ((payload[1] ?? 0) & 0x80) !== 0 && ((payload[1] ?? 0) & 0x1f) === idr;
  return kind === idr;
}

/** Whether a payload is, or aggregates, a sequence parameter set: what mediasoup takes for the beginning of a keyframe. */
export function carriesParameterSets(payload: Uint8Array): boolean {
  const kind = (payload[0] ?? 0) & 0x1f;
  return kind === sps || (kind === 24 && aggregates(payload, sps));
}

/** The NAL units of a STAP-A: 16 bits of length before each. */
export function* aggregated<B extends Uint8Array>(payload: B): Generator<B> {
  for (let at = 1; at + 2 < payload.length;) {
    const end = at + 2 + (((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0));
    yield payload.subarray(at + 2, end) as B;
    at = end;
  }
}

function aggregates(payload: Uint8Array, kind: number): boolean {
  return aggregated(payload).some((unit) => ((unit[0] ?? 0) & 0x1f) === kind);
}

/** An incremental reader: feed it chunks, it hands out packets. Throws on what is not RTP. */
export function createHubReader(onPacket: (packet: HubPacket) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= lengthBytes) {
      const length = pending.readUInt16BE(0);
      if (pending.length < lengthBytes + length) return;
      if (length < rtpHeaderBytes || ((pending[lengthBytes] ?? 0) & 0xc0) !== 0x80) throw new Error('The hub does not speak RTP framed by RFC 4571.');
      const packet = pending.subarray(lengthBytes, lengthBytes + length);
      onPacket({ sequence: packet.readUInt16BE(2), timestamp: packet.readUInt32BE(4), marker: ((packet[1] ?? 0) & 0x80) !== 0, payload: packet.subarray(rtpHeaderBytes) });
      pending = pending.subarray(lengthBytes + length);
    }
  };
}
