/** The edges that viewers share: one for each ingest and payload type, made with the first viewer, closed with the last. */
import { LookoutError } from '../errors.ts';
import { createEdge, type Edge } from '../native/edge.ts';
import type { Ingest } from '../native/ingest.ts';
import type { PortLease, Ports } from '../native/ports.ts';

/** An edge on loan. `release` may be called again. */
export type EdgeLoan = { edge: Edge; release(): void };

/** Lends edges. */
export type Edges = {
  /** Rejects with `LOOKOUT_SFU_UNAVAILABLE` where the worker cannot make one. */
  borrow(ingest: Ingest, payloadType: number): Promise<EdgeLoan>;
};

type Shared = { users: number; made: Promise<Edge> };

/** Makes the lender. */
export function createEdges({ ports, recvBufferBytes }: { ports: Ports; recvBufferBytes: number }): Edges {
  const held = new Map<string, Shared>();
  const make = async (ingest: Ingest, payloadType: number): Promise<Edge> => {
    const owner = `edge:${ingest.camera}/${payloadType}`;
    const leases: PortLease[] = [];
    const free = (): void => leases.forEach((lease) => void lease.release());
    try {
      const near = await ports.lease(owner);
      leases.push(near);
      const far = await ports.lease(owner);
      leases.push(far);
      const edge = await createEdge(ingest, { payloadType, ports: [near.port, far.port], recvBufferBytes });
      edge.router.observer.once('close', free);
      return edge;
    } catch (cause) {
      free();
      throw new LookoutError('LOOKOUT_SFU_UNAVAILABLE', { cameraId: ingest.camera, cause });
    }
  };
  return {
    async borrow(ingest, payloadType) {
      const key = `${ingest.router.id}/${payloadType}`;
      let shared = held.get(key);
      if (!shared) {
        const made = make(ingest, payloadType);
        const fresh = { users: 0, made };
        held.set(key, fresh);
        const forget = (): void => void (held.get(key) === fresh && held.delete(key));
        made.then(({ router }) => router.observer.once('close', forget), forget);
        shared = fresh;
      }
      const mine = shared;
      mine.users += 1;
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        mine.users -= 1;
        if (mine.users > 0) return;
        // Whoever asks from now on gets one of their own.
        if (held.get(key) === mine) held.delete(key);
        void mine.made.then((edge) => edge.close(), () => undefined);
      };
      try {
        return { edge: await mine.made, release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}
