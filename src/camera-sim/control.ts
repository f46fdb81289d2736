/** Remote control of a simulator process: one request, one answer, as IPC messages or as lines of JSON. */
import type { Simulator } from './simulator.ts';
import type { Behaviour, Incident, MountStats } from './types.ts';

/** What can be asked. `id` is repeated in the answer. */
export type ControlRequest = { id: number } & (
  | { call: 'script'; mount: string; change: Partial<Behaviour> }
  | { call: 'act'; mount: string; incident: Incident }
  | { call: 'stats'; mount: string }
);

/** The answer to a request. */
export type ControlAnswer = { id: number; ok: true; stats?: MountStats } | { id: number; ok: false; error: string };

/** First message of the process: it serves. `urls` by camera, credentials included. */
export type ListeningMessage = { listening: true; pid: number; urls: Record<string, string> };

/** Carries a request out. Never throws: what went wrong is in the answer. */
export async function control(simulator: Simulator, request: ControlRequest): Promise<ControlAnswer> {
  const { id } = request;
  try {
    if (request.call === 'stats') return { id, ok: true, stats: simulator.stats(request.mount) };
    if (request.call === 'script') await simulator.script(request.mount, request.change);
    else if (request.call === 'act') await simulator.act(request.mount, request.incident);
    else throw new Error(`"${String((request as { call: unknown }).call)}" is no call: script, act or stats`);
    return { id, ok: true };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
