/** The way of one primer through the SFU: a PlainTransport and a producer of its own, on the camera's router. */
import type { PlainTransport, Producer } from 'mediasoup/types';
import type { Ingest } from './ingest.ts';
import type { MediaLabel } from './inventory.ts';

/** Transport and producer. */
export type PrimerPath = {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  /** Packets that reached the producer. */
  packets(): Promise<number>;
  close(): void;
};

/** Makes it; the producer carries what the camera's own does. `from` is the only port on loopback that is heard. */
export async function createPrimerPath(ingest: Ingest, options: { viewer: string; port: number; from: number; ssrc: number; recvBufferBytes: number }): Promise<PrimerPath> {
  const { viewer, port, from, ssrc, recvBufferBytes } = options;
  const appData: MediaLabel = { camera: ingest.camera, viewer, role: 'primer' };
  const transport = await ingest.router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1', port, recvBufferSize: recvBufferBytes }, rtcpMux: true, comedia: false, appData });
  try {
    await transport.connect({ ip: '127.0.0.1', port: from });
    const { kind, rtpParameters: { codecs } } = ingest.producer;
    // Unlike a camera's feed, what plays a primer hears a request for a keyframe.
    const feedback = codecs.map((codec) => ({ ...codec, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] }));
    const producer = await transport.produce({ kind, rtpParameters: { codecs: feedback, encodings: [{ ssrc }], rtcp: { cname: `${ingest.camera}/primer` } }, appData });
    return {
      transport, producer,
      packets: async () => (await producer.getStats()).reduce((sum, { packetCount }) => sum + packetCount, 0),
      close: () => transport.close(),
    };
  } catch (error) {
    transport.close();
    throw error;
  }
}
