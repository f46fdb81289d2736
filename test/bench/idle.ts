/**
 * What cameras cost that nobody watches: n of them (720p25, 2 Mbit/s, TCP) in Lookout's hosts, next to the same streams through bare
 * `gst-launch-1.0 rtspsrc ! fakesink`; then watched (the feed reaches the SFU), next to `rtspsrc ! depay ! parse ! pay ! udpsink`. Both at
 * the same time, with rtspsrc set alike, once memory has settled; what a host keeps for itself is shown while it does.
 * Usage: npm run bench -- idle [cameras=20] [seconds=60] [settling seconds=60]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { barePipelines, measureCosts, privateMegabytes, type Cost } from '../support/process-cost.ts';
import { tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';

const [cameras = 20, seconds = 60, settling = 60] = process.argv.slice(2, 5).map(Number);
const ids = Array.from({ length: cameras }, (_, index) => `camera${index}`);
const targets = { unwatched: 1.15, watched: 1.2, privateMegabytes: 15 } as const;
const bare = {
  unwatched: () => 'fakesink',
  watched: (port: number) => `rtph264depay ! h264parse config-interval=-1 ! rtph264pay config-interval=-1 ! udpsink host=127.0.0.1 port=${port} sync=false async=false`,
} as const;

type State = keyof typeof bare;
/** `settling`: private MB of a host, by seconds since its camera was live. */
type Measured = { hosts: Cost; floor: Cost; everything: Cost; settling: Record<number, number>; packets: number; packetsLost: number; restarts: number };

const round = (value: number): number => Math.round(value * 100) / 100;
const measured = { unwatched: await measure('unwatched'), watched: await measure('watched') };
const rows = Object.entries(measured).flatMap(([state, { hosts, floor, everything }]) => [
  [`${state}: bare gst-launch`, row(floor)], [`${state}: hosts`, row(hosts)], [`${state}: everything (hosts, workers, supervisor)`, row(everything)],
] as const);
console.table(Object.fromEntries(rows));
for (const [state, { hosts, floor }] of Object.entries(measured)) console.table({ [`${state}: bare, % a camera by thread`]: threads(floor), [`${state}: hosts`]: threads(hosts) });
console.table(Object.fromEntries(Object.entries(measured).map(([state, each]) => [`${state}: private MB of a host after s`, each.settling])));
const results = { unwatched: summary(measured.unwatched), watched: summary(measured.watched) };
const met = {
  unwatched: results.unwatched.cpuRatio <= targets.unwatched,
  watched: results.watched.cpuRatio <= targets.watched,
  privateMegabytes: results.unwatched.privateMegabytes <= targets.privateMegabytes,
};
console.log(JSON.stringify({ bench: 'idle', cameras, seconds, settling, targets, met, ...results }));
process.exitCode = Object.values(met).every(Boolean) ? 0 : 1;

function row({ cpuPercent, privateMegabytes: megabytes }: Cost): Record<string, number> {
  return { 'CPU, % of a core': round(cpuPercent), 'CPU a camera, %': round(cpuPercent / cameras), 'private MB a camera': round(megabytes / cameras) };
}

function threads({ threads: all }: Cost): Record<string, number> {
  return Object.fromEntries(Object.entries(all).map(([name, percent]) => [name, Math.round(percent / cameras * 1_000) / 1_000]).filter(([, percent]) => percent !== 0));
}

function summary({ hosts, floor, everything, packets, packetsLost, restarts }: Measured) {
  return {
    cpuRatio: round(hosts.cpuPercent / floor.cpuPercent), cpuRatioEverything: round(everything.cpuPercent / floor.cpuPercent),
    privateMegabytes: round(hosts.privateMegabytes / cameras), aboveBare: round((hosts.privateMegabytes - floor.privateMegabytes) / cameras),
    packets, packetsLost, restarts,
  };
}

async function measure(state: State): Promise<Measured> {
  await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', phase: 'random' as const })) });
  await using lookout = await startLookout();
  const feed = state === 'watched' ? 'always' : 'on-demand';
  for (const id of ids) await lookout.add({ id, url: simulator.url(id), transport: 'tcp', outputs: { live: { feed } } });
  for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);
  await using pipelines = barePipelines();
  for (const [index, id] of ids.entries()) pipelines.start(`rtspsrc location=${simulator.url(id)} protocols=tcp latency=0 ! ${bare[state](30_000 + index)}`);
  const pids = (await lookout.cameras()).map(({ host }) => host!.pid);
  const settled = await settle(pids);
  const before = await passed(lookout);
  const costs = await measureCosts({ hosts: () => pids, floor: pipelines.pids, everything: () => tree(lookout.pid) }, seconds);
  const after = await passed(lookout);
  const restarts = (await lookout.cameras()).reduce((sum, camera) => sum + camera.restarts, 0);
  return { ...costs, settling: settled, packets: after.packets - before.packets, packetsLost: after.lost - before.lost, restarts };
}

/** Waits until memory has settled, and tells how it did: at half of the time, at a quarter … and at its end. */
async function settle(pids: readonly number[]): Promise<Record<number, number>> {
  const began = performance.now();
  const looks: Record<number, number> = {};
  for (const at of [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1].map((share) => Math.round(share * settling))) {
    await sleep(Math.max(0, began + at * 1_000 - performance.now()));
    looks[at] = round(privateMegabytes(pids) / pids.length);
  }
  return looks;
}

/** Of the feeds. */
async function passed(lookout: Lookout): Promise<{ packets: number; lost: number }> {
  const { producers } = await lookout.sfu();
  return { packets: producers.reduce((sum, { packetCount }) => sum + packetCount, 0), lost: producers.reduce((sum, { packetsLost }) => sum + packetsLost, 0) };
}
