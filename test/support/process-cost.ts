/** What processes cost, all measured over the same time, and bare pipelines to compare them with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, privateBytes, threadSeconds } from './procfs.ts';

/** CPU over the measured time, % of one core, of all and by the names of threads; private memory at its end. */
export type Cost = { cpuPercent: number; threads: Record<string, number>; privateMegabytes: number };

/** What groups of processes use within `seconds`. A process that comes meanwhile counts from its start; of one that ends, what it used is lost. */
export async function measureCosts<Name extends string>(groups: Record<Name, () => readonly number[]>, seconds: number): Promise<Record<Name, Cost>> {
  const names = Object.keys(groups) as Name[];
  const look = () => new Map(names.flatMap((name) => groups[name]()).map((pid) => [pid, { cpu: cpuSeconds(pid), threads: threadSeconds(pid) }]));
  const before = look();
  const began = performance.now();
  await sleep(seconds * 1_000);
  const after = look();
  const percent = 100_000 / (performance.now() - began);
  const costOf = (pids: readonly number[]): Cost => {
    const cost: Cost = { cpuPercent: 0, threads: {}, privateMegabytes: privateMegabytes(pids) };
    for (const pid of pids) {
      const [was, is] = [before.get(pid), after.get(pid)];
      cost.cpuPercent += Math.max(0, (is?.cpu ?? 0) - (was?.cpu ?? 0)) * percent;
      for (const [name, used] of Object.entries(is?.threads ?? {})) cost.threads[name] = (cost.threads[name] ?? 0) + (used - (was?.threads[name] ?? 0)) * percent;
    }
    return cost;
  };
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
