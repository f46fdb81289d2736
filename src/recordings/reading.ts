/** Opening recordings for those who read their frames. Blocks; threads only. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFrames, type VideoFrames } from './frames.ts';

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
  const fd = openRecording(path);
  try {
    return readFrames((offset, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    }, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}
