/** Which frame of a simulator's clip a coded picture is, told by its last bytes, which no container changes; and when a camera sends each. */
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import type { Clip } from '../../src/camera-sim/clip.ts';
import { eventually } from './eventually.ts';
import { RtspPlayer } from './rtsp-player.ts';

/** The frames of a clip by their ends. */
export type FrameIdentity = { readonly loop: number; indexOf(picture: Uint8Array): number | undefined };

const tailBytes = 24;
const frameMs = 40;
const tailOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(-tailBytes)).toString('latin1');

/** Throws where two frames end alike. */
export function identifyFrames({ units }: Clip): FrameIdentity {
  const tails = new Map(units.map((unit, index) => [tailOf(unit), index]));
  if (tails.size !== units.length) throw new Error('frames of this clip end alike');
  return { loop: units.length, indexOf: (picture) => tails.get(tailOf(picture)) };
}

/** The clip's numbers of a file's pictures in decoding order; undefined for what is no frame of it. */
export async function framesOf(file: Uint8Array, frames: FrameIdentity): Promise<(number | undefined)[]> {
  const video = await new Input({ formats: ALL_FORMATS, source: new BufferSource(file) }).getPrimaryVideoTrack();
  if (video === null) throw new Error('There is no video in it.');
  const numbers: (number | undefined)[] = [];
  for await (const { data } of new EncodedPacketSink(video).packets()) numbers.push(frames.indexOf(data));
  return numbers;
}

/** How often a sequence of numbers does not go on with the next one; the clip begins anew after its last. */
export const breaks = (numbers: readonly (number | undefined)[], { loop }: FrameIdentity): number =>
  numbers.filter((number, place) => number === undefined || (place > 0 && number !== (numbers[place - 1]! + 1) % loop)).length;

/** When the camera sent the frame with number 0, once: wall clock, ms, seen by an RTSP client of our own. */
export async function captureClock(url: string, frames: FrameIdentity): Promise<number> {
  await using player = await RtspPlayer.play(url);
  const wanted = 25;
  await eventually(() => player.video.filter(({ marker }) => marker).length >= wanted, { timeoutMs: 20_000, what: 'a second of pictures' });
  const origins = player.video.filter(({ marker }) => marker).flatMap(({ atMs, payload }) => {
    const index = frames.indexOf(payload);
    return index === undefined ? [] : [performance.timeOrigin + atMs - index * frameMs];
  });
  const [first = Number.NaN] = origins;
  // Nothing arrives before it was sent: the earliest is the least delayed.
  return Math.min(...origins.map((origin) => first + besides(origin - first, frames)));
}

/** The remainder nearest to zero of a time, by the clip's length. */
export function besides(ms: number, { loop }: FrameIdentity): number {
  const loopMs = loop * frameMs;
  const rest = ((ms % loopMs) + loopMs) % loopMs;
  return rest > loopMs / 2 ? rest - loopMs : rest;
}
