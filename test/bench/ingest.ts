/**
 * What pulling cameras costs: n cameras (720p25, 2 Mbit/s, TCP) through Lookout, next to the same streams through bare
 * `gst-launch-1.0 rtspsrc ! rtph264depay ! h264parse ! rtph264pay ! udpsink` processes (the floor), at the same time: on a
 * shared machine a second costs now more, now less CPU, and only what ran side by side can be compared.
 * Usage: npm run bench -- ingest [cameras=20] [seconds=60]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { barePipelines, measureCosts, type Cost } from '../support/process-cost.ts';
import { commandOf, tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';

const [cameras = 20, seconds = 60] = process.argv.slice(2, 4).map(Number);
const warmUpSeconds = 8;
const ids = Array.from({ length: cameras }, (_, index) => `camera${index}`);

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', phase: 'random' as const })) });
const { floor, ...lookout } = await measureBoth();

const round = (value: number): number => Math.round(value * 100) / 100;
console.table({
  'bare gst-launch': show(floor),
  'Lookout: hosts': show(lookout.hosts),
  'Lookout: everything (hosts, workers, supervisor)': show(lookout.everything),
});
console.log(JSON.stringify({
  bench: 'ingest', cameras, seconds,
  cpuRatioHosts: round(lookout.hosts.cpuPercent / floor.cpuPercent),
  cpuRatioEverything: round(lookout.everything.cpuPercent / floor.cpuPercent),
  privateMegabytesAboveFloorPerCamera: round((lookout.everything.privateMegabytes - floor.privateMegabytes) / cameras),
  packets: lookout.packets, packetsLost: lookout.packetsLost, restarts: lookout.restarts,
}));

function show({ cpuPercent, privateMegabytes }: Cost): Record<string, number> {
  return { 'CPU, % of a core': round(cpuPercent), 'CPU per camera, %': round(cpuPercent / cameras), 'private MB': round(privateMegabytes), 'private MB per camera': round(privateMegabytes / cameras) };
}

const floorOf = (id: string, index: number): string => `rtspsrc location=${simulator.url(id)} protocols=tcp latency=100 ! rtph264depay ! h264parse config-interval=-1`
  + ` ! rtph264pay config-interval=-1 ! udpsink host=127.0.0.1 port=${30_000 + index} sync=false async=false`;

async function measureBoth(): Promise<{ floor: Cost; hosts: Cost; everything: Cost; packets: number; packetsLost: number; restarts: number }> {
  await using program = await startLookout();
  for (const id of ids) await program.add({ id, url: simulator.url(id), transport: 'tcp', outputs: { live: { feed: 'always' } } });
  for (const id of ids) await program.until(id, 'streaming.live', 60_000);
  await using pipelines = barePipelines();
  for (const [index, id] of ids.entries()) pipelines.start(floorOf(id, index));
  await sleep(warmUpSeconds * 1_000);
  const before = await lost(program);
  const hostPids = (): number[] => tree(program.pid).filter((pid) => commandOf(pid).includes('host-main'));
  const costs = await measureCosts({ floor: pipelines.pids, hosts: hostPids, everything: () => tree(program.pid) }, seconds);
  const after = await lost(program);
  const restarts = (await program.cameras()).reduce((sum, camera) => sum + camera.restarts, 0);
  return { ...costs, packets: after.packets - before.packets, packetsLost: after.lost - before.lost, restarts };
}

async function lost(program: Lookout): Promise<{ packets: number; lost: number }> {
  const { producers } = await program.sfu();
  return { packets: producers.reduce((sum, { packetCount }) => sum + packetCount, 0), lost: producers.reduce((sum, { packetsLost }) => sum + packetsLost, 0) };
}
