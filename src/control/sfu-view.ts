/** What the SFU holds, for `GET /api/v1/sfu` and `/stats`. */
import type { MediaPlane } from '../actors/media-plane.ts';
import type { PrimerView } from '../actors/primers.ts';
import type { ViewerMedia } from '../actors/viewer-media.ts';
import type { SfuView, SfuWorkerView } from '../api/protocol.ts';
import type { WorkerStatus } from '../machines/sfu.ts';
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

/** Everything, with the counters of this moment. A worker that does not answer leaves its counters at 0. */
export async function sfuView(statuses: readonly WorkerStatus[], plane: MediaPlane, viewers: { viewer: string; media: ViewerMedia }[], primers: PrimerView[]): Promise<SfuView> {
  const ingests = plane.ingests();
  const producers = await Promise.all(ingests.map(async (ingest) => {
    const { packets, bytes, packetsLost } = await ingest.counters().catch(() => ({ packets: 0, bytes: 0, packetsLost: 0 }));
    return {
      id: ingest.producer.id, camera: ingest.camera, kind: ingest.producer.kind, paused: ingest.producer.paused,
      packetCount: packets, byteCount: bytes, keyframeCount: ingest.keyframes(), packetsLost,
    };
  }));
  return {
    workers: workerViews(statuses, plane),
    routers: ingests.map(({ router, camera, worker }) => ({ id: router.id, camera, worker: worker.index })),
    transports: [
      ...ingests.map(({ transport, camera, recvBufferBytes }) => ({ id: transport.id, kind: 'plain' as const, camera, viewer: null, recvBufferBytes })),
      ...viewers.map(({ viewer, media }) => ({ id: media.transport.id, kind: 'webrtc' as const, camera: media.ingest.camera, viewer })),
    ],
    producers,
    consumers: viewers.flatMap(({ viewer, media }) => media.consumers().map(({ id, kind, paused }) => ({ id, camera: media.ingest.camera, viewer, kind, paused }))),
    primers,
  };
}
