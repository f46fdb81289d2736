/** Finds processes, UDP ports and shared memory of this program that nobody holds any more, by looking at the operating system (Linux: /proc). */
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { PortRange } from './ports.ts';
import type { Registry } from './registry.ts';

/** Where POSIX shared memory lies. */
export const sharedMemory = '/dev/shm';

/** Marks the children of one program in their environment (`LOOKOUT_INSTANCE`). */
export type Instance = { instance: string };

/**
 * How many processes carry our mark and are neither this process nor leased, and how many UDP ports of the internal
 * range hosts and workers have open without a lease, and how many files of ours are in /dev/shm that no lease names. Must read 0.
 */
export async function countOrphans({ instance, registry, range }: Instance & { registry: Registry; range?: PortRange }): Promise<number> {
  const marked = await findMarked(instance);
  const open = range === undefined ? [] : await openPorts(range, registry);
  const shared = await sharedFiles(instance);
  // After the looks: what was forked or bound meanwhile has its lease by now.
  const held = new Set(registry.leases().filter(({ kind }) => kind === 'pid' || kind === 'worker').map(({ value }) => value));
  const places = registry.leases().filter(({ kind }) => kind === 'socket' || kind === 'file');
  const leased = new Set(registry.leases({ kind: 'udp-port' }).map(({ value }) => value));
  return marked.filter((pid) => !held.has(String(pid))).length + [...open].filter((port) => !leased.has(String(port))).length
    + shared.filter((path) => !places.some(({ kind, value }) => (kind === 'socket' ? path === value : path.startsWith(value)))).length;
}

/** What a program of this name puts into shared memory begins with this. */
export function sharedPrefix(instance: string): string {
  return `lookout-${instance}-`;
}

/** Paths of everything of ours in /dev/shm: sockets, and areas of raw frames. */
export async function sharedFiles(instance: string): Promise<string[]> {
  const names = await readdir(sharedMemory).catch(() => []);
  return names.filter((name) => name.startsWith(sharedPrefix(instance))).map((name) => `${sharedMemory}/${name}`);
}

/** Ports of the range that a leased host or worker has bound. The table of sockets is the whole machine's; the descriptors tell whose. */
async function openPorts({ from, to }: PortRange, registry: Registry): Promise<Set<number>> {
  const table = await readFile('/proc/net/udp', 'utf8').catch(() => '');
  const portOf = new Map(table.trim().split('\n').slice(1).flatMap((line): [string, number][] => {
    const fields = line.trim().split(/\s+/u);
    const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16);
    return port >= from && port <= to ? [[`socket:[${fields[9]}]`, port]] : [];
  }));
  if (portOf.size === 0) return new Set();
  const pids = registry.leases({ kind: 'pid' }).filter(({ owner }) => owner.startsWith('camera:') || owner.startsWith('worker:')).map(({ value }) => value);
  const sockets = await Promise.all(pids.map(async (pid) => {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    return Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  }));
  return new Set(sockets.flat().flatMap((name) => portOf.get(name) ?? []));
}

/** Kills what a previous run with the same data directory left behind, and waits until it is gone. Resolves with the pids. */
export async function clearOrphans({ instance }: Instance): Promise<number[]> {
  const pids = await findMarked(instance);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the kill.
    }
  }
  const deadline = performance.now() + 2000;
  while (performance.now() < deadline && (await findMarked(instance)).some((pid) => pids.includes(pid))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return pids;
}

/** Processes of this instance other than ourselves and the parent that guards us. Zombies have no environment and do not count. */
async function findMarked(instance: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const mark = Buffer.from(`\0LOOKOUT_INSTANCE=${instance}\0`);
  const marked: number[] = [];
  for (const entry of entries) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || pid === process.ppid) continue;
    // Unreadable: another user's, or gone already.
    const environment = await readFile(`/proc/${entry}/environ`).catch(() => undefined);
    if (environment !== undefined && Buffer.concat([Buffer.of(0), environment, Buffer.of(0)]).includes(mark)) marked.push(pid);
  }
  return marked;
}
