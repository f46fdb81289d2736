/**
 * 2,000 camera actors with scripted sources in one supervisor, on the real clock: memory of an actor, events a second,
 * and the delay of the event loop while the whole fleet flaps. `node test/bench/actors.ts [cameras] [seconds]`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createActor, fromPromise, type InspectionEvent } from 'xstate';
import { effect } from '../../src/actors/effect.ts';
import { stopChildrenOfCrashed } from '../../src/actors/crashed.ts';
import { createAdmission } from '../../src/actors/admission.ts';
import { parseCamera } from '../../src/camera-config.ts';
import { loadConfig } from '../../src/config.ts';
import { supervisorSettings } from '../../src/control/settings.ts';
import { failure, type FailureClass } from '../../src/errors.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import { hostMachine, type ProcessCommand, type ProcessFact } from '../../src/machines/host.ts';
import { ingestMachine } from '../../src/machines/ingest.ts';
import { sfuMachine } from '../../src/machines/sfu.ts';
import { sourceMachine } from '../../src/machines/source.ts';
import { supervisorMachine, type Cleaned } from '../../src/machines/supervisor.ts';
import { viewerMachine, type ViewerEnd } from '../../src/machines/viewer.ts';
import { workerMachine } from '../../src/machines/worker.ts';
import { description } from '../support/scripted-camera.ts';

const cameras = Number(process.argv[2] ?? 2_000);
const seconds = Number(process.argv[3] ?? 15);
const flaps: FailureClass[] = ['reset', 'eos', 'silent', 'host-crash'];
const megabyte = 1_048_576;

let events = 0;
let streams = 0;
const playing = new Map<number, (fact: ProcessFact) => void>();
let processes = 0;

/** A source that starts at once, tells its counters four times a second as real ones do, and fails when it is told to. */
const source = effect<ProcessCommand, never>(({ sendBack, receive }) => {
  const tell = (fact: ProcessFact): void => sendBack(fact);
  const id = (processes += 1);
  let packets = 0;
  const begin = setTimeout(() => {
    tell({ type: 'source.ready', pid: id });
    tell({ type: 'source.started', hubPort: 1 });
    tell({ type: 'source.flowing' });
    streams += 1;
    playing.set(id, tell);
  }, 20);
  const stats = setInterval(() => {
    packets += 25;
    tell({ type: 'source.stats', stats: { packets, bytes: packets * 1_000, frames: packets, keyframes: 1, packetAgeMs: 5, keyframeAgeMs: 500, keyframeIntervalMs: 1_000, fps: 25, bitrate: 1e6, feedBytes: 0, feedSequence: packets & 0xffff, rssBytes: 2e7 } as never });
  }, 250);
  const end = (): void => {
    clearTimeout(begin);
    clearInterval(stats);
    playing.delete(id);
  };
  receive((command) => {
    if (command.type !== 'process.stop') return;
    end();
    tell({ type: 'process.exited', failure: null });
  });
  return end;
});

const config = loadConfig(['--no-demo'], {});
const settings = supervisorSettings({ ...config, supervision: { ...config.supervision, intensity: { failures: 10_000, windowMs: 300_000 } } });
const machine = supervisorMachine.provide({
  actors: {
    sfu: sfuMachine.provide({ actors: { worker: workerMachine.provide({ actors: { process: effect(({ sendBack }) => {
      sendBack({ type: 'worker.ready', pid: 1, port: 1 });
      return () => undefined;
    }) } }) } }),
    viewer: viewerMachine.provide({ actors: { close: fromPromise<void, { id: string; reason: ViewerEnd }>(async () => undefined) } }),
    cleanup: fromPromise<Cleaned, { child: string; error: unknown }>(async ({ input }) => ({ child: input.child, at: Date.now() })),
    camera: cameraMachine.provide({
      actors: {
        source: sourceMachine.provide({ actors: { host: hostMachine.provide({ actors: { process: source as never } }) } }),
        ingest: ingestMachine.provide({ actors: { producer: effect(({ sendBack }) => {
          sendBack({ type: 'producer.ready', worker: 0, workerPid: 1 });
          return () => undefined;
        }) as never } }),
        slot: createAdmission(config.supervision.admission).slot,
        presence: effect(() => () => undefined),
        probe: fromPromise(async () => description),
        revoke: fromPromise<void, { camera: string }>(async () => undefined),
      },
    }),
  },
});

const inspect = (event: InspectionEvent): void => {
  stopChildrenOfCrashed(event);
  if (event.type === '@xstate.event') events += 1;
};
const root = createActor(machine, { input: { settings }, inspect }).start();
const settledMemory = async (): Promise<number> => {
  globalThis.gc?.();
  await delay(200);
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const before = await settledMemory();
const began = performance.now();
for (let index = 0; index < cameras; index += 1) {
  const camera = parseCamera({ id: `camera-${index}`, url: `rtsp://10.0.${index >> 8}.${index & 255}/stream` });
  root.send({ type: 'camera.add', config: camera, feed: { port: 20_000, bindPort: 20_001, ssrc: index + 1, payloadType: 96 }, seed: index });
}
while (playing.size < cameras) await delay(5);
const live = performance.now() - began;
const memory = (await settledMemory()) - before;
console.log(`${cameras} cameras are live after ${live.toFixed(0)} ms, through an admission of ${config.supervision.admission.fleet} at once`);
console.log(`memory: ${(memory / cameras / 1_024).toFixed(1)} kB of heap a camera (camera, host, ingest and their leaves)${globalThis.gc ? '' : '; run with --expose-gc for an exact figure'}`);

async function measure(title: string, perSecond: number): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const [eventsBefore, streamsBefore, cpu, at] = [events, streams, process.cpuUsage(), performance.now()];
  const until = at + seconds * 1_000;
  let lost = 0;
  for (let next = at; performance.now() < until; next += 50) {
    const victims = [...playing].slice(0, Math.round(perSecond / 20));
    for (const [, tell] of victims) tell({ type: 'source.failed', failure: { ...failure(flaps[(lost += 1) % flaps.length] ?? 'reset', 'bench', 'flap') } });
    await delay(Math.max(0, next + 50 - performance.now()));
  }
  const lasted = (performance.now() - at) / 1_000;
  const used = process.cpuUsage(cpu);
  console.log(`${title}: ${Math.round((events - eventsBefore) / lasted)} events/s, ${lost} losses, ${streams - streamsBefore} streams begun, ${((used.user + used.system) / 1e4 / lasted).toFixed(0)} % of a core, event loop delay p50 ${(loop.percentile(50) / 1e6 - 5).toFixed(1)} ms, p99 ${(loop.percentile(99) / 1e6 - 5).toFixed(1)} ms, max ${(loop.max / 1e6 - 5).toFixed(1)} ms`);
}

await measure('calm, statistics only', 0);
await measure(`flapping, ${Math.round(cameras / 20)} losses a second`, cameras / 20);
console.log(`rss ${(process.memoryUsage.rss() / megabyte).toFixed(0)} MB`);
root.stop();
process.exit(0);
