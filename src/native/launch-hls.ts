/** The launch description of an HLS output: hub → segments, pass-through, cut at keyframes. Pure. */
import { hubClient } from './launch.ts';
import { integer } from './launch-number.ts';
import { segmentLimitMs } from './launch-record.ts';
import { soundClient } from './launch-sound.ts';
import type { HlsSpec } from './protocol.ts';

/** Element names of an HLS output, as its runner looks them up; those of the time line are the recorder's. */
export const hlsElements = { frames: 'frames', mux: 'segments' } as const;

/**
 * H.264 becomes MPEG-TS whose time line goes on from segment to segment; asked for a byte stream at once, the parser of
 * GStreamer 1.22 let segments be cut in mid-GOP (1.48 s instead of 1 s), so it makes access units with lengths first. Each unit says when it is decoded: without that, players show B-frames in the order in which they come. H.265 becomes small Matroska files first, which
 * the runner turns into fragmented MP4: `mp4mux` of GStreamer 1.22 begins each of its files at 0 anew, which would make
 * every segment a discontinuity.
 */
export function hlsLaunch({ hub, segmentMs }: HlsSpec): string {
  const [parameters, muxer, times] = hub.codec === 'H264' ? [' ! video/x-h264,stream-format=avc,alignment=au ! h264parse config-interval=-1', 'mpegtsmux', ' decode-times=true'] : ['', 'matroskamux', ''];
  return `splitmuxsink name=segments muxer="${muxer}" max-size-time=${integer(segmentLimitMs(hub, segmentMs), 1, 7_200_000)}000000`
    + `  ${hubClient(hub.codec, hub.port, true)}${parameters} ! lookouttimes name=frames${times} ! segments.video${hlsSound(hub) ? `  ${soundClient(hlsSound(hub)!)} ! segments.audio_0` : ''}`;
}

/** Players of HLS take AAC; G.711 they do not (RFC 8216 §3 leaves codecs to them), and it is left out. */
function hlsSound({ sound }: HlsSpec['hub']): HlsSpec['hub']['sound'] {
  return sound?.codec === 'AAC' ? sound : null;
}
