/** The simulator as a child process that cannot outlive its parent. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ControlAnswer, ControlRequest, ListeningMessage } from './control.ts';
import type { Behaviour, Incident, MountStats, SimulatorConfig } from './types.ts';

/** A simulator in a process of its own. Calls reject for a camera that does not exist, and once the process ended. */
export type SimulatorProcess = {
  readonly pid: number;
  /** Address of a camera, credentials included where it asks for some. */
  url(mount: string): string;
  /** Changes parts of a camera's behaviour until changed again. */
  script(mount: string, change: Partial<Behaviour>): Promise<void>;
  /** Lets something happen to a camera once. */
  act(mount: string, incident: Incident): Promise<void>;
  stats(mount: string): Promise<MountStats>;
  /** Resolves with the exit when the process is reaped. */
  readonly exited: Promise<void>;
  /** Ends and reaps the process. */
  close(): Promise<void>;
};

/** All a simulator inherits: no token or secret of its parent. LOOKOUT_INSTANCE is what orphans are found by. */
const inheritedEnv = ['PATH', 'HOME', 'LOOKOUT_INSTANCE', 'NODE_COMPILE_CACHE'] as const;

const startDeadlineMs = 10_000;
const closeDeadlineMs = 2000;

/** What is asked, without the number that pairs it with its answer. */
type Call<R = ControlRequest> = R extends { id: number } ? Omit<R, 'id'> : never;

/** Spawns a simulator and resolves when it listens. */
export async function spawnSimulator(config: SimulatorConfig): Promise<SimulatorProcess> {
  const entry = fileURLToPath(new URL('main.ts', import.meta.url));
  // pdeathsig covers the parent's SIGKILL; where there is no util-linux (macOS) the IPC disconnect does.
  const command = [process.execPath, '--max-semi-space-size=2', entry];
  const [file = '', ...args] = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--', ...command] : command;
  const env = Object.fromEntries(inheritedEnv.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit').then(() => undefined, () => undefined);
  const waiting = new Map<number, { resolve: (answer: ControlAnswer) => void; reject: (error: Error) => void }>();
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The simulator process ended'));
    waiting.clear();
  });

  const listening = new Promise<ListeningMessage>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The simulator did not start in time')), startDeadlineMs);
    child.once('message', (message) => resolve(message as ListeningMessage));
    child.once('error', reject);
    void exited.then(() => reject(new Error('The simulator process ended before it listened'))).finally(() => clearTimeout(timer));
    child.once('message', () => clearTimeout(timer));
  });
  child.send(config);
  const { pid, urls } = await listening.catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });

  child.on('message', (answer: ControlAnswer) => {
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  let lastId = 0;
  const ask = async (call: Call): Promise<MountStats | undefined> => {
    if (!child.connected) throw new Error('The simulator process ended');
    lastId += 1;
    const id = lastId;
    const answered = new Promise<ControlAnswer>((resolve, reject) => waiting.set(id, { resolve, reject }));
    child.send({ id, ...call });
    const answer = await answered;
    if (!answer.ok) throw new Error(answer.error);
    return answer.stats;
  };

  return {
    pid,
    exited,
    url(mount) {
      const url = urls[mount];
      if (url === undefined) throw new Error(`There is no camera "${mount}"`);
      return url;
    },
    script: async (mount, change) => void (await ask({ call: 'script', mount, change })),
    act: async (mount, incident) => void (await ask({ call: 'act', mount, incident })),
    stats: async (mount) => await ask({ call: 'stats', mount }) as MountStats,
    async close() {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), closeDeadlineMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
