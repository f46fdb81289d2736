/** The launch description of live sound: hub of sound → RTP for the SFU. Pure. */
import type { SoundFormat } from '../media.ts';
import { integer } from './launch-number.ts';
import { soundClient } from './launch-sound.ts';
import type { SoundSpec } from './protocol.ts';

/** Element names of live sound, as its runner looks them up. */
export const liveSoundElements = { frames: 'frames', udp: 'udp' } as const;

/** RTP clock rate of what WebRTC gets of this sound: G.711 as it is, AAC as Opus (RFC 7587). */
export function liveSoundRate({ codec, rate }: SoundFormat): number {
  return codec === 'AAC' ? 48_000 : rate;
}

/** No packet is larger than what a camera sends in 100 ms, and none waits to be filled. `timestampOffset`: the RTP time of the pipeline's start. */
export function liveSoundLaunch({ sound, feed }: SoundSpec, timestampOffset: number): string {
  const pay = sound.codec === 'AAC'
    ? `avdec_aac ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=${integer(sound.channels, 1, 2)} ! opusenc bitrate=${48_000 * sound.channels} frame-size=20 ! rtpopuspay`
    : sound.codec === 'PCMU' ? 'rtppcmupay' : 'rtppcmapay';
  return `${soundClient(sound)} ! identity name=frames ! ${pay} pt=${integer(feed.payloadType, 0, 127)} ssrc=${integer(feed.ssrc, 0, 0xffffffff)}`
    + ` timestamp-offset=${integer(timestampOffset, 0, 0xffffffff)} mtu=1200`
    + ` ! udpsink name=udp host=127.0.0.1 port=${integer(feed.port, 1, 65_535)} bind-address=127.0.0.1 bind-port=${integer(feed.bindPort, 1, 65_535)} auto-multicast=false enable-last-sample=false sync=false async=false`;
}
