/** The launch description of a transcode: hub → decoder → H.264 that WebRTC carries → RTP for the ingest. Pure. */
import { decoders, hubClient } from './launch.ts';
import { integer } from './launch-number.ts';
import type { TranscodeSpec } from './protocol.ts';

/** Element names of a transcode, as its runner looks them up. */
export const transcodeElements = { present: 'present', pay: 'pay', udp: 'udp' } as const;

/**
 * Decoder and encoder have a thread each: frame threads of a decoder hold frames back, and what a transcode costs must be
 * bounded. `baseNs` is what CLOCK_MONOTONIC says at the time 0 of what is encoded. Nothing leaves for `feed.port` yet:
 * the runner aims it (`host/gate.ts`).
 */
export function transcodeLaunch({ hub, form, feed }: TranscodeSpec, baseNs: bigint): string {
  const size = form.scaled ? `,width=${integer(form.width ?? 0, 2, 8_192)},height=${integer(form.height ?? 0, 2, 8_192)}` : '';
  const timestampOffset = Number(((baseNs / 1000n) * 90n / 1000n) % 0x1_0000_0000n);
  return `${hubClient(hub.codec, hub.port, true)} ! ${decoders[hub.codec]} max-threads=1 ! lookoutpresent name=present base=${baseNs}`
    + ` ! videoscale ! videoconvert ! video/x-raw,format=I420${size} ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0`
    + ` ! x264enc tune=zerolatency speed-preset=superfast threads=1 bframes=0 key-int-max=${integer(form.keyframeEvery, 1, 10_000)} bitrate=${integer(form.kbps, 1, 100_000)} vbv-buf-capacity=600 option-string=scenecut=0`
    + ' ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au'
    + ` ! rtph264pay name=pay seqnum-offset=${integer(feed.sequence, -1, 0xffff)} pt=${integer(feed.payloadType, 96, 127)} ssrc=${integer(feed.ssrc, 0, 0xffffffff)}`
    + ` timestamp-offset=${integer(timestampOffset, 0, 0xffffffff)} config-interval=-1 aggregate-mode=zero-latency mtu=1200`
    + ` ! udpsink name=udp host=127.0.0.1 port=${integer(feed.port, 1, 65_535)} bind-address=127.0.0.1 bind-port=${integer(feed.bindPort, 1, 65_535)}`
    + ' auto-multicast=false enable-last-sample=false sync=false async=false';
}
