/** Figures of the program itself, sampled in the background so that nobody waits for them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { countOrphans } from '../native/orphans.ts';
import type { PortRange } from '../native/ports.ts';
import type { Registry } from '../native/registry.ts';

/** The newest sample. `cpu`: cores used by this process; `eventLoopDelayMs`: p99 of the last period; `heapLimitBytes`: what V8's heap may become. */
export type SystemSample = { cpu: number; rssBytes: number; heapBytes: number; heapLimitBytes: number; eventLoopDelayMs: number; orphans: number };

/** Samples until it is stopped. */
export type SystemSampler = { latest(): SystemSample; stop(): void };

const periodMs = 2_000;
/** Looking at every process of the machine is not free. */
const orphansEvery = 5;

function memory(): Pick<SystemSample, 'rssBytes' | 'heapBytes' | 'heapLimitBytes'> {
  const { used_heap_size: heapBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  return { rssBytes: process.memoryUsage.rss(), heapBytes, heapLimitBytes };
}

/** Starts sampling. `onSample` is called after each sample. */
export function sampleSystem({ instance, registry, ports, onSample }: { instance: string; registry: Registry; ports: PortRange; onSample: () => void }): SystemSampler {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let sample: SystemSample = { cpu: 0, ...memory(), eventLoopDelayMs: 0, orphans: 0 };
  let usage = process.cpuUsage();
  let at = process.hrtime.bigint();
  let round = 0;

  const timer = setInterval(() => {
    const now = process.hrtime.bigint();
    const used = process.cpuUsage(usage);
    sample = {
      ...sample,
      cpu: (used.user + used.system) / (Number(now - at) / 1_000),
      ...memory(),
      eventLoopDelayMs: Math.round(delay.percentile(99) / 1e4) / 100,
    };
    usage = process.cpuUsage();
    at = now;
    delay.reset();
    round += 1;
    if (round % orphansEvery === 1) void countOrphans({ instance, registry, range: ports }).then((orphans) => (sample = { ...sample, orphans }));
    onSample();
  }, periodMs);
  timer.unref();

  return {
    latest: () => sample,
    stop() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
