/** Pictures: one decoded keyframe of a camera's hub, each taken by a host of its own that ends with it, and kept until the next keyframe. */
import type { Snapshot } from '../api/control.ts';
import { failure as makeFailure, FailureError, type Failure } from '../errors.ts';
import type { HostPool } from '../native/host.ts';
import type { HostEvent } from '../native/protocol.ts';

/** Where a picture comes from. `keyframes` counts those of the camera so far, 0 where that is not known yet; `keyframeAt` is when the newest came, ms since the epoch. */
export type PictureSource = { camera: string; hubPort: number; codec: 'H264' | 'H265'; keyframes: number; keyframeAt: number | null };

/** Takes pictures. */
export type Snapshots = {
  /** The picture of the newest keyframe, decoded once for each width. Rejects with a `FailureError`. `width` 0 keeps the camera's size. */
  take(source: PictureSource, width: number): Promise<Snapshot>;
  lastFailure(camera: string): Failure | null;
  forget(camera: string): void;
};

const deadlineMs = 5_000;
/** A decoder costs a core for a moment: more at once only make all of them late. */
const atOnce = 2;
/** Widths of one keyframe that are kept. */
const mostWidths = 8;

/** Makes the picture taker. `quality` is the JPEG quality, 1–100. */
export function createSnapshots({ pool, quality = 80 }: { pool: HostPool; quality?: number }): Snapshots {
  const failures = new Map<string, Failure>();
  const kept = new Map<string, { keyframe: string; pictures: Map<number, Snapshot> }>();
  /** Pictures that are being made, by camera, keyframe and width: who asks meanwhile gets the same one. */
  const underWay = new Map<string, Promise<Snapshot>>();
  const queue: (() => void)[] = [];
  let busy = 0;

  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (busy >= atOnce) await new Promise<void>((resolve) => queue.push(resolve));
    busy += 1;
    try {
      return await work();
    } finally {
      busy -= 1;
      queue.shift()?.();
    }
  };

  const make = async (source: PictureSource, { width, keyframe }: { width: number; keyframe: string }): Promise<Snapshot> => {
    const { camera } = source;
    try {
      const picture = await turn(() => shoot(pool, { ...source, name: `camera:${camera}/snapshot` }, { width, quality, deadlineMs }));
      failures.delete(camera);
      const known = kept.get(camera);
      const before = known?.keyframe === keyframe ? known.pictures : new Map<number, Snapshot>();
      kept.set(camera, { keyframe, pictures: new Map([...before, [width, picture] as const].slice(-mostWidths)) });
      return picture;
    } catch (error) {
      if (error instanceof FailureError) failures.set(camera, error.failure);
      throw error;
    }
  };

  return {
    async take(source, width) {
      const { camera, keyframes, hubPort } = source;
      const keyframe = `${hubPort}/${keyframes}`;
      const known = kept.get(camera);
      const ready = keyframes > 0 && known?.keyframe === keyframe ? known.pictures.get(width) : undefined;
      if (ready) return ready;
      const key = `${camera} ${keyframe} ${width}`;
      const making = underWay.get(key) ?? make(source, { width, keyframe }).finally(() => underWay.delete(key));
      underWay.set(key, making);
      return making;
    },
    lastFailure: (camera) => failures.get(camera) ?? null,
    forget(camera) {
      failures.delete(camera);
      kept.delete(camera);
    },
  };
}

/** What is decoded, and the name of the process that does it. */
type Shot = Pick<PictureSource, 'hubPort' | 'codec' | 'keyframeAt'> & { name: string };

/** Decodes the keyframe that a hub has, or the first that it gets, in a process that ends with it. Rejects with a `FailureError`, or with the reason of `signal`. */
export async function shoot(pool: HostPool, { name, hubPort, codec, keyframeAt }: Shot, { width, quality, deadlineMs, signal }: { width: number; quality: number; deadlineMs: number; signal?: AbortSignal }): Promise<Snapshot> {
  signal?.throwIfAborted();
  const host = await pool.take(name);
  const { promise, resolve, reject } = Promise.withResolvers<Snapshot>();
  const abandon = (): void => reject(signal?.reason as Error);
  const timer = setTimeout(() => reject(new FailureError(makeFailure('timeout', 'snapshot-deadline', `No picture could be decoded within ${deadlineMs} ms.`))), deadlineMs);
  host.listen((event: HostEvent) => {
    if (event.type === 'snapshot.taken') resolve({ jpeg: event.jpeg, takenAt: keyframeAt ?? Date.now(), width: event.width, height: event.height });
    if (event.type === 'snapshot.failed') reject(new FailureError(event.failure));
  });
  void host.exited.then(({ reason, signal: by, code }) => reject(new FailureError(makeFailure('host-crash', 'snapshot-host', `The process that decodes the picture ended (${reason}, ${by ?? `code ${code}`}).`))));
  signal?.addEventListener('abort', abandon);
  if (signal?.aborted) abandon();
  else host.send({ type: 'snapshot.take', hubPort, codec, width, quality });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abandon);
    // Nobody who waits for a picture waits for the end of the process that made it.
    void host.kill();
  }
}
