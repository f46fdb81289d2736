/** The demo: four simulated cameras while none is configured. They are never stored; the first real camera ends them. */
import { startDemoCameras, type DemoCameras } from '../camera-sim/demo.ts';
import { parseCamera } from '../camera-config.ts';
import type { Log } from '../log.ts';
import type { Lease, Registry } from '../native/registry.ts';
import type { Cameras } from './cameras.ts';

/** The demo of one program. */
export type Demo = {
  start(): Promise<void>;
  stop(): Promise<void>;
  running(): boolean;
  /** The same cameras, but creating one ends the demo first. */
  endedByFirst(cameras: Cameras): Cameras;
};

/** Makes the demo, not started. */
export function createDemo({ cameras, registry, log }: { cameras: Cameras; registry: Registry; log: Log }): Demo {
  let simulator: DemoCameras | undefined;
  let lease: Lease | undefined;
  let left = new Set<string>();

  const stop = async (): Promise<void> => {
    const ending = simulator;
    simulator = undefined;
    await Promise.allSettled([...left].map((id) => cameras.remove(id)));
    left = new Set();
    await ending?.close();
    if (lease) registry.forget(lease);
  };

  return {
    async start() {
      simulator = await startDemoCameras();
      const { pid } = simulator;
      lease = registry.lease({ kind: 'pid', owner: 'demo', value: String(pid), free: async () => void process.kill(pid, 'SIGKILL') });
      for (const camera of simulator.cameras) {
        left.add(camera.id);
        await cameras.adopt(parseCamera(camera));
      }
      log.info({ cameras: simulator.cameras.length }, 'demo cameras run; add a camera of your own to end them');
    },
    stop,
    running: () => simulator !== undefined,
    // A camera of the demo is never stored: one of the same id that somebody asks for takes its place.
    endedByFirst: (managed) => ({
      ...managed,
      async create(input) {
        if (input.id !== undefined && left.has(input.id)) await stop();
        const id = await managed.create(input);
        if (simulator) await stop();
        return id;
      },
      async setup(input) {
        if (left.has(input.id)) await stop();
        const outcome = await managed.setup(input);
        if (simulator) await stop();
        return outcome;
      },
      async remove(id) {
        await managed.remove(id);
        left.delete(id);
      },
    }),
  };
}
