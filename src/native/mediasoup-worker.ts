/** One mediasoup worker process with its WebRtcServer: spawned through a wrapper that ties it to us, leased, watched. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorker, version, workerBin as bundledWorkerBin } from 'mediasoup';
import type { WebRtcServer, Worker } from 'mediasoup/types';
import { failure as makeFailure, type Failure } from '../errors.ts';
import { takeInventory, type Inventory } from './inventory.ts';
import type { Lease, Registry } from './registry.ts';

/** What a worker needs to know of the machine and the configuration. */
export type MediaWorkerOptions = {
  index: number;
  registry: Registry;
  /** Where the wrapper script is written. */
  stateDir: string;
  /** Range of the WebRtcServers; tried from the index's place upwards until one binds. */
  portMin: number;
  portMax: number;
  listenIp: string;
  announcedAddress: string | undefined;
  /** A request unanswered for this long means frozen, ms. */
  requestMs: number;
  onLog: (line: string) => void;
};

/** A running worker. */
export type MediaWorker = {
  readonly index: number;
  readonly pid: number;
  /** Everything it holds. */
  readonly inventory: Inventory;
  /** UDP and TCP port of its WebRtcServer. */
  readonly port: number;
  readonly worker: Worker;
  readonly webRtcServer: WebRtcServer;
  /** Resolves when the process is gone, asked or not. */
  readonly ended: Promise<{ failure: Failure | null }>;
  close(): Promise<void>;
};

const repository = join(import.meta.dirname, '..', '..');
/** How often a worker is asked whether it still answers. */
const watchEveryMs = 1_000;
const closeGraceMs = 1_000;
const portTries = 200;

/**
 * Path of the worker binary: `MEDIASOUP_WORKER_BIN`, what set-up wrote down, or the one inside the npm package.
 * Throws where there is none, with the way out.
 */
export function findWorkerBinary(): string {
  const told = process.env['MEDIASOUP_WORKER_BIN'];
  if (told) return told;
  const noted = join(repository, '.cache', 'setup.json');
  if (existsSync(noted)) {
    const { workerBin } = JSON.parse(readFileSync(noted, 'utf8')) as { workerBin?: string };
    if (workerBin && existsSync(workerBin)) return workerBin;
  }
  if (existsSync(bundledWorkerBin)) return bundledWorkerBin;
  throw new Error(`There is no mediasoup ${version} worker. Run "node scripts/setup.mjs", or set MEDIASOUP_WORKER_BIN.`);
}

/**
 * A SIGSTOPped worker never sees that its channel closed; the kernel's parent-death signal reaches it all the same.
 * mediasoup offers no spawn options, so the worker is started by a two-line script that execs it through setpriv.
 */
function wrapperFor(stateDir: string, binary: string): string {
  const path = join(stateDir, 'mediasoup-worker.sh');
  mkdirSync(stateDir, { recursive: true });
  const quoted = binary.replaceAll("'", String.raw`'\''`);
  writeFileSync(path, `#!/bin/sh\nexec setpriv --pdeathsig KILL -- '${quoted}' "$@"\n`, { mode: 0o700 });
  return path;
}

/** Starts a worker. Rejects where it cannot start or no port is free. */
export async function startMediaWorker(options: MediaWorkerOptions): Promise<MediaWorker> {
  const worker = await spawnWorker(options);
  const inventory = takeInventory(worker);
  const lease = leaseProcess(worker, options);
  try {
    const { webRtcServer, port } = await listen(worker, options);
    return { index: options.index, pid: worker.pid, port, worker, webRtcServer, inventory, ...supervise(worker, lease, options) };
  } catch (error) {
    await lease.release();
    throw error;
  }
}

async function spawnWorker(options: MediaWorkerOptions): Promise<Worker> {
  const before = { INT: process.listeners('SIGINT'), TERM: process.listeners('SIGTERM') };
  const worker = await createWorker({ workerBin: wrapperFor(options.stateDir, findWorkerBinary()), logLevel: 'warn' });
  // mediasoup closes its workers on SIGINT and SIGTERM by itself, before our viewers are told. The order is ours.
  for (const listener of process.listeners('SIGINT')) if (!before.INT.includes(listener)) process.removeListener('SIGINT', listener);
  for (const listener of process.listeners('SIGTERM')) if (!before.TERM.includes(listener)) process.removeListener('SIGTERM', listener);
  return worker;
}

function leaseProcess(worker: Worker, { registry, index }: MediaWorkerOptions): Lease {
  const gone = new Promise<void>((resolve) => {
    worker.once('subprocessclose', resolve);
  });
  const lease = registry.lease({
    kind: 'pid',
    owner: `worker:${index}`,
    value: String(worker.pid),
    async free() {
      worker.close();
      const killer = setTimeout(() => kill(worker.pid), closeGraceMs);
      await gone;
      clearTimeout(killer);
    },
  });
  void gone.then(() => registry.forget(lease));
  return lease;
}

async function listen(worker: Worker, options: MediaWorkerOptions): Promise<{ webRtcServer: WebRtcServer; port: number }> {
  const { listenIp: ip, announcedAddress, portMin, portMax, index } = options;
  const span = portMax - portMin + 1;
  let problem: unknown;
  for (let tried = 0; tried < Math.min(portTries, span); tried += 1) {
    const port = portMin + ((index + tried) % span);
    const info = { ip, port, ...(announcedAddress === undefined ? {} : { announcedAddress }) };
    try {
      const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ...info }, { protocol: 'tcp', ...info }] });
      return { webRtcServer, port };
    } catch (error) {
      problem = error;
    }
  }
  throw new Error(`No free port for WebRTC between ${portMin} and ${portMax} on ${ip}: ${String(problem)}`);
}

function supervise(worker: Worker, lease: Lease, options: MediaWorkerOptions): Pick<MediaWorker, 'ended' | 'close'> {
  let reason: Failure | null = null;
  let asked = false;
  let waiting = false;
  const watch = setInterval(() => {
    if (waiting) return;
    waiting = true;
    const frozen = setTimeout(() => {
      reason = makeFailure('sfu', 'worker-frozen', `Media worker ${options.index} did not answer for ${options.requestMs} ms.`, `pid ${worker.pid}`);
      kill(worker.pid);
    }, options.requestMs);
    worker.getResourceUsage().catch(() => undefined).finally(() => {
      clearTimeout(frozen);
      waiting = false;
    });
  }, watchEveryMs);
  const ended = new Promise<{ failure: Failure | null }>((resolve) => {
    worker.once('subprocessclose', () => {
      clearInterval(watch);
      resolve({ failure: asked ? null : (reason ?? makeFailure('sfu', 'worker-died', `Media worker ${options.index} ended unexpectedly.`, `pid ${worker.pid}`)) });
    });
  });
  return {
    ended,
    async close() {
      asked = true;
      await lease.release();
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
