/** What processes cost, all measured over the same time, and bare pipelines to compare them with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, privateBytes } from './procfs.ts';

/** CPU over the measured time, % of one core, and private memory at its end. */
export type Cost = { cpuPercent: number; privateMegabytes: number };

/** What groups of processes use within `seconds`. A process that comes meanwhile counts from its start; of one that ends, what it used is lost. */
export async function measureCosts<Name extends string>(groups: Record<Name, () => readonly number[]>, seconds: number): Promise<Record<Name, Cost>> {
  const names = Object.keys(groups) as Name[];
  const before = new Map(names.flatMap((name) => groups[name]()).map((pid) => [pid, cpuSeconds(pid)]));
  const began = performance.now();
  await sleep(seconds * 1_000);
  const used = new Map(names.flatMap((name) => groups[name]()).map((pid) => [pid, Math.max(0, cpuSeconds(pid) - (before.get(pid) ?? 0))]));
  const elapsed = (performance.now() - began) / 1_000;
  const costOf = (pids: readonly number[]): Cost => ({
    cpuPercent: (pids.reduce((sum, pid) => sum + (used.get(pid) ?? 0), 0) / elapsed) * 100,
    privateMegabytes: privateMegabytes(pids),
  });
  return Object.fromEntries(names.map((name) => [name, costOf(groups[name]())])) as Record<Name, Cost>;
}

/** Private memory of all of them together. */
export function privateMegabytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + privateBytes(pid), 0) / 1_048_576;
}

/** `gst-launch-1.0` processes; disposing of them kills and reaps all. */
export type BarePipelines = AsyncDisposable & {
  /** Returns the pid. */
  start(launch: string): number;
  pids(): number[];
};

/** None yet. */
export function barePipelines(): BarePipelines {
  const children: ChildProcess[] = [];
  return {
    start(launch) {
      const child = spawn('gst-launch-1.0', ['-q', ...launch.split(/\s+/u)], { stdio: 'ignore' });
      children.push(child);
      return child.pid!;
    },
    pids: () => children.map(({ pid }) => pid!),
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }));
    },
  };
}
