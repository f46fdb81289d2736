/**
 * What packing saves: n cameras (720p25, 2 Mbit/s, TCP) that nobody watches, with a process for each and with several to a
 * process (`hosts.sourcesPerHost`), by two programs at the same time from the same simulator.
 * Usage: npm run bench -- packing [cameras=10] [seconds=30] [packed=10]
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { cpuSeconds, privateBytes } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';

const [cameras = 10, seconds = 30, packed = 10] = process.argv.slice(2).map((argument) => Number(/^(?:\w+=)?(\d+)$/u.exec(argument)?.[1]));
const warmUpSeconds = 15;
const ids = Array.from({ length: cameras }, (_, index) => `camera${index}`);
type Cost = { hosts: number; privateMegabytes: number; cpuPercent: number; threads: number };

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', phase: 'random' as const })) });
await using alone = await pull(1);
await using together = await pull(packed);
await sleep(warmUpSeconds * 1_000);
const [one, many] = await Promise.all([measure(alone), measure(together)]);

console.table({ 'a process each': show(one), [`${packed} to a process`]: show(many) });
console.log(JSON.stringify({
  bench: 'packing', cameras, seconds, packed,
  privateMegabytesPerCamera: { alone: round(one.privateMegabytes / cameras), packed: round(many.privateMegabytes / cameras) },
  cpuRatioPackedToAlone: round(many.cpuPercent / one.cpuPercent),
}));

async function pull(sourcesPerHost: number): Promise<Lookout> {
  const program = await startLookout({ config: { hosts: { sourcesPerHost } } });
  for (const id of ids) await program.add({ id, url: simulator.url(id), transport: 'tcp' });
  for (const id of ids) await program.until(id, 'streaming.live', 60_000);
  return program;
}

/** CPU over the measured time, memory at its end, of the processes that pull. */
async function measure(program: Lookout): Promise<Cost> {
  const pids = [...new Set((await program.cameras()).map(({ host }) => host?.pid ?? 0))];
  const before = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const began = performance.now();
  await sleep(seconds * 1_000);
  const cpuPercent = ((pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0) - before) / (performance.now() - began)) * 100_000;
  const threads = pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/task`).length, 0);
  return { hosts: pids.length, privateMegabytes: pids.reduce((sum, pid) => sum + privateBytes(pid), 0) / 1_048_576, cpuPercent, threads };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function show({ hosts, privateMegabytes, cpuPercent, threads }: Cost): Record<string, number> {
  return { processes: hosts, 'private MB per camera': round(privateMegabytes / cameras), 'CPU per camera, %': round(cpuPercent / cameras), 'threads per camera': round(threads / cameras) };
}
