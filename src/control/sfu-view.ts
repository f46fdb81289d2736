/** What the SFU holds, for `GET /api/v1/sfu` and `/stats`. */
import type { Producer } from 'mediasoup/types';
import type { MediaPlane } from '../actors/media-plane.ts';
import type { PrimerView } from '../actors/primers.ts';
import type { MediaRoleView, SfuView, SfuWorkerView, StreamName } from '../api/protocol.ts';
import type { WorkerStatus } from '../machines/sfu.ts';
import type { Ingest } from '../native/ingest.ts';
import { labelOf } from '../native/inventory.ts';
import { cpuSeconds, residentBytes } from '../native/proc.ts';

/** The workers, as their machines and the operating system know them. */
export function workerViews(statuses: readonly WorkerStatus[], plane: MediaPlane): SfuWorkerView[] {
  return statuses.map(({ index, state, pid, port, restarts }) => ({
    index, pid, state, restarts, port,
    routers: plane.ingests().filter((ingest) => ingest.worker.index === index).length,
    cpu: pid === null ? null : cpuSeconds(pid),
    rssBytes: pid === null ? null : residentBytes(pid),
  }));
}

/** Everything, the cameras' own first, with the counters of this moment. A worker that does not answer leaves its counters at 0. */
export async function sfuView(statuses: readonly WorkerStatus[], plane: MediaPlane, primers: PrimerView[]): Promise<SfuView> {
  const workers = plane.workers();
  const ingests = plane.ingests();
  const all = <T>(list: (worker: (typeof workers)[number]) => T[]): T[] => workers.flatMap(list);
  const producers = all(({ inventory }) => inventory.producers());
  return {
    workers: workerViews(statuses, plane),
    routers: ownFirst(all(({ index, inventory }) => inventory.routers().map((router) => ({ id: router.id, ...nameOf(router), worker: index, role: labelOf(router).role ?? 'ingest' as const })))),
    transports: ownFirst(all(({ inventory }) => inventory.transports().map((transport) => {
      const { viewer = null, role = transport.type === 'webrtc' ? 'viewer' as const : 'ingest' as const } = labelOf(transport);
      const ingest = ingests.find((each) => each.transport.id === transport.id);
      return { id: transport.id, kind: transport.type as 'plain' | 'webrtc' | 'pipe', ...nameOf(transport), viewer, role, ...(ingest ? { recvBufferBytes: ingest.recvBufferBytes } : {}) };
    }))),
    producers: ownFirst(await Promise.all(producers.map((producer) => producerView(producer, ingests)))),
    consumers: all(({ inventory }) => inventory.consumers().map((consumer) => {
      const { viewer = null, role = 'viewer' as const } = labelOf(consumer);
      return { id: consumer.id, ...nameOf(consumer), viewer, role, kind: consumer.kind, paused: consumer.paused };
    })),
    primers: primers.map(({ camera, ...primer }) => ({ ...nameOf({ appData: { camera } }), ...primer })),
  };
}

/** Only an ingest counts keyframes and what was lost before it. */
async function producerView(producer: Producer, ingests: Ingest[]): Promise<SfuView['producers'][number]> {
  const { role = 'ingest' } = labelOf(producer);
  const common = { id: producer.id, ...nameOf(producer), role, kind: producer.kind, paused: producer.paused };
  const ingest = ingests.find((each) => each.producer.id === producer.id);
  if (ingest) {
    const { packets, bytes, packetsLost } = await ingest.counters().catch(() => ({ packets: 0, bytes: 0, packetsLost: 0 }));
    return { ...common, packetCount: packets, byteCount: bytes, keyframeCount: ingest.keyframes(), packetsLost };
  }
  const streams = await producer.getStats().catch(() => []);
  const sum = (pick: (stream: (typeof streams)[number]) => number): number => streams.reduce((total, stream) => total + pick(stream), 0);
  return { ...common, packetCount: sum((stream) => stream.packetCount), byteCount: sum((stream) => stream.byteCount), keyframeCount: 0, packetsLost: 0 };
}

/** Whose it is. */
function nameOf(object: Parameters<typeof labelOf>[0]): { camera: string; stream?: 'sub' } {
  const { camera, stream } = labelOf(object);
  return { camera, ...(stream && { stream }) };
}

const ownFirst = <T extends { role?: MediaRoleView; stream?: StreamName }>(list: T[]): T[] => {
  const rank = ({ role, stream }: T): number => (role === 'ingest' ? 0 : 2) + (stream === 'sub' ? 1 : 0);
  return list.toSorted((a, b) => rank(a) - rank(b));
};
