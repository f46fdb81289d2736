/** The keeper's thread: everything that may block on the disk of recordings. One request after the other. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, statfsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { measureFile, repairFile, type Measured } from './files.ts';
import type { FoundFile, KeeperAnswer, KeeperRequest } from './keeper.ts';
import { isNewFile, parseRecordingPath, recordingPath } from './names.ts';
import { partFrom, timelineFrom } from './reading.ts';

const port = parentPort;
if (port === null) throw new Error('recordings/keeper-thread.ts runs as a worker thread only');

port.on('message', ({ id, dir, request }: { id: number; dir: string; request: KeeperRequest }) => {
  try {
    port.postMessage({ id, ok: true, value: handle(dir, request) } satisfies KeeperAnswer);
  } catch (error) {
    port.postMessage({ id, ok: false, reason: error instanceof Error ? error.message : String(error) } satisfies KeeperAnswer);
  }
});

function handle(dir: string, request: KeeperRequest): unknown {
  switch (request.type) {
    case 'scan': return [...scan(dir, dir)];
    case 'measure': return found(request.path, measureFile(join(dir, request.path)));
    case 'recover': return recover(dir, request.path);
    case 'remove': return request.paths.forEach((path) => remove(dir, path));
    case 'timeline': return timelineFrom(join(dir, request.path));
    case 'part': return partFrom(join(dir, request.path), request.part);
    case 'space': {
      mkdirSync(dir, { recursive: true, mode: 0o750 });
      const { bavail, blocks, bsize } = statfsSync(dir);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    }
  }
}

/** Recordings below a folder; what a host left that died before its first frame is removed. */
function* scan(root: string, dir: string): Generator<string> {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const absolute = join(dir, entry.name);
    if (entry.isDirectory()) yield* scan(root, absolute);
    else if (isNewFile(entry.name)) rmSync(absolute, { force: true });
    else if (parseRecordingPath(relative(root, absolute)) !== null) yield relative(root, absolute);
  }
}

/** A file that nobody finished is made whole and gets its final name; null where it held no frame, and is removed. */
function recover(dir: string, path: string): FoundFile | null {
  const name = parseRecordingPath(path);
  if (name === null) return null;
  const held = repairFile(join(dir, path));
  if (held === null || held.frames === 0) {
    remove(dir, path);
    return null;
  }
  const final = recordingPath({ ...name, open: false });
  renameSync(join(dir, path), join(dir, final));
  return found(final, held);
}

function found(path: string, held: Measured | null): FoundFile | null {
  if (held === null || held.frames === 0 || held.video === null) return null;
  const { durationMs, bytes, frames, startsWithKeyframe, sound, video: { codec, width, height } } = held;
  return { path, durationMs, bytes, frames, startsWithKeyframe, codec, width, height, sound };
}

/** The file, and the folders of its day that are empty then. */
function remove(dir: string, path: string): void {
  rmSync(join(dir, path), { force: true });
  for (let folder = dirname(path); folder.includes('/'); folder = dirname(folder)) {
    try {
      rmdirSync(join(dir, folder));
    } catch {
      return;
    }
  }
}
