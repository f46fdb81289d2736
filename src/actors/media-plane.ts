/** The SFU's living parts, by the names the rest of the program uses: workers by index, ingests by camera. */
import { LookoutError } from '../errors.ts';
import type { Ingest } from '../native/ingest.ts';
import type { MediaWorker } from '../native/mediasoup-worker.ts';

/** Book of the living workers and ingests. The actors write it; viewers and views read it. */
export type MediaPlane = {
  addWorker(worker: MediaWorker): void;
  removeWorker(worker: MediaWorker): void;
  workers(): MediaWorker[];
  /**
   * The living worker with the fewest cameras, this one counted to it at once: many cameras choose at the same moment.
   * Throws `LOOKOUT_SFU_UNAVAILABLE`.
   */
  place(camera: string): MediaWorker;
  /** Whether another living worker would still carry less than this one if a camera went there. */
  isOutweighing(worker: MediaWorker): boolean;
  /** Called whenever a worker is there to take cameras. Returns the unsubscribe function. */
  onWorker(listener: () => void): () => void;
  addIngest(ingest: Ingest): void;
  removeIngest(ingest: Ingest): void;
  ingest(camera: string): Ingest | undefined;
  ingests(): Ingest[];
  /** The ingest as soon as there is one. Rejects with `LOOKOUT_DEADLINE` after `ms`. */
  whenIngest(camera: string, ms: number): Promise<Ingest>;
  /** Called with the camera whenever its ingest came or went. Returns the unsubscribe function. */
  onChange(listener: (camera: string) => void): () => void;
};

/** Makes an empty book. */
export function createMediaPlane(): MediaPlane {
  const workers = new Map<number, MediaWorker>();
  const ingests = new Map<string, Ingest>();
  const listeners = new Set<(camera: string) => void>();
  const tell = (camera: string): void => {
    for (const listener of [...listeners]) listener(camera);
  };
  const arrivals = new Set<() => void>();
  const places = new Map<string, MediaWorker>();
  const load = (worker: MediaWorker): number => [...places.values()].filter((place) => place === worker).length;

  const plane: MediaPlane = {
    addWorker(worker) {
      workers.set(worker.index, worker);
      for (const listener of [...arrivals]) listener();
    },
    removeWorker(worker) {
      if (workers.get(worker.index) === worker) workers.delete(worker.index);
    },
    workers: () => [...workers.values()],
    place(camera) {
      places.delete(camera);
      const [first] = [...workers.values()].sort((a, b) => load(a) - load(b) || a.index - b.index);
      if (!first) throw new LookoutError('LOOKOUT_SFU_UNAVAILABLE');
      places.set(camera, first);
      return first;
    },
    isOutweighing: (worker) => [...workers.values()].some((other) => load(other) + 1 < load(worker)),
    onWorker(listener) {
      arrivals.add(listener);
      return () => void arrivals.delete(listener);
    },
    addIngest(ingest) {
      ingests.set(ingest.camera, ingest);
      tell(ingest.camera);
    },
    removeIngest(ingest) {
      if (ingests.get(ingest.camera) !== ingest) return;
      places.delete(ingest.camera);
      ingests.delete(ingest.camera);
      tell(ingest.camera);
    },
    ingest: (camera) => ingests.get(camera),
    ingests: () => [...ingests.values()],
    whenIngest(camera, ms) {
      const there = ingests.get(camera);
      if (there) return Promise.resolve(there);
      const { promise, resolve, reject } = Promise.withResolvers<Ingest>();
      const off = plane.onChange((changed) => {
        const ingest = changed === camera ? ingests.get(camera) : undefined;
        if (ingest) resolve(ingest);
      });
      const timer = setTimeout(() => reject(new LookoutError('LOOKOUT_DEADLINE', { cameraId: camera, message: 'The camera has no live path yet.' })), ms);
      return promise.finally(() => {
        clearTimeout(timer);
        off();
      });
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return plane;
}
