/** RTP packets (RFC 3550 §5.1) of one access unit, laid out in one buffer behind interleaved prefixes, stamped in place. */

/** Bytes of an interleaved prefix (RFC 2326 §10.12) before every packet; UDP senders skip it. */
export const prefixBytes = 4;

/** Bytes of an RTP header without extensions. */
export const headerBytes = 12;

/** Packets one behind the other: at each offset a prefix, then the RTP packet. Sequence, timestamp and SSRC are blank until stamped. */
export type PacketRun = { bytes: Buffer; offsets: Uint32Array };

/** What {@link stampRun} writes into every packet of a run; sequence numbers count up from `sequence`. */
export type Stamp = { channel: number; sequence: number; timestamp: number; ssrc: number };

/** Collects the packets of one access unit. Packetisers ask for a payload and fill it. Reusable after {@link PacketWriter.finish}. */
export class PacketWriter {
  /** Largest payload of a packet, so that it fits the path's MTU. */
  readonly maxPayload: number;
  readonly #payloadType: number;
  #bytes: Buffer = Buffer.allocUnsafe(65_536);
  #length = 0;
  #offsets: number[] = [];

  constructor(options: { payloadType: number; maxPayload?: number }) {
    this.#payloadType = options.payloadType;
    this.maxPayload = options.maxPayload ?? 1388;
  }

  /** Begins a packet and returns its payload, to be filled at once: the next call may move the buffer. */
  open(payloadBytes: number, marker: boolean): Buffer {
    const start = this.#length;
    const payload = start + prefixBytes + headerBytes;
    this.#grow(payload + payloadBytes);
    const bytes = this.#bytes;
    bytes[start] = 0x24;
    bytes[start + 1] = 0;
    bytes.writeUInt16BE(headerBytes + payloadBytes, start + 2);
    bytes[start + 4] = 0x80;
    bytes[start + 5] = (marker ? 0x80 : 0) | this.#payloadType;
    this.#offsets.push(start);
    this.#length = payload + payloadBytes;
    return bytes.subarray(payload, this.#length);
  }

  /** The packets so far as a run of their own; the writer is empty again. */
  finish(): PacketRun {
    const run = { bytes: Buffer.from(this.#bytes.subarray(0, this.#length)), offsets: Uint32Array.from(this.#offsets) };
    this.#length = 0;
    this.#offsets = [];
    return run;
  }

  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Stamps every packet of a run, in place. */
export function stampRun({ bytes, offsets }: PacketRun, { channel, sequence, timestamp, ssrc }: Stamp): void {
  for (let index = 0; index < offsets.length; index += 1) {
    const at = offsets[index] as number;
    bytes[at + 1] = channel;
    bytes.writeUInt16BE((sequence + index) & 0xffff, at + 6);
    bytes.writeUInt32BE(timestamp >>> 0, at + 8);
    bytes.writeUInt32BE(ssrc >>> 0, at + 12);
  }
}

/** End of packet `index` of a run: where the next one begins. */
export function packetEnd({ bytes, offsets }: PacketRun, index: number): number {
  return offsets[index + 1] ?? bytes.length;
}

/** An RTP header as it was received; `payload` is a view. */
export type RtpPacket = { payloadType: number; marker: boolean; sequence: number; timestamp: number; ssrc: number; payload: Buffer };

/** Parses an RTP packet, CSRCs, extension and padding removed; undefined where it is none. */
export function parseRtp(bytes: Buffer): RtpPacket | undefined {
  const first = bytes[0];
  if (first === undefined || bytes.length < headerBytes || first >> 6 !== 2) return undefined;
  let start = headerBytes + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (bytes.length < start + 4) return undefined;
    start += 4 + bytes.readUInt16BE(start + 2) * 4;
  }
  const end = bytes.length - ((first & 0x20) !== 0 ? (bytes.at(-1) as number) : 0);
  if (start > end) return undefined;
  const second = bytes.readUInt8(1);
  return { payloadType: second & 0x7f, marker: second >= 0x80, sequence: bytes.readUInt16BE(2), timestamp: bytes.readUInt32BE(4), ssrc: bytes.readUInt32BE(8), payload: bytes.subarray(start, end) };
}
