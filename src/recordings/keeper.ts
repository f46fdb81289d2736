/** The supervisor's side of the keeper's thread, in which the disk of recordings may block without anybody waiting. */
import { Worker } from 'node:worker_threads';
import type { Part, Timeline } from './vod.ts';

/** What a recording was found to hold. */
export type FoundFile = { path: string; durationMs: number; bytes: number; frames: number; startsWithKeyframe: boolean; codec: string; width: number | null; height: number | null; sound: string | null };

export type KeeperRequest =
  | { type: 'scan' }
  | { type: 'measure'; path: string }
  | { type: 'recover'; path: string }
  | { type: 'remove'; paths: string[] }
  | { type: 'timeline'; path: string }
  | { type: 'part'; path: string; part: Part | null }
  | { type: 'space' };

export type KeeperAnswer = { id: number; ok: true; value: unknown } | { id: number; ok: false; reason: string };

/** The keeper of one directory. Every call rejects with what the disk says. */
export type Keeper = {
  /** Paths of all recordings, below the directory. */
  scan(): Promise<string[]>;
  measure(path: string): Promise<FoundFile | null>;
  /** Finishes a file that nobody finished; null where it held no frame and was removed. */
  recover(path: string): Promise<FoundFile | null>;
  remove(paths: string[]): Promise<void>;
  /** Where a recording may be cut; null where it holds no video. */
  timeline(path: string): Promise<Timeline | null>;
  /** A part of it as a segment of fragmented MP4, or (null) what a player needs before; null where it has no such part. */
  part(path: string, part: Part | null): Promise<Uint8Array | null>;
  space(): Promise<{ freeBytes: number; totalBytes: number }>;
  stop(): Promise<void>;
};

/** Makes a keeper; its thread begins with the first question, and again after it ended. */
export function createKeeper(dir: string): Keeper {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let worker: Worker | undefined;
  let nextId = 1;

  const start = (): Worker => {
    const made = new Worker(new URL('./keeper-thread.ts', import.meta.url), { name: 'recordings' });
    // It must not keep the program alive; whoever waits for an answer does.
    made.unref();
    made.on('message', (answer: KeeperAnswer) => {
      const entry = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.ok) entry?.resolve(answer.value);
      else entry?.reject(new Error(answer.reason));
    });
    const ended = (reason: string): void => {
      if (worker === made) worker = undefined;
      for (const entry of waiting.values()) entry.reject(new Error(reason));
      waiting.clear();
    };
    made.on('error', (error) => ended(error.message));
    made.on('exit', () => ended('the thread of the recordings ended'));
    return made;
  };
  const ask = async <T>(request: KeeperRequest): Promise<T> => {
    const id = nextId++;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    worker ??= start();
    worker.postMessage({ id, dir, request });
    return await answer.promise as T;
  };
  return {
    scan: () => ask({ type: 'scan' }),
    measure: (path) => ask({ type: 'measure', path }),
    recover: (path) => ask({ type: 'recover', path }),
    remove: (paths) => ask({ type: 'remove', paths }),
    timeline: (path) => ask({ type: 'timeline', path }),
    part: (path, part) => ask({ type: 'part', path, part }),
    space: () => ask({ type: 'space' }),
    async stop() {
      await worker?.terminate();
    },
  };
}
