/** Parts of a recording for a player that seeks: where they may begin, and each as a fragment of MP4. Pure. */
import { fragmentHead, soundPart } from './fmp4.ts';
import type { Frame, VideoFrames } from './frames.ts';
import { isBeyond } from './span.ts';

/** Where a recording may be cut, in whole ms from its first frame, and where it ends. */
export type Timeline = { keyframes: number[]; endMs: number; /** Its parts have a track of sound. */ sound?: boolean };

/** A part, from a keyframe up to another one or to the end; `baseMs`: when the recording begins for the player. */
export type Part = { fromMs: number; toMs: number; baseMs: number };

/** The cuts of a recording. */
export function timelineOf({ frames, sound }: VideoFrames): Timeline {
  const at = clockOf(frames);
  const last = frames.reduce((most, frame) => Math.max(most, at(frame)), 0);
  return { keyframes: frames.filter(({ key }) => key).map(at), endMs: Math.round(last * (frames.length / Math.max(1, frames.length - 1))), sound: soundPart(sound) !== undefined };
}

/** The frames of a part; none where no keyframe is at its beginning. */
export function framesOf({ frames }: VideoFrames, { fromMs, toMs }: Part): Frame[] {
  const at = clockOf(frames);
  const begin = frames.findIndex((frame) => frame.key && at(frame) === fromMs);
  if (begin === -1) return [];
  const end = frames.findIndex((frame, index) => index > begin && isBeyond(frame, at(frame), toMs));
  return frames.slice(begin, end === -1 ? frames.length : end).filter((frame) => at(frame) >= fromMs);
}

/** The sound of a part, where a player takes it: what begins while its pictures are shown. */
export function soundOf({ frames, sound }: VideoFrames, { fromMs, toMs }: Part): Frame[] {
  const at = clockOf(frames);
  return (soundPart(sound)?.frames ?? []).filter((frame) => at(frame) >= fromMs && at(frame) < toMs);
}

/** What stands before the bytes of {@link framesOf} and {@link soundOf} in a segment. */
export function partHead({ frames, sound }: VideoFrames, taken: { pictures: readonly Frame[]; sound: readonly Frame[] }, { toMs, baseMs }: Part): Uint8Array {
  const at = clockOf(frames);
  const shifted = (list: readonly Frame[]): Frame[] => list.map((frame) => ({ ...frame, timeMs: baseMs + at(frame) }));
  const heard = soundPart(sound);
  return fragmentHead({ sequence: 1, frames: shifted(taken.pictures), endMs: baseMs + toMs, sound: heard && { ...heard, frames: shifted(taken.sound) } });
}

function clockOf([first]: readonly Frame[]): (frame: Frame) => number {
  return ({ timeMs }) => Math.round(timeMs - (first?.timeMs ?? 0));
}
