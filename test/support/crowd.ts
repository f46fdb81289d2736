/** Viewers without browsers: PlainTransport consumers of a producer, whose packets a worker of its own receives and counts. */
import type { Producer, Router, RtpParameters } from 'mediasoup/types';
import { endWorker, startBareWorker } from './bare-sfu.ts';

/** What reached viewers: packets, and those missing between the first and the newest. */
export type Received = { packets: number; lost: number };

/** One viewer. */
export type CrowdViewer = { read(): Promise<Received>; close(): void };

/** The receiving end of all viewers. */
export type Crowd = AsyncDisposable & {
  readonly pid: number;
  /** A viewer more, of a producer on this router. It sees the stream from the next keyframe on. */
  watch(router: Router, producer: Producer): Promise<CrowdViewer>;
};

/** Holds the keyframes of a camera while the worker is busy with other viewers; the kernel may grant less. */
const recvBufferSize = 4_194_304;
const listenInfo = { protocol: 'udp', ip: '127.0.0.1', recvBufferSize } as const;

/** Starts the worker that receives. */
export async function createCrowd(): Promise<Crowd> {
  const worker = await startBareWorker();
  const router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', mimeType: 'video/H264', clockRate: 90_000, parameters: { 'packetization-mode': 1, 'profile-level-id': '4d001f', 'level-asymmetry-allowed': 1 } }] });
  return {
    pid: worker.pid,
    async watch(from, watched) {
      const [out, into] = await Promise.all([from, router].map((each) => each.createPlainTransport({ listenInfo, rtcpMux: true, comedia: false })));
      await Promise.all([out!.connect({ ip: '127.0.0.1', port: into!.tuple.localPort }), into!.connect({ ip: '127.0.0.1', port: out!.tuple.localPort })]);
      const { rtpParameters } = await out!.consume({ producerId: watched.id, rtpCapabilities: withoutRepair(from) });
      const producer = await into!.produce({ kind: 'video', rtpParameters: plain(rtpParameters) });
      return {
        async read() {
          const stats = await producer.getStats();
          return { packets: stats.reduce((sum, { packetCount }) => sum + packetCount, 0), lost: stats.reduce((sum, { packetsLost }) => sum + packetsLost, 0) };
        },
        close() {
          out!.close();
          into!.close();
        },
      };
    },
    [Symbol.asyncDispose]: () => endWorker(worker),
  };
}

/** All viewers together. */
export async function readAll(viewers: readonly CrowdViewer[]): Promise<Received> {
  const all = await Promise.all(viewers.map((viewer) => viewer.read()));
  return all.reduce((sum, { packets, lost }) => ({ packets: sum.packets + packets, lost: sum.lost + lost }), { packets: 0, lost: 0 });
}

/** What a player says that asks for nothing again: a packet that is lost stays so, and is counted. */
const withoutRepair = ({ rtpCapabilities: { codecs = [] } }: Router) => ({ codecs: codecs.filter(({ mimeType }) => mimeType === 'video/H264').map((codec) => ({ ...codec, rtcpFeedback: [] })), headerExtensions: [] });

const plain = ({ codecs, encodings }: RtpParameters): RtpParameters => ({ codecs, encodings: encodings!.map(({ ssrc }) => ({ ssrc: ssrc! })), rtcp: { cname: 'crowd' } });
