/** The packets of one replayed session: the recording's sequence numbers, timestamps, gaps and pauses, filled from a clip. */
import type { FlightRun } from '../media.ts';
import { packetEnd, stampRun } from '../rtp/packet.ts';
import type { PacketRun } from '../rtp/packet.ts';
import type { Replay } from './replay.ts';
import { unitSource } from './replay-unit.ts';
import type { UnitSource } from './replay-unit.ts';
import type { Sender } from './sender.ts';

/** A unit, or the part of one that came in one go. `offset` packets of its unit, which has `size` of them, came or were lost before. */
type Part = { dueMs: number; run: FlightRun; sequence: number; timestamp: number; count: number; offset: number; size: number };

/** What of a clip is being sent on one track. */
type Filling = { source: UnitSource; unit: PacketRun | undefined };

/** The recording's window: a session older than that began before its first packet. */
const windowMs = 30_000;
const leadMs = 100;
/** A unit of more packets than this is a jump of the sequence number. */
const largestUnit = 4096;

/** Plays a recording to one session. */
export class ReplayStream {
  readonly #parts: readonly Part[];
  readonly #lastsMs: number;
  readonly #loops: boolean;
  readonly #fillings: Map<FlightRun['track'], Filling>;
  /** Where in the recording the next part is, and how often it was played before. */
  #next = 0;
  #round = 0;
  #beganMs: number;

  constructor({ recording, clips, ending }: Replay, nowMs: number) {
    const start = startOf(recording);
    this.#parts = partsOf(recording.rtp, start);
    this.#lastsMs = Math.max(0, Date.parse(recording.to) - Date.parse(recording.from) - start);
    this.#loops = ending === 'go-on' && this.#parts.length > 0;
    this.#fillings = new Map(clips.map(({ kind, clip }) => [kind, { source: unitSource(clip), unit: undefined }]));
    this.#beganMs = nowMs;
  }

  /** Sends what is due; false once all is told. */
  emit(nowMs: number, senders: readonly Sender[]): boolean {
    for (;;) {
      const part = this.#parts[this.#next];
      if (part === undefined) {
        if (!this.#loops) return nowMs < this.#beganMs + this.#lastsMs;
        this.#startOver();
      } else if (nowMs < this.#beganMs + part.dueMs) return true;
      else {
        this.#next += 1;
        this.#send(part, senders);
      }
    }
  }

  /** Begins again where it ended, one frame later: to the client it is one stream. */
  #startOver(): void {
    this.#beganMs += (this.#parts.at(-1)?.dueMs ?? 0) + 40 - (this.#parts[0]?.dueMs ?? 0);
    this.#next = 0;
    this.#round += 1;
  }

  #send({ run, sequence, timestamp, count, offset, size }: Part, senders: readonly Sender[]): void {
    const filling = this.#fillings.get(run.track);
    const sender = senders.find(({ kind }) => kind === run.track);
    if (!filling || !sender) return;
    const isFirst = offset === 0 || filling.unit === undefined;
    if (isFirst) filling.unit = filling.source.next({ keyframe: run.keyframe && sequence === run.sequence, packets: size, bytes: Math.round((run.bytes / run.count) * size) });
    const packets = cut(filling.unit as PacketRun, offset, count);
    const [shiftSequence, shiftTime] = this.#shift(run);
    stampRun(packets, { channel: sender.outlet.channel, sequence: sequence + shiftSequence, timestamp: timestamp + shiftTime, ssrc: run.ssrc });
    packets.offsets.forEach((at, index) => {
      packets.bytes[at + 5] = (run.marker && (run.step !== 0 || index === count - 1) ? 0x80 : 0) | run.payloadType;
    });
    sender.pass(packets);
  }

  /** What later rounds add to sequence numbers and timestamps of a track. */
  #shift({ track }: FlightRun): [sequence: number, timestamp: number] {
    if (this.#round === 0) return [0, 0];
    const own = this.#parts.filter(({ run }) => run.track === track);
    const [first, last] = [own[0] as Part, own.at(-1) as Part];
    const frame = own.find(({ timestamp }) => timestamp !== first.timestamp)?.timestamp ?? first.timestamp;
    const [sequences, ticks] = [last.sequence + last.count - first.sequence, last.timestamp - first.timestamp + (frame - first.timestamp)];
    return [(sequences & 0xffff) * this.#round, ticks * this.#round];
  }
}

/** The first sequence number and RTP time of a track, for `RTP-Info`. */
export function startOfTrack({ recording: { rtp } }: Replay, track: FlightRun['track']): { ssrc: number; sequence: number; timestamp: number } | undefined {
  return rtp.find((run) => run.track === track);
}

/** The moment of the recording that the answer to PLAY stands for. */
function startOf({ dialogue, rtp, from, to }: Replay['recording']): number {
  const asked = dialogue.findLastIndex(({ by, direction, text }) => by === 'source' && direction === 'sent' && text.startsWith('PLAY '));
  const played = asked === -1 ? undefined : dialogue[asked + 1]?.at;
  const first = rtp[0]?.at;
  const lasted = Date.parse(to) - Date.parse(from);
  if (played !== undefined && (first === undefined || lasted - played <= windowMs)) return played;
  return first === undefined ? lasted : first - leadMs;
}

function partsOf(rtp: readonly FlightRun[], startMs: number): Part[] {
  const parts = rtp.flatMap((run, index): Part[] => {
    const dueMs = Math.max(0, run.at - startMs);
    if (run.step === 0) return [{ dueMs, run, sequence: run.sequence, timestamp: run.timestamp, count: run.count, ...placeOf(rtp, index) }];
    return Array.from({ length: run.count }, (_, packet) => ({
      dueMs: dueMs + (run.count === 1 ? 0 : (run.ms * packet) / (run.count - 1)),
      run, sequence: run.sequence + packet, timestamp: (run.timestamp + run.step * packet) >>> 0, count: 1, offset: 0, size: 1,
    }));
  });
  return parts.sort((a, b) => a.dueMs - b.dueMs);
}

/** Which packets of its unit a run is: a unit whose packets were lost, or came with a pause between them, is several runs. */
function placeOf(rtp: readonly FlightRun[], index: number): { offset: number; size: number } {
  const run = rtp[index] as FlightRun;
  const same = (other: FlightRun | undefined): other is FlightRun => other?.track === run.track && other.ssrc === run.ssrc && other.timestamp === run.timestamp && other.step === 0;
  const own = [run];
  for (let at = index - 1; same(rtp[at]); at -= 1) own.unshift(rtp[at] as FlightRun);
  for (let at = index + 1; same(rtp[at]); at += 1) own.push(rtp[at] as FlightRun);
  const [first, last] = [own[0] as FlightRun, own.at(-1) as FlightRun];
  const offset = (run.sequence - first.sequence) & 0xffff;
  const size = ((last.sequence - first.sequence) & 0xffff) + last.count;
  return size <= largestUnit && offset + run.count <= size ? { offset, size } : { offset: 0, size: run.count };
}

/** A copy of some packets of a unit. */
function cut(unit: PacketRun, offset: number, count: number): PacketRun {
  const chosen = unit.offsets.subarray(offset, offset + count);
  const start = chosen[0] ?? 0;
  const end = chosen.length === 0 ? 0 : packetEnd(unit, offset + chosen.length - 1);
  return { bytes: Buffer.from(unit.bytes.subarray(start, end)), offsets: chosen.map((at) => at - start) };
}
