/**
 * Everything taken from the operating system — pids, UDP ports, sockets, files — is leased here, outside the actors.
 * XState does not clean up the children of an actor that errored; whoever supervises it revokes its leases instead.
 */

/** What can be leased. */
export type LeaseKind = 'pid' | 'udp-port' | 'socket' | 'file' | 'worker' | 'router' | 'transport';

/** A claim on one resource. `release()` is idempotent and resolves when the resource is confirmed gone. */
export type Lease = {
  readonly kind: LeaseKind;
  /** Whoever holds it: `camera:<id>/source`, `worker:0`, `viewer:<id>` … */
  readonly owner: string;
  /** The resource's own name: the pid, the port. */
  readonly value: string;
  readonly since: number;
  release(): Promise<void>;
};

/** The book of all leases. */
export type Registry = {
  /** `free` undoes the claim and resolves when it is confirmed (killed and reaped, port seen free). Called at most once. */
  lease(claim: { kind: LeaseKind; owner: string; value: string; free: () => Promise<void> }): Lease;
  /** Removes a lease whose resource ended by itself, without calling `free`. */
  forget(lease: Lease): void;
  /** Revokes all leases of an owner and of everything below it (`owner` itself and `owner/…`), in reverse order. */
  revoke(owner: string): Promise<void>;
  leases(filter?: { kind?: LeaseKind; owner?: string }): Lease[];
};

/** Makes an empty registry. */
export function createRegistry(): Registry {
  const live = new Set<Lease>();

  const lease: Registry['lease'] = ({ kind, owner, value, free }) => {
    let freeing: Promise<void> | undefined;
    const entry: Lease = {
      kind,
      owner,
      value,
      since: Date.now(),
      release() {
        freeing ??= live.has(entry) ? free().finally(() => live.delete(entry)) : Promise.resolve();
        return freeing;
      },
    };
    live.add(entry);
    return entry;
  };

  const belongs = (entry: Lease, owner: string): boolean => entry.owner === owner || entry.owner.startsWith(`${owner}/`);

  return {
    lease,
    forget: (entry) => void live.delete(entry),
    async revoke(owner) {
      const mine = [...live].filter((entry) => belongs(entry, owner)).reverse();
      await Promise.allSettled(mine.map((entry) => entry.release()));
    },
    leases: ({ kind, owner } = {}) => [...live].filter((entry) => (kind === undefined || entry.kind === kind) && (owner === undefined || belongs(entry, owner))),
  };
}
