/** Hosts on demand: a fork with a deadline on everything it does, a warm spare, every pid in the registry. */
import { failure, FailureError } from '../errors.ts';
import { HostProcess, type HostOptions } from './host-process.ts';
import type { HostKind, HostPool } from './host.ts';
import { createSeating, type Seating } from './seating.ts';

/** A pool's settings; only registry and instance have no default. */
export type HostPoolOptions = Pick<HostOptions, 'registry' | 'instance'> & Partial<HostOptions> & {
  /** Hosts that wait, loaded, for the next `take`: 0 or 1. */
  spares?: 0 | 1;
  /** A host that several share takes no new one once its resident memory grew to this; 0 means never. */
  wornRssBytes?: Record<HostKind, number>;
};

const defaults = { heartbeatMs: 1300, calmMs: 5000, frozenMs: 1000, readyMs: 10_000, spares: 1, sourcesPerHost: 1, outputsPerHost: 1, wornRssBytes: { source: 0, output: 0 }, onStderr: () => {} } as const;
/** The owner of a spare in the registry. */
const spareOwner = 'pool/spare';
/** A spare that dies young (out of memory, broken installation) is not re-made in a tight loop. */
const spareRetryMs = 5000;
/** A new spare is not forked at once: its start would compete with the host that was just taken. */
const refillMs = 300;

/** Makes a pool. The first spare is forked at once. */
export function createHostPool(given: HostPoolOptions): HostPool {
  const options = { ...defaults, ...given };
  const live = new Set<HostProcess>();
  const seatings: Record<HostKind, Seating<HostProcess>> = {
    source: createSeating({ places: options.sourcesPerHost, wornRssBytes: options.wornRssBytes.source, suits: (host) => host.hasBox }),
    output: createSeating({ places: options.outputsPerHost, wornRssBytes: options.wornRssBytes.output }),
  };
  let spare: HostProcess | undefined;
  let closed = false;
  let refill: NodeJS.Timeout | undefined;

  const fork = (owner: string): HostProcess => {
    const host = new HostProcess(owner, options);
    live.add(host);
    void host.exited.then((exit) => {
      live.delete(host);
      for (const seating of Object.values(seatings)) seating.close(host, exit, host.seats().map((seat) => seat.owner));
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
  const fresh = (owner: string): HostProcess => {
    const host = spare ?? fork(owner);
    spare = undefined;
    plan(refillMs);
    return host;
  };

  if (options.spares > 0) spare = fork(spareOwner);

  return {
    async take(owner, { beside } = {}) {
      if (closed) throw new Error('The host pool is closed.');
      const seating = beside && seatings[beside];
      const known = seating?.choose(owner);
      const host = known ?? fresh(owner);
      if (known === undefined) seating?.open(host, owner);
      const seat = host.seat(owner);
      if (host.pid === 0) throw new FailureError(failure('local', 'spawn-failed', 'No host process could be started: this machine is out of processes, memory or file descriptors.'));
      return seat;
    },
    // The newest: for the moment of a planned restart there are two.
    find: (owner) => [...live].flatMap((host) => host.seats()).filter((seat) => seat.owner === owner).sort((a, b) => a.number - b.number).at(-1),
    hosts: () => [...live].flatMap(rowsOf),
    async close() {
      closed = true;
      clearTimeout(refill);
      await Promise.all([...live].map((host) => host.kill()));
    },
  };
}

function rowsOf(host: HostProcess): ReturnType<HostPool['hosts']> {
  const { pid, rssBytes } = host;
  const owners = host.seats().map((seat) => seat.owner);
  if (owners.length === 0) return [{ owner: spareOwner, pid, rssBytes, beside: [] }];
  return owners.map((owner, index) => ({ owner, pid, rssBytes, beside: owners.filter((_, other) => other !== index) }));
}
