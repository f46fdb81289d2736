/** The launch description of a catch-up: hub → decoder → the present → H.264 that begins there → a hub of its own. Pure. */
import { decoders, hubClient } from './launch.ts';
import { integer } from './launch-number.ts';
import type { CatchUpSpec } from './protocol.ts';

/** Element names of a catch-up, as its runner looks them up. */
export const catchUpElements = { hub: 'hub' } as const;

/** What a keyframe may take of the bitrate, ms: the first one is waited for. */
const firstFrameMs = 250;

/**
 * Frame threads hold a frame each back, and halve the time until the present is reached, which is all that this is for; unasked, the
 * decoder has none behind what is live. What is encoded
 * there is constrained baseline (RFC 6184 §8.1): whoever takes the camera's profile takes it.
 */
export function catchUpLaunch({ hub, form, threads }: CatchUpSpec, baseNs: bigint): string {
  // What the decoder holds back, and two frames for the way.
  const youngMs = Math.round((threads + 1) * 1_000 / form.keyframeEvery);
  const timestampOffset = Number(((baseNs / 1000n) * 90n / 1000n) % 0x1_0000_0000n);
  return `${hubClient(hub.codec, hub.port, true)} ! ${decoders[hub.codec]} max-threads=${integer(threads, 1, 16)} thread-type=frame ! lookoutpresent base=${baseNs} young-ms=${youngMs}`
    + ' ! videoconvert ! video/x-raw,format=I420 ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0'
    + ` ! x264enc tune=zerolatency speed-preset=superfast threads=1 bframes=0 key-int-max=${integer(form.keyframeEvery, 1, 10_000)} bitrate=${integer(form.kbps, 1, 100_000)} vbv-buf-capacity=${firstFrameMs} option-string=scenecut=0`
    + ' ! video/x-h264,profile=constrained-baseline,stream-format=avc,alignment=au'
    + ` ! lookouthub name=${catchUpElements.hub} timestamp-offset=${timestampOffset}`;
}

/** One frame through an encoder and a decoder like those, and everything else that a catch-up is made of. */
export const catchUpRehearsal = 'videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=320,height=240 ! x264enc tune=zerolatency speed-preset=superfast threads=1'
  + ' ! rtph264pay ! rtpstreampay ! rtpstreamdepay ! rtpjitterbuffer mode=none latency=0 ! rtph264depay ! h264parse ! avdec_h264 max-threads=2 thread-type=frame ! videoconvert ! queue ! fakesink sync=false async=false';
