/** Leases of UDP ports on 127.0.0.1 from a range below the kernel's ephemeral one. */
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, FailureError } from '../errors.ts';
import type { Lease, Registry } from './registry.ts';

/** A leased port. `release()` resolves once it was seen free, or after {@link freeWithinMs}. */
export type PortLease = Lease & { readonly port: number };

/** The ports of one program. */
export type Ports = {
  /** A port that nobody holds and that can be bound at this moment. Rejects with a `local` failure where there is none. */
  lease(owner: string): Promise<PortLease>;
};

/** Both ends included. 20000–29999 unless told (design §2). */
export type PortRange = { from: number; to: number };

const defaultRange: PortRange = { from: 20_000, to: 29_999 };
const freeWithinMs = 3000;
const freePollMs = 20;

/** Makes the leases. Starts at a random place, so that two programs on one machine seldom ask for the same port. */
export function createPorts({ registry, range = defaultRange }: { registry: Registry; range?: PortRange }): Ports {
  const size = range.to - range.from + 1;
  const taken = new Set<number>();
  let next = Math.floor(Math.random() * size);

  return {
    async lease(owner) {
      for (let tries = 0; tries < size; tries += 1) {
        const port = range.from + next;
        next = (next + 1) % size;
        if (taken.has(port)) continue;
        taken.add(port);
        if (await canBind(port)) {
          const lease = registry.lease({ kind: 'udp-port', owner, value: String(port), free: () => seenFree(port).finally(() => taken.delete(port)) });
          return Object.assign(lease, { port });
        }
        taken.delete(port);
      }
      throw new FailureError(failure('local', 'no-port', `No UDP port from ${range.from} to ${range.to} is free.`));
    },
  };
}

/** True where the port can be bound on 127.0.0.1 now. */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

/** A port that stays occupied is given up after a while: `lease` tries it by binding before it hands it out again. */
async function seenFree(port: number): Promise<void> {
  const deadline = performance.now() + freeWithinMs;
  while (!(await canBind(port))) {
    if (performance.now() > deadline) return;
    await delay(freePollMs);
  }
}
