/**
 * 2,000 camera actors with scripted sources in one supervisor, on the real clock: memory of an actor, events a second,
 * and the delay of the event loop while the whole fleet flaps. `npm run bench -- actors [cameras] [seconds]`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, type FailureClass } from '../../src/errors.ts';
import { addCameras, config, playing, startScriptedFleet, streamsBegun } from '../support/scripted-fleet.ts';

const cameras = Number(process.argv[2] ?? 2_000);
const seconds = Number(process.argv[3] ?? 15);
const flaps: FailureClass[] = ['reset', 'eos', 'silent', 'host-crash'];
const megabyte = 1_048_576;

let events = 0;

const root = startScriptedFleet((event) => {
  if (event.type === '@xstate.event') events += 1;
});
const settledMemory = async (): Promise<number> => {
  globalThis.gc?.();
  await delay(200);
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const before = await settledMemory();
const began = performance.now();
addCameras(root, cameras);
while (playing.size < cameras) await delay(5);
const live = performance.now() - began;
const memory = (await settledMemory()) - before;
console.log(`${cameras} cameras are live after ${live.toFixed(0)} ms, through an admission of ${config.supervision.admission.fleet} at once`);
console.log(`memory: ${(memory / cameras / 1_024).toFixed(1)} kB of heap a camera (camera, host, ingest and their leaves)`);

async function measure(title: string, perSecond: number): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const [eventsBefore, streamsBefore, cpu, at] = [events, streamsBegun(), process.cpuUsage(), performance.now()];
  const until = at + seconds * 1_000;
  let lost = 0;
  for (let next = at; performance.now() < until; next += 50) {
    const victims = [...playing].slice(0, Math.round(perSecond / 20));
    for (const [, tell] of victims) tell({ type: 'source.failed', failure: { ...failure(flaps[(lost += 1) % flaps.length] ?? 'reset', 'bench', 'flap') } });
    await delay(Math.max(0, next + 50 - performance.now()));
  }
  const lasted = (performance.now() - at) / 1_000;
  const used = process.cpuUsage(cpu);
  console.log(`${title}: ${Math.round((events - eventsBefore) / lasted)} events/s, ${lost} losses, ${streamsBegun() - streamsBefore} streams begun, ${((used.user + used.system) / 1e4 / lasted).toFixed(0)} % of a core, event loop delay p50 ${(loop.percentile(50) / 1e6 - 5).toFixed(1)} ms, p99 ${(loop.percentile(99) / 1e6 - 5).toFixed(1)} ms, max ${(loop.max / 1e6 - 5).toFixed(1)} ms`);
}

await measure('calm, statistics only', 0);
await measure(`flapping, ${Math.round(cameras / 20)} losses a second`, cameras / 20);
console.log(`rss ${(process.memoryUsage.rss() / megabyte).toFixed(0)} MB`);
root.stop();
process.exit(0);
