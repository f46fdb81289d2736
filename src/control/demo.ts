/** The demo: four simulated cameras while none is configured. They are never stored; the first real camera ends them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startDemoCameras, type DemoCameras, type DemoPorts } from '../camera-sim/demo.ts';
import { parseCamera } from '../camera-config.ts';
import type { Log } from '../log.ts';
import type { Registry } from '../native/registry.ts';
import type { Cameras } from './cameras.ts';

/** The demo of one program. */
export type Demo = {
  start(): Promise<void>;
  stop(): Promise<void>;
  running(): boolean;
  /** The same cameras, but creating one ends the demo first. */
  endedByFirst(cameras: Cameras): Cameras;
};

/** Between the end of the cameras and their next start, ms: doubled each time they do not start. */
const [againMs, mostAgainMs] = [500, 10_000];

/** Makes the demo, not started. */
export function createDemo({ cameras, registry, log }: { cameras: Cameras; registry: Registry; log: Log }): Demo {
  let simulator: DemoCameras | undefined;
  let left = new Set<string>();
  const stopped = new AbortController();
  let coming: Promise<void> = Promise.resolve();

  /** What dies is started again, at the same addresses, until the demo is stopped. */
  const serve = async (ports?: DemoPorts): Promise<DemoCameras> => {
    const started = await startDemoCameras(ports);
    const { pid } = started;
    simulator = started;
    const lease = registry.lease({ kind: 'pid', owner: 'demo', value: String(pid), free: async () => void process.kill(pid, 'SIGKILL') });
    void started.exited.then(() => {
      registry.forget(lease);
      if (stopped.signal.aborted) return;
      log.warn({ pid }, 'the demo cameras ended and are started again');
      // Ends the story that it told.
      coming = started.close().then(() => again(started.ports));
    });
    return started;
  };
  const again = async (ports: DemoPorts): Promise<void> => {
    for (let delayMs = againMs; ; delayMs = Math.min(delayMs * 2, mostAgainMs)) {
      await sleep(delayMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      try {
        await serve(ports);
        return;
      } catch (error) {
        log.warn({ error: String(error) }, 'the demo cameras do not start');
      }
    }
  };
  const stop = async (): Promise<void> => {
    if (simulator === undefined) return;
    stopped.abort();
    await coming;
    const ending = simulator;
    simulator = undefined;
    await Promise.allSettled([...left].map((id) => cameras.remove(id)));
    left = new Set();
    await ending?.close();
  };

  return {
    async start() {
      const started = await serve();
      for (const camera of started.cameras) {
        left.add(camera.id);
        await cameras.adopt(parseCamera(camera));
      }
      log.info({ cameras: started.cameras.length }, 'demo cameras run; add a camera of your own to end them');
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
