/** What the SFU would get of a camera: a real source host whose feed ends in a socket here, which takes every packet apart. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseRtp, type RtpPacket } from '../../src/rtp/packet.ts';
import type { HostEvent } from '../../src/native/protocol.ts';
import { sourceSpec, type startPool } from './hosts.ts';

/** A feed under watch. `wrong`: what was no RTP with NAL units of H.264, in words. `keyframeAt`: when the last whole keyframe came, ms since the epoch. */
export type FeedWatch = { readonly wrong: string[]; readonly packets: () => number; readonly keyframeAt: () => number; readonly failures: string[]; close(): Promise<void> };

const payloadType = 102;

/** Pulls a camera of H.264 as the program does, with a fresh host after each failure. */
export async function watchFeed(hosts: ReturnType<typeof startPool>, url: string): Promise<FeedWatch> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const judge = new FeedJudge();
  socket.on('message', (data) => judge.take(data));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const failures: string[] = [];
  let isOver = false;
  let stop: (() => void) | undefined;
  const running = pull();
  return {
    wrong: judge.wrong, failures,
    packets: () => judge.packets,
    keyframeAt: () => judge.keyframeAt,
    async close() {
      isOver = true;
      stop?.();
      await running;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };

  async function pull(): Promise<void> {
    while (!isOver) {
      const host = await hosts.pool.take('camera:watched/source');
      const bindPort = await freePort();
      const failed = Promise.withResolvers<string>();
      stop = () => failed.resolve('stopped');
      host.listen((event: HostEvent) => void (event.type === 'source.failed' && failed.resolve(event.failure.class)));
      void host.exited.then(() => failed.resolve('host-crash'));
      judge.begin();
      host.send({ type: 'source.start', spec: sourceSpec(url, { feed: { port: socket.address().port, bindPort, ssrc: 0x10203040, payloadType, open: true } }) });
      const why = await failed.promise;
      if (!isOver) failures.push(why);
      await host.kill();
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createSocket({ type: 'udp4' });
  probe.bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** NAL unit types that a decoder may get (H.264 table 7-1): nothing reserved, nothing that only RTP has. */
const known = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21]);

class FeedJudge {
  readonly wrong: string[] = [];
  packets = 0;
  keyframeAt = 0;
  #sequence: number | null = null;
  #fragment: number | null = null;
  #hasSets = false;

  /** Another source: its numbers begin anew. */
  begin(): void {
    this.#sequence = null;
    this.#fragment = null;
  }

  take(data: Buffer): void {
    const packet = parseRtp(data);
    if (!packet || packet.payloadType !== payloadType || packet.ssrc !== 0x10203040) return void this.wrong.push(`no packet of ours: ${data.subarray(0, 16).toString('hex')}`);
    this.packets += 1;
    if (this.#sequence !== null && packet.sequence !== (this.#sequence + 1 & 0xffff)) this.wrong.push(`sequence ${this.#sequence} → ${packet.sequence}`);
    this.#sequence = packet.sequence;
    this.#units(packet);
  }

  #units({ payload, marker }: RtpPacket): void {
    const type = (payload[0] ?? 0) & 0x1f;
    if (payload.length === 0) this.wrong.push('a packet without payload');
    else if (type === 28) this.#fragmentOf(payload, marker);
    else if (this.#fragment !== null) this.wrong.push('a fragment without an end');
    else if (type === 24) this.#aggregate(payload);
    else this.#unit(payload);
    if (this.#fragment !== null && type !== 28) this.#fragment = null;
  }

  #aggregate(payload: Buffer): void {
    for (let at = 1; at < payload.length;) {
      const length = at + 2 <= payload.length ? payload.readUInt16BE(at) : 0;
      if (length === 0 || at + 2 + length > payload.length) return void this.wrong.push(`an aggregate whose lengths do not add up: ${payload.subarray(0, 16).toString('hex')}`);
      this.#unit(payload.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }

  #fragmentOf(payload: Buffer, marker: boolean): void {
    const head = payload[1] ?? 0;
    const [start, end, type] = [(head & 0x80) !== 0, (head & 0x40) !== 0, head & 0x1f];
    if (start && end) this.wrong.push('a fragment that is whole');
    if (start === (this.#fragment !== null) || (!start && this.#fragment !== type)) this.wrong.push(`a fragment of ${type} where ${this.#fragment ?? 'none'} was open`);
    if (start) this.#type(type, (payload[0] ?? 0) >= 0x80);
    if (marker && !end) this.wrong.push('an access unit that ends within a fragment');
    this.#fragment = end ? null : type;
  }

  #unit(unit: Buffer): void {
    this.#type((unit[0] ?? 0) & 0x1f, (unit[0] ?? 0) >= 0x80);
  }

  #type(type: number, forbidden: boolean): void {
    if (forbidden || !known.has(type)) this.wrong.push(`NAL unit type ${type}${forbidden ? ' with the forbidden bit' : ''}`);
    if (type === 7) this.#hasSets = true;
    if (type === 5 && this.#hasSets) this.keyframeAt = Date.now();
    if (type === 1) this.#hasSets = false;
  }
}
