/** The CPU profiler of a program under test, over its inspector (started with `--inspect=127.0.0.1:0`): the Chrome DevTools Protocol, domain Profiler. */
import type { Lookout } from './lookout.ts';

type Node = { id: number; callFrame: { functionName: string; url: string }; children?: number[] };
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[] };

/** Microseconds of one profile: the thread was at work, and of that within the files that were asked for and what they called. */
export type Spent = { busyUs: number; withinUs: number };

export type CpuProfiler = Disposable & {
  /** Takes samples while `during` runs; `within` says which files count. */
  measure(during: () => Promise<unknown>, within: (url: string) => boolean): Promise<Spent>;
};

/** Connects. Throws where the program was started without an inspector. */
export async function connectProfiler({ lines }: Pick<Lookout, 'lines'>): Promise<CpuProfiler> {
  const address = lines.map((line) => /^Debugger listening on (ws:\S+)/u.exec(line)?.[1]).find(Boolean);
  if (address === undefined) throw new Error('the program has no inspector: start it with NODE_OPTIONS=--inspect=127.0.0.1:0');
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`${address} cannot be reached`)));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let asked = 0;
  const ask = <T>(method: string, params = {}): Promise<T> => new Promise((resolve) => {
    asked += 1;
    waiting.set(asked, resolve as (result: unknown) => void);
    socket.send(JSON.stringify({ id: asked, method, params }));
  });
  await ask('Profiler.enable');
  await ask('Profiler.setSamplingInterval', { interval: 200 });
  return {
    async measure(during, within) {
      await ask('Profiler.start');
      await during();
      const { profile } = await ask<{ profile: Profile }>('Profiler.stop');
      return spentOf(profile, within);
    },
    [Symbol.dispose]: () => socket.close(),
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
