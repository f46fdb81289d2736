/** A simulator process for a test: cameras that really speak RTSP, in a process that ends with the test. */
import { spawnSimulator } from '../../src/camera-sim/process.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { SimulatorConfig } from '../../src/camera-sim/types.ts';

/** Starts a simulator whose cameras have a port each, so that one can refuse while the others serve. Use with `await using`. */
export async function startSimulator(config: SimulatorConfig): Promise<SimulatorProcess & AsyncDisposable> {
  const simulator = await spawnSimulator({ port: 'per-mount', ...config });
  return { ...simulator, [Symbol.asyncDispose]: () => simulator.close() };
}
