/** One track of one session: stamps access units, damages them where asked to, reports by RTCP. */
import { randomInt } from 'node:crypto';
import { packetEnd, prefixBytes, stampRun, headerBytes } from '../rtp/packet.ts';
import type { PacketRun } from '../rtp/packet.ts';
import { goodbye, senderReport } from '../rtp/rtcp.ts';
import type { Alteration } from './damage.ts';
import type { Outlet } from './outlet.ts';
import type { DueUnit } from './timeline.ts';

const reportIntervalMs = 2000;
const cname = 'camera-sim';

/** State of one RTP stream. Sequence, SSRC and timestamps begin at random, as RFC 3550 §5.1 asks for. */
export class Sender {
  readonly kind: 'video' | 'audio';
  readonly ssrc: number;
  readonly timestampOffset = randomInt(2 ** 32);
  readonly outlet: Outlet;
  #sequence = randomInt(2 ** 16);
  #packets = 0;
  #octets = 0;
  #reportAtMs = 0;
  #awaitsKeyframe = false;
  #droppedUnits = 0;

  constructor(kind: 'video' | 'audio', outlet: Outlet, ssrc = randomInt(1, 2 ** 32)) {
    this.kind = kind;
    this.ssrc = ssrc;
    this.outlet = outlet;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get packets(): number {
    return this.#packets;
  }

  get octets(): number {
    return this.#octets;
  }

  get droppedUnits(): number {
    return this.#droppedUnits;
  }

  /** Sends an access unit, or drops it and what depends on it while the client does not read. */
  send({ unit, ticks }: DueUnit, alter?: Alteration): void {
    this.#awaitsKeyframe = this.outlet.congested() || (this.#awaitsKeyframe && !unit.keyframe);
    if (this.#awaitsKeyframe) {
      this.#droppedUnits += 1;
      return;
    }
    const count = unit.offsets.length;
    const run: PacketRun = { bytes: Buffer.from(unit.bytes), offsets: unit.offsets };
    stampRun(run, { channel: this.outlet.channel, sequence: this.#sequence, timestamp: ticks + this.timestampOffset, ssrc: this.ssrc });
    this.#sequence = (this.#sequence + count) & 0xffff;
    this.#packets += count;
    this.#octets += unit.bytes.length - count * (prefixBytes + headerBytes);
    this.outlet.send(alter ? this.#altered(run, alter) : run);
  }

  /** Sends packets that are stamped already. */
  pass(run: PacketRun): void {
    this.#packets += run.offsets.length;
    this.#octets += run.bytes.length - run.offsets.length * (prefixBytes + headerBytes);
    this.outlet.send(run);
  }

  /** Sends a sender report where one is due; the first at once. `ticks` is the RTP time of `nowMs`. */
  report(nowMs: number, ticks: number): void {
    if (nowMs < this.#reportAtMs) return;
    this.#reportAtMs = nowMs + reportIntervalMs;
    this.outlet.sendControl(senderReport({ ssrc: this.ssrc, wallClockMs: Date.now(), rtpTimestamp: ticks + this.timestampOffset, packets: this.#packets, octets: this.#octets, cname }));
  }

  /** Sends any RTCP, or what is none. */
  control(packet: Buffer): void {
    this.outlet.sendControl(packet);
  }

  /** Ends the stream. */
  goodbye(): void {
    this.outlet.sendControl(goodbye({ ssrc: this.ssrc, cname }));
  }

  #altered(run: PacketRun, alter: Alteration): PacketRun {
    const packets = alter(Array.from(run.offsets, (start, index) => run.bytes.subarray(start, packetEnd(run, index))), { ssrc: this.ssrc, channel: this.outlet.channel });
    let at = 0;
    return { bytes: Buffer.concat(packets), offsets: Uint32Array.from(packets, ({ length }) => (at += length) - length) };
  }
}
