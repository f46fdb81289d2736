/** The inspector of a program under test (started with `NODE_OPTIONS=--inspect=127.0.0.1:0`): the Chrome DevTools Protocol over its WebSocket. */
import type { Lookout } from './lookout.ts';

export type NodeInspector = Disposable & {
  /** Carries out a method and resolves with its result. */
  ask<T>(method: string, params?: object): Promise<T>;
};

/** Connects. Throws where the program was started without one. */
export async function connectInspector({ lines }: Pick<Lookout, 'lines'>): Promise<NodeInspector> {
  const address = lines.map((line) => /^Debugger listening on (ws:\S+)/u.exec(line)?.[1]).find(Boolean);
  if (address === undefined) throw new Error('the program has no inspector: start it with NODE_OPTIONS=--inspect=127.0.0.1:0');
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let asked = 0;
  return {
    ask: <T>(method: string, params: object = {}) => new Promise<T>((resolve) => {
      asked += 1;
      waiting.set(asked, resolve as (result: unknown) => void);
      socket.send(JSON.stringify({ id: asked, method, params }));
    }),
    [Symbol.dispose]: () => socket.close(),
  };
}
