/** The way of a camera's sound through the SFU: a PlainTransport and a producer of its own, on the camera's router. */
import type { PlainTransport, Producer, RtpCodecParameters } from 'mediasoup/types';
import type { SoundFormat } from '../media.ts';
import type { Ingest } from './ingest.ts';

/** Transport and producer. */
export type SoundPath = { readonly ingest: Ingest; readonly transport: PlainTransport; readonly producer: Producer; close(): void };

/** Ports on 127.0.0.1 (the SFU's, and the only one that it hears), SSRC and payload type. */
export type SoundFeed = { port: number; bindPort: number; ssrc: number; payloadType: number };

/** Payload types of live sound: static ones for G.711 (RFC 3551 table 4). */
export const soundPayloadTypes: Record<SoundFormat['codec'], number> = { PCMU: 0, PCMA: 8, AAC: 111 };

/** Why WebRTC has none of this sound, or null where it has. AAC becomes Opus; G.711 it takes at 8 kHz in one channel only. */
export function liveSoundProblem({ codec, rate, channels }: SoundFormat): string | null {
  return codec === 'AAC' || (rate === 8_000 && channels === 1) ? null : `WebRTC takes ${codec} with 8000 Hz and one channel, and this camera sends ${rate} Hz and ${channels}.`;
}

/** Makes it. The CNAME is the video's, so that a browser plays both in step (RFC 3550 §6.5.1). */
export async function createSoundPath(ingest: Ingest, { feed, sound }: { feed: SoundFeed; sound: SoundFormat }): Promise<SoundPath> {
  const appData = { camera: ingest.camera };
  const transport = await ingest.router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1', port: feed.port }, rtcpMux: true, comedia: false, appData });
  try {
    await transport.connect({ ip: '127.0.0.1', port: feed.bindPort });
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: { codecs: [codecOf(sound, feed.payloadType)], encodings: [{ ssrc: feed.ssrc }], rtcp: { cname: ingest.camera } },
      appData,
    });
    return { ingest, transport, producer, close: () => transport.close() };
  } catch (error) {
    transport.close();
    throw error;
  }
}

function codecOf({ codec, channels }: SoundFormat, payloadType: number): RtpCodecParameters {
  if (codec === 'AAC') return { mimeType: 'audio/opus', payloadType, clockRate: 48_000, channels: 2, parameters: channels === 2 ? { 'sprop-stereo': 1 } : {}, rtcpFeedback: [] };
  return { mimeType: `audio/${codec}`, payloadType, clockRate: 8_000, channels: 1, parameters: {}, rtcpFeedback: [] };
}
