/** Opening recordings for those who read their frames. Blocks; threads only. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { concat } from './boxes.ts';
import { initSegment } from './fmp4.ts';
import { readFrames, type VideoFrames } from './frames.ts';
import { framesOf, partHead, soundOf, timelineOf, type Part, type Timeline } from './vod.ts';

/** Opens a recording; one that was being written may have got its final name meanwhile. */
export function openRecording(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!path.endsWith('.open.mkv')) throw error;
    return openSync(path.replace(/\.open\.mkv$/u, '.mkv'), 'r');
  }
}

/** Its video, up to the last whole frame; null where there is none. */
export function readRecording(path: string): VideoFrames | null {
  return withRecording(path, (video) => video);
}

/** Where it may be cut. */
export function timelineFrom(path: string): Timeline | null {
  return withRecording(path, (video) => video && timelineOf(video));
}

/** A part of it as a segment, or (null) what a player needs before. Null where there is no such part. */
export function partFrom(path: string, part: Part | null): Uint8Array | null {
  return withRecording(path, (video, fd) => {
    if (video === null || part === null) return video && initSegment(video);
    const taken = { pictures: framesOf(video, part), sound: soundOf(video, part) };
    const bytes = [...taken.pictures, ...taken.sound].map(({ offset, length }) => readAt(fd, offset, length));
    return taken.pictures.length === 0 ? null : concat([partHead(video, taken, part), ...bytes]);
  });
}

function withRecording<T>(path: string, work: (video: VideoFrames | null, fd: number) => T): T {
  const fd = openRecording(path);
  try {
    return work(readFrames((offset, length) => readAt(fd, offset, length), fstatSync(fd).size), fd);
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
}
