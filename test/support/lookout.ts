/** The real program for a test: `src/main.ts` as a child process on free ports with a data directory of its own. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import type { CameraView, EventView, SfuView } from '../../src/api/protocol.ts';
import type { CameraInput } from '../../src/camera-config.ts';
import { eventually } from './eventually.ts';

/** A running program. */
export type Lookout = AsyncDisposable & {
  readonly pid: number;
  readonly url: string;
  /** The link that opens the page logged in. */
  readonly loginLink: string;
  readonly dataDir: string;
  /** Everything it wrote, line by line. */
  readonly lines: string[];
  /** One request as admin; the answer's JSON. Asserts that the status is below 400 unless `expect` names another. */
  api<T>(method: string, path: string, options?: { body?: unknown; expect?: number }): Promise<T>;
  add(camera: CameraInput): Promise<CameraView>;
  camera(id: string): Promise<CameraView>;
  cameras(): Promise<CameraView[]>;
  events(id: string): Promise<EventView[]>;
  sfu(): Promise<SfuView>;
  /** Waits until the camera is in this state (`streaming.live` names a substate too). */
  until(id: string, state: string, timeoutMs?: number): Promise<CameraView>;
  /** Processes it started that live now. */
  children(): Promise<{ pid: number; command: string }[]>;
  /** Ends it by a signal (SIGTERM) and waits. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: string | null }>;
};

const entry = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const guardian = join(import.meta.dirname, '..', '..', 'src', 'cli', 'guardian.ts');
const token = 'test-admin-token-of-this-run';

/** Short delays, so that tests of recovery take seconds. Everything else is as shipped. */
const quick = {
  supervision: {
    backoff: Object.fromEntries(['auth', 'not-found', 'busy', 'local'].map((cls) => [cls, { minMs: 1_000, maxMs: 2_000 }])),
    quarantineProbeMs: 5_000,
  },
};

/** Starts the program and resolves when it answers. `config` is merged over short delays; `guarded`: as `npm start` does it, `pid` is the guardian's; `port`: that of one that ended. */
export async function startLookout(options: { config?: object; env?: Record<string, string>; dataDir?: string; guarded?: boolean; demo?: boolean; port?: number } = {}): Promise<Lookout> {
  const dataDir = options.dataDir ?? await mkdtemp(join(tmpdir(), 'lookout-e2e-'));
  const configFile = join(dataDir, 'lookout.yaml');
  await import('node:fs/promises').then(({ writeFile }) => writeFile(configFile, stringify({ ...quick, ...options.config })));
  const child = spawn(process.execPath, ['--max-semi-space-size=4', options.guarded ? guardian : entry, '--config', configFile, '--data', dataDir, '--port', String(options.port ?? 0), ...(options.demo ? [] : ['--no-demo'])], {
    env: { ...process.env, LOOKOUT_TOKEN: token, LOOKOUT_LOG_LEVEL: 'info', LOOKOUT_GRPC_PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = collect(child);
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const loginLink = await Promise.race([
    eventually(() => lines.map((line) => /(https?:\/\/\S+#token=\S+)/u.exec(line)?.[1]).find(Boolean), { timeoutMs: 20_000, what: 'the login link' }),
    exited.then(([code]) => Promise.reject(new Error(`Lookout ended with ${code}:\n${lines.join('\n')}`))),
  ]).catch((error: unknown) => {
    // Nobody has it to end it.
    child.kill('SIGKILL');
    throw error;
  }) as string;
  const url = new URL(loginLink).origin;
  const { pid } = child as { pid: number };

  const api = async <T>(method: string, path: string, { body, expect }: { body?: unknown; expect?: number } = {}): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (expect === undefined) assert.ok(response.status < 400, `${method} ${path} answered ${response.status}: ${text}`);
    else assert.equal(response.status, expect, `${method} ${path}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const camera = (id: string): Promise<CameraView> => api<CameraView>('GET', `/api/v1/cameras/${id}`);

  return {
    pid, url, loginLink, dataDir, lines, api, camera,
    add: (input) => api<CameraView>('POST', '/api/v1/cameras', { body: input, expect: 201 }),
    cameras: async () => (await api<{ cameras: CameraView[] }>('GET', '/api/v1/cameras')).cameras,
    events: async (id) => (await api<{ events: EventView[] }>('GET', `/api/v1/cameras/${id}/events?limit=500`)).events,
    sfu: () => api<SfuView>('GET', '/api/v1/sfu'),
    until: (id, state, timeoutMs = 15_000) => eventually(async () => {
      const view = await camera(id);
      return `${view.state}.${view.substate ?? ''}`.startsWith(state) ? view : undefined;
    }, { timeoutMs, what: `${id} to be ${state}` }) as Promise<CameraView>,
    children: () => childrenOf(pid),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code, by] = await exited;
      return { code, signal: by };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
      await exited;
      clearTimeout(timer);
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/** Direct children of a process, by /proc. */
export async function childrenOf(pid: number): Promise<{ pid: number; command: string }[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = text.trim().split(' ').filter(Boolean).map(Number);
  return Promise.all(pids.map(async (child) => ({ pid: child, command: (await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ') })));
}

/** Whether a process lives (a zombie does not). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}
