/** The ingest of one camera on one worker: a router, a PlainTransport on the camera's leased port, a producer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlainTransport, Producer, Router, RouterRtpCodecCapability } from 'mediasoup/types';
import type { Feed } from '../media.ts';
import type { MediaWorker } from './mediasoup-worker.ts';
import { maxReceiveBuffer } from '../receive-buffer.ts';

/** H.264 profiles mediasoup tells apart (RFC 6184 §8.1); levels do not matter for matching. */
const profiles = ['42001f', '42e01f', '4d001f', '64001f'];

const portTries = 10;
const portRetryMs = 20;

const mediaCodecs: RouterRtpCodecCapability[] = [
  ...profiles.map((profile) => ({
    kind: 'video' as const,
    mimeType: 'video/H264',
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': profile, 'level-asymmetry-allowed': 1 },
  })),
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8_000, channels: 1 },
  { kind: 'audio', mimeType: 'audio/PCMA', clockRate: 8_000, channels: 1 },
];

/** What an ingest is made of. */
export type Ingest = {
  readonly camera: string;
  readonly worker: MediaWorker;
  readonly router: Router;
  readonly transport: PlainTransport;
  readonly producer: Producer;
  /** What the kernel granted, bytes; it caps what was asked for at `net.core.rmem_max`. */
  readonly recvBufferBytes: number;
  keyframes(): number;
  counters(): Promise<{ packets: number; bytes: number; packetsLost: number }>;
  /** Packets lost before the producer, as of the last `counters()`. */
  lost(): number;
  close(): void;
};

/**
 * Makes an ingest whose producer is paused. `comedia` is off and the peer fixed, so that no other local process can
 * take the transport over; NACK and PLI are not offered, since a camera's udpsink hears neither.
 */
export async function createIngest(worker: MediaWorker, options: { camera: string; feed: Feed; profileLevelId: string; recvBufferBytes: number }): Promise<Ingest> {
  const { camera, feed, profileLevelId, recvBufferBytes } = options;
  const router = await worker.worker.createRouter({ mediaCodecs, appData: { camera } });
  try {
    const transport = await patiently(() => router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1', port: feed.port, recvBufferSize: recvBufferBytes },
      rtcpMux: true,
      comedia: false,
      appData: { camera },
    }));
    await transport.connect({ ip: '127.0.0.1', port: feed.bindPort });
    const producer = await transport.produce({
      kind: 'video',
      paused: true,
      rtpParameters: {
        codecs: [{
          mimeType: 'video/H264',
          payloadType: feed.payloadType,
          clockRate: 90_000,
          parameters: { 'packetization-mode': 1, 'profile-level-id': profileLevelId, 'level-asymmetry-allowed': 1 },
          rtcpFeedback: [],
        }],
        encodings: [{ ssrc: feed.ssrc }],
        rtcp: { cname: camera },
      },
      appData: { camera },
    });
    let keyframes = 0;
    let lost = 0;
    await producer.enableTraceEvent(['keyframe']);
    producer.on('trace', () => (keyframes += 1));
    return {
      camera, worker, router, transport, producer,
      recvBufferBytes: Math.min(recvBufferBytes, maxReceiveBuffer()),
      keyframes: () => keyframes,
      lost: () => lost,
      async counters() {
        const counters = await readCounters(producer);
        lost = counters.packetsLost;
        return counters;
      },
      close: () => router.close(),
    };
  } catch (error) {
    router.close();
    throw error;
  }
}

/** A camera that moves to another worker needs its port before the old one's worker has heard that it is free. */
async function patiently<T>(make: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      if (tries === portTries || !(error instanceof Error && error.message.includes('address already in use'))) throw error;
      await sleep(portRetryMs);
    }
  }
}

async function readCounters(producer: Producer): Promise<{ packets: number; bytes: number; packetsLost: number }> {
  const stats = await producer.getStats();
  return stats.reduce(
    (sum, stream) => ({ packets: sum.packets + stream.packetCount, bytes: sum.bytes + stream.byteCount, packetsLost: sum.packetsLost + stream.packetsLost }),
    { packets: 0, bytes: 0, packetsLost: 0 },
  );
}
