/** GStreamer and mediasoup as anybody would put them together, one camera, packets cut as Lookout's: what Lookout is compared with. */
import { write } from 'sdp-transform';
import type { Consumer, Producer, Router, WebRtcTransport, Worker } from 'mediasoup/types';
import { createWorker } from 'mediasoup';
import { findWorkerBinary } from '../../src/native/mediasoup-worker.ts';
import { barePipelines } from './process-cost.ts';

/** A camera in it. `pid` is the worker's. */
export type BareCamera = AsyncDisposable & { readonly pid: number; readonly router: Router; readonly producer: Producer };

const loopback = '127.0.0.1';
const payloadType = 102;
const ssrc = 4_711;
const recvBufferSize = 8_388_608;

/** A worker as mediasoup starts it by itself. */
export function startBareWorker(): Promise<Worker> {
  return createWorker({ workerBin: findWorkerBinary(), logLevel: 'error' });
}

/** Closes a worker and waits for its process to be gone. */
export async function endWorker(worker: Worker): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    worker.once('subprocessclose', resolve);
  });
  worker.close();
  await gone;
}

/** Pulls a camera of H.264, main profile, with a worker of its own. */
export async function openBareCamera(url: string): Promise<BareCamera> {
  const worker = await startBareWorker();
  const codec = { mimeType: 'video/H264', clockRate: 90_000, parameters: { 'packetization-mode': 1, 'profile-level-id': '4d001f', 'level-asymmetry-allowed': 1 } };
  const router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', ...codec }] });
  const transport = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: loopback, recvBufferSize }, rtcpMux: true, comedia: true });
  const producer = await transport.produce({ kind: 'video', rtpParameters: { codecs: [{ ...codec, payloadType, rtcpFeedback: [] }], encodings: [{ ssrc }] } });
  const pipelines = barePipelines();
  pipelines.start(`rtspsrc location=${url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! rtph264pay pt=${payloadType} ssrc=${ssrc} config-interval=-1 aggregate-mode=zero-latency mtu=1200`
    + ` ! udpsink host=${loopback} port=${transport.tuple.localPort} sync=false async=false`);
  return {
    pid: worker.pid, router, producer,
    async [Symbol.asyncDispose]() {
      await pipelines[Symbol.asyncDispose]();
      await endWorker(worker);
    },
  };
}

/** A viewer of it in a browser: `answer` takes our offer to the page and brings back what it says. */
export async function watchBare({ router, producer }: BareCamera, answer: (offer: string) => Promise<string>): Promise<{ close(): void }> {
  const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: loopback }] });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities, paused: true });
  const said = await answer(offerOf(transport, consumer));
  const value = /^a=fingerprint:sha-256 (\S+)/mu.exec(said)?.[1];
  if (value === undefined) throw new Error(`The page's answer has no fingerprint:\n${said}`);
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] } });
  await consumer.resume();
  return { close: () => transport.close() };
}

function offerOf({ iceParameters, iceCandidates, dtlsParameters }: WebRtcTransport, { rtpParameters }: Consumer): string {
  const { codecs, headerExtensions = [], encodings = [], mid = '0' } = rtpParameters;
  const [main, repair] = [encodings[0]!.ssrc!, encodings[0]!.rtx?.ssrc];
  const ssrcs = [main, repair].flatMap((id) => (id === undefined ? [] : [{ id, attribute: 'cname', value: 'bare' }]));
  return write({
    version: 0, origin: { username: '-', sessionId: 1, sessionVersion: 1, netType: 'IN', ipVer: 4, address: loopback }, name: '-', timing: { start: 0, stop: 0 },
    icelite: 'ice-lite', groups: [{ type: 'BUNDLE', mids: mid }],
    media: [{
      type: 'video', protocol: 'UDP/TLS/RTP/SAVPF', port: 9, payloads: codecs.map((codec) => codec.payloadType).join(' '), connection: { version: 4, ip: '0.0.0.0' },
      mid, direction: 'sendonly', iceUfrag: iceParameters.usernameFragment, icePwd: iceParameters.password, rtcpMux: 'rtcp-mux', rtcpRsize: 'rtcp-rsize',
      candidates: iceCandidates.map(({ foundation, priority, address, protocol, port }) => ({ foundation, component: 1, transport: protocol, priority, ip: address, port, type: 'host' })),
      endOfCandidates: 'end-of-candidates',
      fingerprint: { type: 'sha-256', hash: dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256')!.value }, setup: 'actpass',
      rtp: codecs.map((codec) => ({ payload: codec.payloadType, codec: codec.mimeType.split('/')[1]!, rate: codec.clockRate })),
      fmtp: codecs.map((codec) => ({ payload: codec.payloadType, config: Object.entries(codec.parameters ?? {}).map(([key, value]) => `${key}=${String(value)}`).join(';') })),
      rtcpFb: codecs.flatMap((codec) => (codec.rtcpFeedback ?? []).map(({ type, parameter }) => ({ payload: codec.payloadType, type, ...(parameter ? { subtype: parameter } : {}) }))),
      ext: headerExtensions.map(({ id, uri }) => ({ value: id, uri })),
      msid: [{ id: 'bare', appdata: 'video' }], ssrcs,
      ...(repair === undefined ? {} : { ssrcGroups: [{ semantics: 'FID', ssrcs: `${main} ${repair}` }] }),
    }],
  });
}
