/** From configuration to the numbers the machines follow. */
import type { Config } from '../config.ts';
import { failureClasses, type FailureClass } from '../errors.ts';
import { defaultPolicy, type ClassPolicy, type PolicyTable } from '../machines/policy.ts';
import type { SupervisorSettings } from '../machines/supervisor.ts';

/** Classes whose first delay is a promise to the camera, not an upper bound: it is kept as the floor under the jitter. */
const slow = new Set<FailureClass>(['auth', 'not-found', 'busy', 'local', 'storage', 'unsupported']);
const jitterOfBooting = 0.25;

/** The policy table, from the defaults' rules and the configured delays. */
export function policyOf(config: Config): PolicyTable {
  return Object.fromEntries(failureClasses.map((cls) => [cls, classPolicy(cls, config)])) as PolicyTable;
}

function classPolicy(cls: FailureClass, { supervision }: Config): ClassPolicy {
  const { minMs, maxMs, factor } = supervision.backoff[cls];
  const rules = defaultPolicy[cls];
  const quarantineAfter = cls === 'auth' ? supervision.authLimit : rules.quarantineAfter;
  if (cls === 'booting') return { ...rules, factor, floorMs: minMs * (1 - jitterOfBooting), baseMs: minMs * (1 + jitterOfBooting), capMs: maxMs * (1 + jitterOfBooting) };
  if (slow.has(cls)) return { ...rules, factor, quarantineAfter, floorMs: minMs, baseMs: Math.min(maxMs, minMs * 1.5), capMs: maxMs };
  return { ...rules, factor, quarantineAfter, floorMs: 0, baseMs: minMs, capMs: maxMs };
}

/** What each further seat of a process may add to its resident memory before it counts as grown. */
const bytesPerNeighbour = 16 * 1_048_576;

/** The resident memory at which a host of so many is replaced, or takes no new one; 0 means never. */
export function recycleBytes({ hosts }: Pick<Config, 'hosts'>, places: number): number {
  return hosts.recycleRssBytes === 0 ? 0 : hosts.recycleRssBytes + (places - 1) * bytesPerNeighbour;
}

/** Everything the actor tree is started with. */
export function supervisorSettings(config: Config): SupervisorSettings {
  const { supervision, hosts, sfu, rtsp } = config;
  // Those that share a process stop one after the other.
  const reapMsOf = (places: number): number => 2_000 + (places - 1) * 250;
  const reapMs = reapMsOf(hosts.sourcesPerHost);
  return {
    workers: sfu.workers,
    intensity: { restarts: supervision.actors.restarts, periodMs: supervision.actors.windowMs },
    stopMs: 8_000,
    camera: {
      policy: policyOf(config),
      intensity: supervision.intensity,
      resetAfterMs: supervision.resetAfterMs,
      quarantineProbeMs: supervision.quarantineProbeMs,
      bootingWindowMs: supervision.bootingMs,
      releaseMs: hosts.stopMs + reapMs + 1_000,
      feedLingerMs: 5_000,
      output: { policy: policyOf(config), intensity: supervision.intensity, resetAfterMs: supervision.resetAfterMs, startMs: rtsp.startMs, finishMs: 3_000, reapMs: reapMsOf(hosts.outputsPerHost), settleMs: 500 },
      hlsSegmentSeconds: config.hls.segmentSeconds,
      transcode: { maxHeight: config.transcode.maxHeight, lingerMs: config.transcode.idleSeconds * 1_000 },
      source: { spawnMs: 10_000, startMs: rtsp.startMs, stopMs: hosts.stopMs, reapMs, successorMs: supervision.health.keyframeMs, shutMs: 500, cycleMs: sfu.requestMs },
      recycleRssBytes: recycleBytes(config, hosts.sourcesPerHost),
    },
    worker: { intensity: { restarts: supervision.actors.restarts, periodMs: supervision.actors.windowMs }, startMs: 10_000, backoffMs: 50, pauseMs: 10_000 },
    viewer: { ...config.viewers, primer: { prepareMs: sfu.requestMs, lifeMs: config.primers.lifeMs, holdMs: config.primers.holdMs } },
  };
}
