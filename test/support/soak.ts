/** Restarts one camera again and again while others stream, and measures what the supervisor holds: it must return to where it began. */
import { readdir, readFile } from 'node:fs/promises';
import { allocator } from '../../src/cli/allocator.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { eventually } from './eventually.ts';
import { connectInspector } from './node-inspector.ts';
import { startSimulator } from './simulator.ts';

/** What the supervisor holds at one moment. Leases and actors by its own word, the rest by the kernel's. */
export type Holding = { restart: number; rssBytes: number; descriptors: number; threads: number; actors: number; leases: number; children: number };

/** A soak and its evidence. `neighbours`: what happened to those who were to be left alone, which should be nothing. */
export type SoakReport = { samples: Holding[]; baseline: Holding; end: Holding; neighbours: string[]; seconds: number };

const secret = 'internal-secret-of-the-soak';
const ids = ['victim', 'one', 'two', 'three'];

/** Everything as shipped but the delays and the patience: a killed host is replaced at once, however often. */
const config = {
  supervision: { backoff: { 'host-crash': { minMs: 0, maxMs: 0 } }, resetAfterMs: 0, intensity: { failures: 10_000, windowMs: 86_400_000 } },
  journal: { rowsPerCamera: 500 },
};

/**
 * Kills the victim's host `restarts` times, each time as soon as it streams, and takes a sample every `every` restarts.
 * The young generation of the heap and the allocator are as the guardian sets them.
 */
export async function soak({ restarts, every, warmUp = 5, onSample }: { restarts: number; every: number; warmUp?: number; onSample?: (holding: Holding) => void }): Promise<SoakReport> {
  await using cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  await using lookout = await startLookout({ config, env: { LOOKOUT_INTERNAL_SECRET: secret, LOOKOUT_LOG_LEVEL: 'warn', ...allocator, NODE_OPTIONS: '--max-semi-space-size=4 --inspect=127.0.0.1:0' } });
  for (const id of ids) await lookout.add({ id, url: cameras.url(id), outputs: { live: { feed: 'always' } } });
  for (const id of ids) await lookout.until(id, 'streaming.live');
  const was = await lookout.cameras();
  let pid = (await lookout.camera('victim')).host?.pid ?? 0;
  for (let nth = 0; nth < warmUp; nth += 1) pid = await restart(lookout, pid);
  const baseline = await settled(lookout, 0);
  const samples = [baseline];
  const began = performance.now();
  for (let nth = 1; nth <= restarts; nth += 1) {
    pid = await restart(lookout, pid);
    if (nth % every !== 0) continue;
    const holding = await settled(lookout, nth);
    samples.push(holding);
    onSample?.(holding);
  }
  const end = await settled(lookout, restarts);
  const neighbours: string[] = [];
  for (const { id, since } of await lookout.cameras()) {
    if (id === 'victim' || was.find((camera) => camera.id === id)?.since === since) continue;
    neighbours.push(...(await lookout.events(id)).slice(0, 4).map(({ at, to, class: cls }) => `${id} ${at} ${to}${cls ? ` (${cls})` : ''}`));
  }
  return { samples, baseline, end, neighbours, seconds: (performance.now() - began) / 1_000 };
}

async function restart(lookout: Lookout, pid: number): Promise<number> {
  process.kill(pid, 'SIGKILL');
  return await eventually(async () => {
    const { substate, host } = await lookout.camera('victim');
    return substate === 'live' && host && host.pid !== pid ? host.pid : undefined;
  }, { timeoutMs: 10_000, what: 'the victim to stream again' }) as number;
}

/** A sample at rest: four hosts and a warm spare, two workers or more, nothing under way. */
async function settled(lookout: Lookout, nth: number): Promise<Holding> {
  await collectGarbage(lookout);
  return await eventually(async () => {
    const { held, media } = await (await fetch(`${lookout.url}/stats`, { headers: { 'x-internal-auth': secret } })).json() as { held: { actors: number; leases: unknown[] }; media: { hosts: unknown[] } };
    const children = (await lookout.children()).length;
    if (media.hosts.length !== ids.length + 1) return undefined;
    const status = await readFile(`/proc/${lookout.pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'mu').exec(status)?.[1]);
    const descriptors = (await readdir(`/proc/${lookout.pid}/fd`)).length;
    return { restart: nth, rssBytes: field('VmRSS') * 1_024, descriptors, threads: field('Threads'), actors: held.actors, leases: held.leases.length, children };
  }, { timeoutMs: 10_000, what: 'four hosts and a spare' }) as Holding;
}

/** Garbage that waits to be collected is no leak, and hides one: the supervisor's inspector collects it before each sample. */
async function collectGarbage(lookout: Lookout): Promise<void> {
  using inspector = await connectInspector(lookout);
  await inspector.ask('HeapProfiler.collectGarbage');
}

/** Least squares of y over x: the slope and the half width of its 95 % interval. */
export function slopeOf(points: readonly { x: number; y: number }[]): { slope: number; halfWidth: number } {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const sxx = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / sxx;
  const residual = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, halfWidth: n > 2 ? 1.96 * Math.sqrt(residual / (n - 2) / sxx) : Infinity };
}

const rows = [['rssBytes', 'resident memory, MB', 1_048_576], ['descriptors', 'file descriptors', 1], ['threads', 'threads', 1], ['actors', 'actors', 1], ['leases', 'leases', 1]] as const;

/** The samples as a picture: one strip a quantity, over the restarts. */
export function plot(samples: readonly Holding[]): string {
  const [width, strip, left] = [900, 120, 60];
  const last = samples.at(-1)?.restart ?? 1;
  const strips = rows.map(([key, title, unit], index) => {
    const values = samples.map((holding) => holding[key] / unit);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const top = index * strip + 24;
    const y = (value: number): number => top + (strip - 40) * (1 - (value - low) / Math.max(high - low, 1e-9));
    const line = samples.map((holding, nth) => `${(left + (holding.restart / last) * (width - left - 10)).toFixed(1)},${y(values[nth] ?? low).toFixed(1)}`).join(' ');
    return `<text x="4" y="${top - 8}">${title}: ${low.toFixed(1)} – ${high.toFixed(1)}</text><polyline fill="none" stroke="#2563eb" stroke-width="1.5" points="${line}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${rows.length * strip}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>${strips.join('')}</svg>\n`;
}
