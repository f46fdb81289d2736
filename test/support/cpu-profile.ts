/** The CPU profiler of a program under test, over its inspector: the domain Profiler of the Chrome DevTools Protocol. */
import type { Lookout } from './lookout.ts';
import { connectInspector } from './node-inspector.ts';

type Node = { id: number; callFrame: { functionName: string; url: string }; children?: number[] };
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[] };

/** Microseconds of one profile: the thread was at work, and of that within the files that were asked for and what they called. */
export type Spent = { busyUs: number; withinUs: number };

export type CpuProfiler = Disposable & {
  /** Takes samples while `during` runs; `within` says which files count. */
  measure(during: () => Promise<unknown>, within: (url: string) => boolean): Promise<Spent>;
};

/** Connects. Throws where the program was started without an inspector. */
export async function connectProfiler(lookout: Pick<Lookout, 'lines'>): Promise<CpuProfiler> {
  const inspector = await connectInspector(lookout);
  const { ask } = inspector;
  await ask('Profiler.enable');
  await ask('Profiler.setSamplingInterval', { interval: 200 });
  return {
    async measure(during, within) {
      await ask('Profiler.start');
      await during();
      const { profile } = await ask<{ profile: Profile }>('Profiler.stop');
      return spentOf(profile, within);
    },
    [Symbol.dispose]: () => inspector[Symbol.dispose](),
  };
}

/** A sample belongs to the files as soon as one of them is anywhere on its stack. */
function spentOf({ nodes, samples, timeDeltas }: Profile, within: (url: string) => boolean): Spent {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const belongs = new Map<number, boolean>();
  const isWithin = (id: number): boolean => {
    const known = belongs.get(id);
    if (known !== undefined) return known;
    const parent = parents.get(id);
    const is = within(byId.get(id)!.callFrame.url) || (parent !== undefined && isWithin(parent));
    belongs.set(id, is);
    return is;
  };
  const spent = { busyUs: 0, withinUs: 0 };
  samples.forEach((id, index) => {
    if (byId.get(id)?.callFrame.functionName === '(idle)') return;
    spent.busyUs += timeDeltas[index] ?? 0;
    if (isWithin(id)) spent.withinUs += timeDeltas[index] ?? 0;
  });
  return spent;
}
