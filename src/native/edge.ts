/**
 * An edge: a camera's producer once more, under the payload type that somebody else chose. mediasoup numbers payload types
 * per router and cannot change them per consumer, but whoever makes an SDP offer has numbered them already (RFC 3264 §5.1).
 * So the packets go over a pipe to a router of their own on the same worker, which knows the offer's number and no other.
 */
import type { PipeTransport, Producer, Router } from 'mediasoup/types';
import type { Ingest } from './ingest.ts';
import type { MediaLabel } from './inventory.ts';

/** A router that has one producer, and goes with the ingest. */
export type Edge = {
  readonly router: Router;
  readonly producer: Producer;
  close(): void;
};

/** Makes it. `ports` are leased on 127.0.0.1, for either end of the pipe. */
export async function createEdge(ingest: Ingest, { payloadType, ports: [near, far], recvBufferBytes }: { payloadType: number; ports: readonly [number, number]; recvBufferBytes: number }): Promise<Edge> {
  const [codec] = ingest.producer.rtpParameters.codecs;
  const appData: MediaLabel = { camera: ingest.camera, role: 'edge' };
  const router = await ingest.worker.worker.createRouter({
    mediaCodecs: [{ kind: 'video', mimeType: 'video/H264', clockRate: 90_000, preferredPayloadType: payloadType, parameters: { ...codec?.parameters } }],
    appData,
  });
  const close = (): void => router.close();
  const pipes: PipeTransport[] = [];
  ingest.router.observer.once('close', close);
  router.observer.once('close', () => {
    ingest.router.observer.off('close', close);
    for (const pipe of pipes) pipe.close();
  });
  try {
    const listen = (port: number) => ({ listenInfo: { protocol: 'udp' as const, ip: '127.0.0.1', port, recvBufferSize: recvBufferBytes }, enableSctp: false, appData });
    const from = await ingest.router.createPipeTransport(listen(near));
    pipes.push(from);
    const to = await router.createPipeTransport(listen(far));
    pipes.push(to);
    await Promise.all([from.connect({ ip: '127.0.0.1', port: far }), to.connect({ ip: '127.0.0.1', port: near })]);
    const { kind, rtpParameters } = await from.consume({ producerId: ingest.producer.id, appData });
    // Never paused: the pipe's consumer is, with the camera's producer, and goes on at a keyframe by itself. A second
    // pause would come a moment too late, and might swallow that keyframe.
    const producer = await to.produce({ kind, rtpParameters, appData });
    if (router.closed || ingest.router.closed) throw new Error('the ingest went away');
    return { router, producer, close };
  } catch (error) {
    for (const pipe of pipes) pipe.close();
    router.close();
    throw error;
  }
}
