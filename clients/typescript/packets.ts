/**
 * Records a camera from Lookout's packets, without decoding: a Matroska file for each run of its source. No dependencies.
 *
 *   LOOKOUT_TOKEN=… node clients/typescript/packets.ts http://127.0.0.1:8085 CAMERA FOLDER [SECONDS]
 *
 * H.264 comes as RTP (RFC 6184) framed by RFC 4571, H.265 as a Matroska stream (docs/frames.md). Both begin with a keyframe.
 */
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What `GET /api/v1/cameras/CAMERA/packets` answers. */
export type Packets = { camera: string; protocol: 'rtp-rfc4571' | 'matroska'; host: string; port: number; width: number | null; height: number | null };

/** The description of the track, as Matroska holds it, or an access unit: NAL units with their lengths, `ms` on the camera's time line. */
type Item = { tracks: Buffer } | { ms: number; key: boolean; data: Buffer };

const ids = { ebml: 0x1a45dfa3, segment: 0x18538067, info: 0x1549a966, tracks: 0x1654ae6b, cluster: 0x1f43b675, timestamp: 0xe7, simpleBlock: 0xa3 } as const;
/** A block tells its time in 16 bits. */
const clusterMs = 20_000;
const retryMs = 250;

/** An EBML element (RFC 8794); its size always takes eight bytes. */
function element(id: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE((1n << 56n) | BigInt(body.length));
  return Buffer.concat([Buffer.from(id.toString(16), 'hex'), size, body]);
}

function integer(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

const text = (id: number, value: string): Buffer => element(id, Buffer.from(value));

/** A file (RFC 9559) that is whole after each cluster, so that nothing has to be finished. */
class MatroskaFile {
  readonly #fd: number;
  #cluster: Buffer[] = [];
  #first: number | null = null;
  #begun = 0;

  constructor(fd: number, tracks: Buffer) {
    this.#fd = fd;
    const head = element(ids.ebml, integer(0x4286, 1), integer(0x42f7, 1), integer(0x42f2, 4), integer(0x42f3, 8), text(0x4282, 'matroska'), integer(0x4287, 4), integer(0x4285, 2));
    const unknownSize = Buffer.from('01ffffffffffffff', 'hex');
    writeSync(fd, Buffer.concat([head, Buffer.from(ids.segment.toString(16), 'hex'), unknownSize, element(ids.info, integer(0x2ad7b1, 1_000_000), text(0x4d80, 'packets.ts'), text(0x5741, 'packets.ts')), tracks]));
  }

  /** The first one must be a keyframe; it becomes time 0. */
  write({ ms: at, key, data }: Extract<Item, { ms: number }>): void {
    this.#first ??= at;
    const ms = at - this.#first;
    if (this.#cluster.length === 0 || key || ms - this.#begun > clusterMs) {
      this.flush();
      this.#begun = ms;
    }
    const head = Buffer.from([0x81, 0, 0, key ? 0x80 : 0]);
    head.writeInt16BE(ms - this.#begun, 1);
    this.#cluster.push(element(ids.simpleBlock, head, data));
  }

  /** Writes what is held back, up to a GOP. */
  flush(): void {
    if (this.#cluster.length > 0) writeSync(this.#fd, element(ids.cluster, integer(ids.timestamp, this.#begun), ...this.#cluster));
    this.#cluster = [];
  }
}

/** The description of an H.264 track, with its decoder configuration (ISO/IEC 14496-15). */
function h264Tracks(sps: Buffer, pps: Buffer, { width, height }: Packets): Buffer {
  const length = (bytes: Buffer): Buffer => Buffer.from([bytes.length >> 8, bytes.length & 0xff]);
  const configuration = element(0x63a2, Buffer.from([1, sps[1]!, sps[2]!, sps[3]!, 0xff, 0xe1]), length(sps), sps, Buffer.from([1]), length(pps), pps);
  const video = element(0xe0, integer(0xb0, width ?? 0), integer(0xba, height ?? 0));
  return element(ids.tracks, element(0xae, integer(0xd7, 1), integer(0x73c5, 1), integer(0x83, 1), integer(0x9c, 0), text(0x86, 'V_MPEG4/ISO/AVC'), configuration, video));
}

/** NAL units out of the RTP payloads of one access unit (RFC 6184: single, STAP-A, FU-A). */
function* nalUnits(payloads: readonly Buffer[]): Generator<Buffer> {
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const kind = payload[0]! & 0x1f;
    if (kind === 24) {
      for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) yield payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at));
    } else if (kind === 28) {
      if ((payload[1]! & 0x80) !== 0) fragments = [Buffer.from([(payload[0]! & 0xe0) | (payload[1]! & 0x1f)])];
      fragments.push(payload.subarray(2));
      if ((payload[1]! & 0x40) !== 0) yield Buffer.concat(fragments);
    } else yield payload;
  }
}

/** Takes bytes of a hub, gives what they hold. */
type Reader = { take(bytes: Buffer): Generator<Item, number> };

/** RTP; `take` returns how many bytes it used. */
function rtpReader(packets: Packets): Reader {
  let payloads: Buffer[] = [];
  let known = false;
  let ticks = 0;
  let last: number | null = null;
  function* unit(stamp: number): Generator<Item> {
    // 32 bits of 90 kHz come round after 13 hours.
    ticks += last === null ? 0 : (stamp - last) | 0;
    last = stamp;
    const units = [...nalUnits(payloads)];
    payloads = [];
    const ofKind = (kind: number): Buffer | undefined => units.find((nal) => (nal[0]! & 0x1f) === kind);
    const [sps, pps] = [ofKind(7), ofKind(8)];
    if (!known && sps && pps) {
      known = true;
      yield { tracks: h264Tracks(sps, pps, packets) };
    }
    if (known) yield { ms: Math.floor(ticks / 90), key: ofKind(5) !== undefined, data: Buffer.concat(units.flatMap((nal) => [Buffer.from(Uint32Array.of(nal.length).buffer).reverse(), nal])) };
  }
  return {
    *take(bytes) {
      let at = 0;
      while (bytes.length >= at + 2 && bytes.length >= at + 2 + bytes.readUInt16BE(at)) {
        const packet = bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at));
        at += 2 + packet.length;
        payloads.push(packet.subarray(12));
        // The marker ends an access unit.
        if ((packet[1]! & 0x80) !== 0) yield* unit(packet.readUInt32BE(4));
      }
      return at;
    },
  };
}

/** A Matroska stream: segment and clusters have no known size and are walked through. */
function matroskaReader(): Reader {
  let begun = 0;
  return {
    *take(bytes) {
      for (let at = 0; ;) {
        const id = vint(bytes, at, true);
        const size = id && vint(bytes, id.end, false);
        if (!id || !size) return at;
        const isOpen = id.value === ids.segment || id.value === ids.cluster;
        if (!isOpen && bytes.length < size.end + size.value) return at;
        const body = bytes.subarray(size.end, isOpen ? size.end : size.end + size.value);
        at = size.end + body.length;
        if (id.value === ids.tracks) yield { tracks: element(ids.tracks, body) };
        if (id.value === ids.timestamp) begun = body.readUIntBE(0, body.length);
        if (id.value === ids.simpleBlock) yield { ms: begun + body.readInt16BE(1), key: (body[3]! & 0x80) !== 0, data: body.subarray(4) };
      }
    },
  };
}

function vint(bytes: Buffer, at: number, withMarker: boolean): { value: number; end: number } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  // Without the marker at once: eight bytes with it are more than a number holds.
  const head = withMarker ? first : first & (0xff >> length);
  return { value: bytes.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, head), end: at + length };
}

/** One file, until the hub ends or `signal` says so. Resolves with its path. */
export async function record(packets: Packets, folder: string, signal: AbortSignal): Promise<string> {
  const socket = connect(packets.port, packets.host);
  await once(socket, 'connect');
  const path = join(folder, `${packets.camera}-${new Date().toISOString().replaceAll(/[-:]/gu, '')}.mkv`);
  const fd = openSync(path, 'w');
  const reader = packets.protocol === 'matroska' ? matroskaReader() : rtpReader(packets);
  let file: MatroskaFile | undefined;
  let rest = Buffer.alloc(0);
  signal.addEventListener('abort', () => socket.destroy());
  try {
    for await (const chunk of socket) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      const items = reader.take(rest);
      let next = items.next();
      for (; next.done !== true; next = items.next()) {
        if ('tracks' in next.value) file ??= new MatroskaFile(fd, next.value.tracks);
        else file?.write(next.value);
      }
      rest = rest.subarray(next.value);
    }
  } catch (error) {
    if (!signal.aborted) process.stderr.write(`${String(error)}\n`);
  }
  file?.flush();
  closeSync(fd);
  return path;
}

async function main(): Promise<void> {
  const [url, camera, folder, seconds] = process.argv.slice(2);
  if (url === undefined || camera === undefined || folder === undefined) {
    process.stderr.write('usage: LOOKOUT_TOKEN=… node packets.ts http://127.0.0.1:8085 CAMERA FOLDER [SECONDS]\n');
    process.exit(2);
  }
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
  if (seconds !== undefined) setTimeout(() => ending.abort(), Number(seconds) * 1_000).unref();
  while (!ending.signal.aborted) {
    try {
      const answer = await fetch(`${url}/api/v1/cameras/${camera}/packets`, { headers: { authorization: `Bearer ${process.env['LOOKOUT_TOKEN'] ?? ''}` } });
      const found = await answer.json() as Packets & { message?: string };
      if (!answer.ok) throw new Error(found.message);
      process.stdout.write(`${await record(found, folder, ending.signal)}\n`);
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      await delay(retryMs);
    }
  }
}

if (import.meta.main) await main();
