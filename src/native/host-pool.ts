/** Hosts on demand: a fork with a deadline on everything it does, a warm spare, every pid in the registry. */
import { failure, FailureError } from '../errors.ts';
import { spawnHost, type HostOptions, type OwnedHost } from './host-process.ts';
import type { HostPool } from './host.ts';

/** A pool's settings; only registry, instance and compile cache have no default. */
export type HostPoolOptions = Pick<HostOptions, 'registry' | 'instance' | 'compileCache'> & Partial<HostOptions> & {
  /** Hosts that wait, loaded, for the next `take`: 0 or 1. */
  spares?: 0 | 1;
};

const defaults = { heartbeatMs: 1300, calmMs: 5000, frozenMs: 1000, readyMs: 10_000, spares: 1, onStderr: () => {} } as const;
/** The owner of a spare in the registry. */
const spareOwner = 'pool/spare';
/** A spare that dies young (out of memory, broken installation) is not re-made in a tight loop. */
const spareRetryMs = 5000;
/** A new spare is not forked at once: its start would compete with the host that was just taken. */
const refillMs = 300;

/** Makes a pool. The first spare is forked at once. */
export function createHostPool(given: HostPoolOptions): HostPool {
  const options = { ...defaults, ...given };
  const live = new Set<OwnedHost>();
  let spare: OwnedHost | undefined;
  let closed = false;
  let refill: NodeJS.Timeout | undefined;

  const fork = (owner: string): OwnedHost => {
    const host = spawnHost(owner, options);
    live.add(host);
    void host.exited.then(() => {
      live.delete(host);
      if (spare !== host) return;
      spare = undefined;
      plan(spareRetryMs);
    });
    return host;
  };
  const plan = (delayMs: number): void => {
    clearTimeout(refill);
    if (closed || options.spares === 0 || spare !== undefined) return;
    refill = setTimeout(() => (spare ??= fork(spareOwner)), delayMs);
    refill.unref();
  };

  if (options.spares > 0) spare = fork(spareOwner);

  return {
    async take(owner) {
      if (closed) throw new Error('The host pool is closed.');
      const host = spare ?? fork(owner);
      if (host === spare) {
        spare = undefined;
        host.giveTo(owner);
      }
      plan(refillMs);
      if (host.pid === 0) throw new FailureError(failure('local', 'spawn-failed', 'No host process could be started: this machine is out of processes, memory or file descriptors.'));
      return host;
    },
    // The newest: for the moment of a planned restart there are two.
    find: (owner) => [...live].findLast((host) => host.owner === owner),
    hosts: () => [...live].map(({ owner, pid, rssBytes }) => ({ owner, pid, rssBytes })),
    async close() {
      closed = true;
      clearTimeout(refill);
      await Promise.all([...live].map((host) => host.kill()));
    },
  };
}
