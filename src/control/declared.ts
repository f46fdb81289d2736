/** Cameras that `lookout.yaml` declares: the file alone makes, changes and removes them; nothing of them is stored. */
import { isDeepStrictEqual } from 'node:util';
import type { Root } from '../actors/tree.ts';
import { cameraToInput, type CameraConfig } from '../camera-config.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import type { Cameras } from './cameras.ts';
import { plainEvent, type Observer } from './observer.ts';

/** What one look at the file changed. */
export type Synced = { created: string[]; changed: string[]; removed: string[]; failed: string[] };

/** The declared cameras of one program. */
export type Declared = {
  /** Makes them what the file says; a camera whose entry is as it was is left alone. */
  sync(wanted: readonly CameraConfig[]): Promise<Synced>;
  has(id: string): boolean;
  /** The same cameras, but what is declared refuses to be changed or removed by anybody else. */
  guard(cameras: Cameras): Cameras;
};

type Deps = { root: Root; cameras: Cameras; store: Pick<Store, 'cameras'>; observer: Observer; log: Log };

/** Makes the book; it is empty. */
export function createDeclared({ root, cameras, store, observer, log }: Deps): Declared {
  const declared = new Map<string, CameraConfig>();
  const refuse = (id: string): void => {
    if (declared.has(id)) throw new LookoutError('LOOKOUT_CAMERA_DECLARED', { cameraId: id, message: `The camera "${id}" is declared in lookout.yaml. Change it there.` });
  };

  const make = async (config: CameraConfig): Promise<void> => {
    const { id } = config;
    // One that was managed over the API until now gives way, with what was kept of it.
    if (id in root.getSnapshot().context.cameras) await cameras.remove(id);
    else await store.cameras.remove(id);
    await cameras.adopt(config);
    observer.note(plainEvent(id, 'camera.created', `Declared in lookout.yaml with ${config.url.safe}.`));
  };
  const change = async (old: CameraConfig, config: CameraConfig): Promise<void> => {
    const { id } = config;
    const [before, after] = [cameraToInput(old), cameraToInput(config)] as Record<string, unknown>[];
    const fields = Object.keys({ ...before, ...after }).filter((key) => !isDeepStrictEqual(before?.[key], after?.[key]));
    observer.note(plainEvent(id, 'camera.changed', `Changed in lookout.yaml: ${fields.join(', ')}.`));
    await cameras.change(config);
  };

  return {
    async sync(wanted) {
      const result: Synced = { created: [], changed: [], removed: [], failed: [] };
      const attempt = async (id: string, kind: 'created' | 'changed' | 'removed', work: () => Promise<void>): Promise<void> => {
        try {
          await work();
          result[kind].push(id);
        } catch (error) {
          result.failed.push(id);
          log.error({ camera: id, err: error }, 'a declared camera could not be made what lookout.yaml says');
        }
      };
      const kept = new Set<string>(wanted.map(({ id }) => id));
      for (const id of [...declared.keys()].filter((known) => !kept.has(known))) {
        await attempt(id, 'removed', async () => {
          await cameras.remove(id);
          declared.delete(id);
        });
      }
      for (const config of wanted) {
        const old = declared.get(config.id);
        if (old !== undefined && isDeepStrictEqual(cameraToInput(old), cameraToInput(config))) continue;
        await attempt(config.id, old === undefined ? 'created' : 'changed', async () => {
          if (old === undefined) await make(config);
          else await change(old, config);
          declared.set(config.id, config);
        });
      }
      return result;
    },
    has: (id) => declared.has(id),
    guard: (managed) => ({
      ...managed,
      async patch(id, patch) {
        refuse(id);
        await managed.patch(id, patch);
      },
      async setup(input) {
        refuse(input.id);
        return managed.setup(input);
      },
      async remove(id) {
        refuse(id);
        await managed.remove(id);
      },
    }),
  };
}
