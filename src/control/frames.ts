/** Where programs get raw frames: a socket and a port for each camera that stay over restarts, and what a run leaves in shared memory. */
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FramesSink } from '../actors/output.ts';
import { sharedFiles, sharedMemory, sharedPrefix } from '../native/orphans.ts';
import type { Lease, Registry } from '../native/registry.ts';

/** Where the readers of a camera connect. `port` is null before its first run; a run that cannot have it takes another. */
export type FramesPlace = { port: number | null; socket: string };

/** Raw frames of all cameras. */
export type Frames = FramesSink & {
  /** Removes what an earlier run of the program left. */
  clear(): Promise<void>;
  place(camera: string): FramesPlace;
  forget(camera: string): void;
};

type Run = { camera: string; leases: Lease[] };

/** Makes it. */
export function createFrames({ registry, instance }: { registry: Registry; instance: string }): Frames {
  const ports = new Map<string, number>();
  const runs = new Map<string, Run>();
  /** The run that a camera's socket belongs to: the next one may have made it anew. */
  const current = new Map<string, string>();
  const stem = (camera: string): string => `${sharedPrefix(instance)}${camera}.`;
  const socketOf = (camera: string): string => join(sharedMemory, `${stem(camera)}sock`);

  /** At once, so that nothing of the next run can be meant. */
  const remove = (run: string, camera: string): void => {
    const areas = `${stem(camera)}${run}.`;
    for (const name of readdirSync(sharedMemory)) if (name.startsWith(areas)) rmSync(join(sharedMemory, name), { force: true });
    if (current.get(camera) === run) rmSync(socketOf(camera), { force: true });
  };

  return {
    begin(camera) {
      const run = randomUUID().slice(0, 8);
      const areas = `${stem(camera)}${run}.`;
      const owner = `camera:${camera}/frames`;
      const free = async (): Promise<void> => remove(run, camera);
      current.set(camera, run);
      runs.set(run, { camera, leases: [
        registry.lease({ kind: 'socket', owner, value: socketOf(camera), free }),
        registry.lease({ kind: 'file', owner, value: join(sharedMemory, areas), free }),
      ] });
      return { run, port: ports.get(camera) ?? 0, socket: socketOf(camera), areas };
    },
    listening(run, port) {
      const camera = runs.get(run)?.camera;
      if (camera !== undefined) ports.set(camera, port);
    },
    end(run) {
      const entry = runs.get(run);
      if (!entry) return;
      runs.delete(run);
      // Also where the leases were revoked before the host was gone: it may have made more since.
      remove(run, entry.camera);
      for (const lease of entry.leases) registry.forget(lease);
    },
    async clear() {
      for (const path of await sharedFiles(instance)) await rm(path, { force: true });
    },
    place: (camera) => ({ port: ports.get(camera) ?? null, socket: socketOf(camera) }),
    forget: (camera) => void ports.delete(camera),
  };
}
