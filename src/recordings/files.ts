/** Recordings as files: measuring one, and making one whole that nobody finished. Blocks; hosts and the keeper's thread only. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { durationBytes, measureMatroska, type Matroska } from './matroska.ts';
import type { ReadAt } from './matroska-elements.ts';

/** What a file holds, and how large it is. */
export type Measured = Matroska & { bytes: number };

/** Null for what is no Matroska file. Throws what the file system says. */
export function measureFile(path: string): Measured | null {
  return withFile(path, 'r', (fd) => measure(fd));
}

/**
 * Makes a file whole whose host died: cuts off the frame that is not complete, and writes the duration where the header
 * keeps room for it. What it held before stays as it was.
 */
export function repairFile(path: string): Measured | null {
  return withFile(path, 'r+', (fd) => {
    const held = measure(fd);
    if (held === null || held.finished || held.frames === 0) return held;
    if (held.end < held.bytes) ftruncateSync(fd, held.end);
    if (held.durationField !== null) {
      const bytes = durationBytes(held.durationField, held.durationMs);
      writeSync(fd, bytes, 0, bytes.length, held.durationField.offset);
    }
    return { ...held, bytes: held.end };
  });
}

function measure(fd: number): Measured | null {
  const { size } = fstatSync(fd);
  const readAt: ReadAt = (offset, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  };
  const held = measureMatroska(readAt, size);
  return held && { ...held, bytes: size };
}

function withFile<T>(path: string, flags: string, work: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
