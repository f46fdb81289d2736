/** What a mutation of a stream can change: the NAL units of an access unit, the payloads it is sent in, its time, its packets, its RTCP. */
import type { NalCodec } from '../rtp/nal.ts';
import type { Random } from './random.ts';
import type { ClipCodec } from './clip.ts';

/** A payload before it is stamped. */
export type Payload = { bytes: Buffer; marker: boolean; payloadType: number };

/** An access unit that is mutated. `random` depends on the seed and the unit, `whole` on the seed alone; `index` counts units since the mutation began. */
export type UnitContext = { random: Random; whole: Random; codec: ClipCodec; index: number; keyframe: boolean; clockRate: number; unitTicks: number };

/** A mutation; what it does not name stays as it is. `held`: packets of this stream that are kept for later. */
export type Mutation = {
  /** The track it is about; video where not given. */
  track?: 'video' | 'audio' | 'all';
  /** The NAL units of an access unit; none: it is not sent. Video only. */
  nals?(nals: Buffer[], context: UnitContext & { codec: NalCodec }): Buffer[];
  payloads?(payloads: Payload[], context: UnitContext): Payload[];
  /** Ticks that are added to its RTP time. */
  shift?(context: UnitContext): number;
  packets?(packets: Buffer[], context: UnitContext & { held: Buffer[] }): Buffer[];
  /** RTCP packets that go out with it, from the SSRC of the stream and its RTP time. */
  control?(context: UnitContext, stream: { ssrc: number; ticks: number }): Buffer[];
  /** Units come from another clip meanwhile. */
  other?: true;
};
