/** Pictures: one decoded keyframe of a camera's hub, kept until the next keyframe. */
import type { Snapshot } from '../api/control.ts';
import type { CameraView } from '../api/protocol.ts';
import { FailureError, type Failure } from '../errors.ts';
import { createPictureHosts, endedUnderIt, type PictureHostsOptions } from './picture-hosts.ts';

/** Where a picture comes from. `keyframes` counts those of the camera so far, 0 where that is not known yet; `keyframeAt` is when the newest came, ms since the epoch. */
export type PictureSource = { camera: string; hubPort: number; codec: 'H264' | 'H265'; keyframes: number; keyframeAt: number | null };

/** Takes pictures. */
export type Snapshots = {
  /** The picture of the newest keyframe, decoded once for each width. Rejects with a `FailureError`. `width` 0 keeps the camera's size. */
  take(source: PictureSource, width: number): Promise<Snapshot>;
  lastFailure(camera: string): Failure | null;
  /** The process that waits for the camera's next picture. */
  host(camera: string): { pid: number; rssBytes: number } | null;
  /** What is new of a camera: for one that was stopped no process waits. */
  heard(camera: Pick<CameraView, 'id' | 'state'>): void;
  forget(camera: string): void;
};

/** A decoder costs a core for a moment: more at once only make all of them late. */
const atOnce = 2;
/** Widths of one keyframe that are kept. */
const mostWidths = 8;
/** A camera in these will not be asked for a picture soon. One that only lost its source keeps what its next picture needs. */
const givesNoPictures = new Set<CameraView['state']>(['stopped', 'idle', 'quarantined']);

/** Makes the picture taker. `quality` is the JPEG quality, 1–100. */
export function createSnapshots({ quality = 80, ...options }: PictureHostsOptions & { quality?: number }): Snapshots {
  const hosts = createPictureHosts(options);
  const failures = new Map<string, Failure>();
  const kept = new Map<string, { keyframe: string; pictures: Map<number, Snapshot> }>();
  /** Keyframes that ended every process that decoded them are left alone. */
  const deadly = new Map<string, { keyframe: string; error: FailureError }>();
  /** Pictures that are being made, by camera, keyframe and width: who asks meanwhile gets the same one. */
  const underWay = new Map<string, Promise<Snapshot>>();
  /** The end of the newest picture of each camera that is being made: a host takes one at a time. */
  const newest = new Map<string, Promise<unknown>>();
  const turn = createTurns(atOnce);

  const inOrder = async <T>(camera: string, work: () => Promise<T>): Promise<T> => {
    const made = (newest.get(camera) ?? Promise.resolve()).then(() => turn(work));
    const over = made.catch(() => undefined);
    newest.set(camera, over);
    void over.then(() => newest.get(camera) === over && newest.delete(camera));
    return await made;
  };

  const make = async ({ camera, hubPort, codec, keyframes, keyframeAt }: PictureSource, { width, keyframe }: { width: number; keyframe: string }): Promise<Snapshot> => {
    try {
      const shot = await inOrder(camera, () => hosts.shoot({ camera, hubPort, codec, width, quality }));
      const picture: Snapshot = { ...shot, takenAt: keyframeAt ?? Date.now() };
      failures.delete(camera);
      const known = kept.get(camera);
      const before = known?.keyframe === keyframe ? known.pictures : new Map<number, Snapshot>();
      kept.set(camera, { keyframe, pictures: new Map([...before, [width, picture] as const].slice(-mostWidths)) });
      return picture;
    } catch (error) {
      if (error instanceof FailureError) failures.set(camera, error.failure);
      if (endedUnderIt(error) && keyframes > 0) deadly.set(camera, { keyframe, error });
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
      const refused = deadly.get(camera);
      if (refused?.keyframe === keyframe) throw refused.error;
      const key = `${camera} ${keyframe} ${width}`;
      const making = underWay.get(key) ?? make(source, { width, keyframe }).finally(() => underWay.delete(key));
      underWay.set(key, making);
      return making;
    },
    lastFailure: (camera) => failures.get(camera) ?? null,
    host: hosts.of,
    heard({ id, state }) {
      if (givesNoPictures.has(state)) hosts.end(id);
    },
    forget(camera) {
      failures.delete(camera);
      kept.delete(camera);
      deadly.delete(camera);
      hosts.end(camera);
    },
  };
}

/** Runs so much at once, the rest in the order in which it came. */
function createTurns(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= most) await new Promise<void>((resolve) => queue.push(resolve));
    busy += 1;
    try {
      return await work();
    } finally {
      busy -= 1;
      queue.shift()?.();
    }
  };
}
