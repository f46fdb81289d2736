/** Mutates what a camera sends, for a while: the same seed does the same to the same units, whoever watches. */
import { packetizeH264 } from '../rtp/h264.ts';
import { packetizeH265 } from '../rtp/h265.ts';
import { splitAnnexB } from '../rtp/nal.ts';
import { headerBytes, packetEnd, PacketWriter, prefixBytes } from '../rtp/packet.ts';
import type { Alteration } from './damage.ts';
import type { Mutation, Payload, UnitContext } from './mutation.ts';
import { packetMutations } from './mutants-packets.ts';
import { unitMutations } from './mutants-units.ts';
import { seeded } from './random.ts';
import type { Sender } from './sender.ts';
import type { DueUnit } from './timeline.ts';
import { loadTrack } from './track.ts';
import type { Track, TrackUnit } from './track.ts';

/** What kinds of mutants there are. */
export const mutantKinds = Object.keys({ ...unitMutations, ...packetMutations }) as MutantKind[];
export type MutantKind = keyof typeof unitMutations | keyof typeof packetMutations;

/** One mutant. `clip`: where other pictures come from, for `parameter-change`; its codec must be the camera's. */
export type Mutant = { kind: MutantKind; seed: number; ms: number; clip?: string };

/** A unit as a mutation left it: how to hand it to one sender. */
export type MutatedUnit = { due: DueUnit; alter: Alteration | undefined; control(sender: Sender): void };

/** A mutation under way. */
export class Mutator {
  readonly #mutation: Mutation;
  readonly #seed: number;
  readonly #other: Track | undefined;
  readonly #counts = { video: 0, audio: 0 };
  /** By SSRC. */
  readonly #held = new Map<number, Buffer[]>();

  /** Throws where there is no such kind or clip. */
  constructor({ kind, seed, clip }: Mutant) {
    const mutation = ({ ...unitMutations, ...packetMutations } as Record<string, Mutation>)[kind];
    if (!mutation) throw new Error(`"${kind}" is no kind of mutant: ${mutantKinds.join(', ')}`);
    if (mutation.other && clip === undefined) throw new Error(`A mutant "${kind}" needs a clip`);
    this.#mutation = mutation;
    this.#seed = seed;
    this.#other = mutation.other && loadTrack(clip!);
  }

  /** What becomes of a unit; undefined where nobody gets it. */
  take(due: DueUnit, track: Track): MutatedUnit | undefined {
    const { track: about = 'video', shift, control } = this.#mutation;
    if (about !== 'all' && about !== track.kind) return { due, alter: undefined, control: () => undefined };
    const context = this.#contextOf(due.unit, track);
    const unit = this.#unit(due.unit, context, track);
    if (!unit) return undefined;
    const ticks = due.ticks + (shift?.(context) ?? 0);
    return {
      due: { unit, ticks }, alter: this.#alteration(context),
      control: (sender) => void control?.(context, { ssrc: sender.ssrc, ticks: (ticks + sender.timestampOffset) >>> 0 }).forEach((packet) => sender.control(packet)),
    };
  }

  #contextOf(unit: TrackUnit, { kind, codec, clockRate, unitTicks }: Track): UnitContext {
    const index = this.#counts[kind];
    this.#counts[kind] += 1;
    return { random: seeded(this.#seed, index, kind === 'video' ? 1 : 2), whole: seeded(this.#seed), codec, index, keyframe: unit.keyframe, clockRate, unitTicks };
  }

  #unit(given: TrackUnit, context: UnitContext, track: Track): TrackUnit | undefined {
    const unit = this.#other ? this.#other.units[context.index % this.#other.units.length]! : given;
    const { nals, payloads } = this.#mutation;
    let parts: Payload[] | undefined;
    if (nals && (context.codec === 'H264' || context.codec === 'H265')) {
      const mutated = nals(splitAnnexB(unit.data), { ...context, codec: context.codec }).filter(({ length }) => length > 0);
      if (mutated.length === 0) return undefined;
      parts = packetized(mutated, context.codec, track.payloadType);
    }
    if (payloads) parts = payloads(parts ?? payloadsOf(unit), context);
    return parts ? { ...unit, ...runOf(parts) } : unit;
  }

  #alteration(context: UnitContext): Alteration | undefined {
    const { packets } = this.#mutation;
    return packets && ((given, { ssrc }) => {
      const held = this.#held.get(ssrc) ?? [];
      this.#held.set(ssrc, held);
      // Every session gets the same mutant: the choices begin anew.
      return packets(given, { ...context, random: seeded(this.#seed, context.index, 3), whole: seeded(this.#seed), held });
    });
  }
}

/** NAL units of one byte are no reason to fail: those go alone. */
function packetized(nals: readonly Buffer[], codec: 'H264' | 'H265', payloadType: number): Payload[] {
  const writer = new PacketWriter({ payloadType });
  const whole = nals.filter(({ length }) => length >= 2);
  if (codec === 'H264') packetizeH264(whole, writer);
  else packetizeH265(whole, writer);
  const alone = nals.filter(({ length }) => length < 2).map((bytes) => ({ bytes, marker: whole.length === 0, payloadType }));
  return [...alone, ...payloadsOf(writer.finish())];
}

function payloadsOf(run: Pick<TrackUnit, 'bytes' | 'offsets'>): Payload[] {
  return Array.from(run.offsets, (start, index) => {
    const second = run.bytes[start + prefixBytes + 1]!;
    return { bytes: run.bytes.subarray(start + prefixBytes + headerBytes, packetEnd(run, index)), marker: second >= 0x80, payloadType: second & 0x7f };
  });
}

function runOf(payloads: readonly Payload[]): Pick<TrackUnit, 'bytes' | 'offsets'> {
  const runs = payloads.map(({ bytes, marker, payloadType }) => {
    const writer = new PacketWriter({ payloadType });
    bytes.copy(writer.open(bytes.length, marker));
    return writer.finish().bytes;
  });
  let at = 0;
  return { bytes: Buffer.concat(runs), offsets: Uint32Array.from(runs, ({ length }) => (at += length) - length) };
}
