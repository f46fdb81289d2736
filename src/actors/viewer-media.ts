/** The media of one viewer: WebRtcTransport and consumers on the camera's router, with their events as calls. */
import type { Consumer, DtlsParameters, Producer, RtpCapabilities, WebRtcTransport } from 'mediasoup/types';
import { LookoutError } from '../errors.ts';
import type { Ingest } from '../native/ingest.ts';
import type { EdgeLoan } from './edges.ts';

/** What a viewer's media tells. */
export type ViewerMediaEvents = {
  connected(): void;
  disconnected(): void;
  paused(): void;
  resumed(): void;
  /** The ingest behind it is gone: transport and consumers with it. */
  gone(): void;
};

/** A viewer's transport and consumers. */
export type ViewerMedia = {
  readonly ingest: Ingest;
  readonly transport: WebRtcTransport;
  readonly rtpCapabilities: RtpCapabilities;
  consumers(): Consumer[];
  connect(dtlsParameters: DtlsParameters): Promise<void>;
  consume(): Promise<Consumer[]>;
  /** Beside the camera's own, until its producer goes. Rejects where that is gone already. */
  consumePrimer(producer: Producer): Promise<Consumer>;
  /** One more consumer, until it is closed; `onEnd` is called when the sound goes while the viewer stays. */
  consumeSound(producer: Producer, onEnd: () => void): Promise<Consumer>;
  close(): void;
};

/** Makes the transport: on the camera's router, or on an edge of it, which goes back with the transport. */
export async function createViewerMedia(
  ingest: Ingest,
  { viewer, rtpCapabilities, events, loan }: { viewer: string; rtpCapabilities: RtpCapabilities; events: ViewerMediaEvents; loan?: EdgeLoan },
): Promise<ViewerMedia> {
  const { router, producer } = loan?.edge ?? ingest;
  const transport = await router.createWebRtcTransport({
    webRtcServer: ingest.worker.webRtcServer,
    enableUdp: true,
    enableTcp: true,
    preferUdp: true,
    appData: { viewer, camera: ingest.camera },
  });
  const consumers: Consumer[] = [];
  let closed = false;
  transport.on('icestatechange', (state) => {
    if (state === 'disconnected' || state === 'closed') events.disconnected();
    if (state === 'completed' && transport.dtlsState === 'connected') events.connected();
  });
  transport.on('dtlsstatechange', (state) => {
    if (state === 'connected') events.connected();
    if (state === 'failed' || state === 'closed') events.disconnected();
  });
  transport.observer.once('close', () => {
    loan?.release();
    if (!closed) events.gone();
  });
  if (loan) followFlow(ingest, transport, events);

  return {
    ingest,
    transport,
    rtpCapabilities,
    consumers: () => consumers,
    connect: (dtlsParameters) => transport.connect({ dtlsParameters }),
    async consume() {
      if (consumers.length > 0) return consumers;
      const producerId = producer.id;
      if (!router.canConsume({ producerId, rtpCapabilities })) {
        throw new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { cameraId: ingest.camera, message: 'This browser cannot decode the H.264 profile of this camera over WebRTC.' });
      }
      const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true, appData: { viewer, camera: ingest.camera } });
      consumer.on('producerpause', () => events.paused());
      consumer.on('producerresume', () => events.resumed());
      consumers.push(consumer);
      return consumers;
    },
    async consumePrimer({ id: producerId }) {
      const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true, appData: { viewer, camera: ingest.camera } });
      consumers.push(consumer);
      consumer.observer.once('close', () => void consumers.splice(consumers.indexOf(consumer), 1));
      return consumer;
    },
    async consumeSound({ id: producerId }, onEnd) {
      if (!router.canConsume({ producerId, rtpCapabilities })) throw new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { cameraId: ingest.camera, message: 'This browser does not play the sound of this camera.' });
      const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true, appData: { viewer, camera: ingest.camera } });
      consumers.push(consumer);
      consumer.on('producerclose', onEnd);
      consumer.observer.once('close', () => void consumers.splice(consumers.indexOf(consumer), 1));
      return consumer;
    },
    close() {
      closed = true;
      transport.close();
    },
  };
}

/** An edge's producer is never paused: what the camera's own does is told instead. */
function followFlow({ producer }: Ingest, transport: WebRtcTransport, events: ViewerMediaEvents): void {
  producer.observer.on('pause', events.paused).on('resume', events.resumed);
  transport.observer.once('close', () => producer.observer.off('pause', events.paused).off('resume', events.resumed));
}
