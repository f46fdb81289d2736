/**
 * Launch descriptions of every pipeline. Pure. No text from outside enters a description: addresses and credentials are
 * set as properties after parsing; numbers are checked integers, since the addon sets properties as float32.
 */
import { CameraUrl } from '../camera-url.ts';
import { integer } from './launch-number.ts';
import { payloadCodec, soundEnd, soundTrack } from './launch-sound.ts';
import type { SourceSpec } from './protocol.ts';

/** What bounds the hub: a client further behind than `soft` goes on at the latest keyframe, beyond `hard` (where the hub is Matroska) it is cut. */
const hubLimits = { softBytes: 16 * 1024 * 1024, hardBytes: 24 * 1024 * 1024 } as const;

/** One receive buffer for UDP cameras; the kernel caps it at net.core.rmem_max. */
const udpReceiveBytes = 4 * 1024 * 1024;

/**
 * A source of H.264 has no parser: the depayloader makes whole access units and marks the delta ones, the payloaders
 * repeat the parameter sets, and a parser costs 12 % of the source and posts its bitrate as tags on every sink's bus,
 * several a second. Its units carry lengths (`avc`, ISO/IEC 14496-15) and no start codes: both payloaders would search for
 * those in every byte, 15 % of the source. Parameter sets are then in the caps. H.265 needs a parser for its parameter
 * sets, which its depayloader leaves where the camera put them.
 */
const codecs = {
  H264: { encoding: 'H264', depay: 'rtph264depay', sourceParse: '', parse: 'h264parse', caps: 'video/x-h264,stream-format=avc', decode: 'avdec_h264' },
  H265: { encoding: 'H265', depay: 'rtph265depay', sourceParse: ' ! h265parse config-interval=-1', parse: 'h265parse', caps: 'video/x-h265,stream-format=hvc1', decode: 'avdec_h265' },
} as const;

/** What decodes a codec. */
export const decoders = { H264: codecs.H264.decode, H265: codecs.H265.decode } as const;

/** Element names of a source, as its runner looks them up; rtspsrc makes `manager` when the camera answered. */
export const sourceElements = { box: 'box', src: 'src', manager: 'manager', rtp: 'rtp', rest: 'rest', valve: 'feed', pay: 'pay', udp: 'udp', hub: 'hub', soundHub: 'sound-hub', drop: 'drop', dropAudio: 'dropaudio', corrupt: 'corrupt' } as const;

/**
 * The pipeline of one camera (design §2). There is no queue: `udpsink` and `tcpserversink` with `sync=false` never
 * block, and a queue costs a thread switch per packet. `lookoutflight`, `lookoutrest` and `lookoutcount` (`plugin/`) count packets, frames and
 * keyframes where the supervisor reads them without waking this process (`source-watch.ts`).
 * The bus says EOS when every sink had it. So a shut valve lets EOS through, and audio ends in what is no sink (`launch-sound.ts`).
 */
export function sourceLaunch(spec: SourceSpec, clock: SourceClock): string {
  const codec = codecs[spec.video.codec];
  const branches = [
    // First: what is made after it notes in that box, rtspsrc's own extension included.
    spec.box === undefined ? '' : `lookoutbox name=${sourceElements.box} fd=${integer(spec.box, 3, 0xffff)}`,
    rtspsrc(spec),
    `src. ! ${only('video', `media=video,encoding-name=${codec.encoding}`)}${dropping('drop', spec)} ! lookoutflight name=rtp codec=${spec.video.codec === 'H264' ? 1 : 2}`
      + `${resting(spec)} ! ${codec.depay}${corrupting(spec)}${codec.sourceParse} ! ${codec.caps},alignment=au ! lookoutcount ! tee name=t`,
    feed(spec, clock.feed),
    hub(spec.video.codec, clock),
    `src. ! ${only('sound', soundTrack(spec.sound))}${dropping('dropaudio', spec)} ! lookoutflight track=1 codec=${payloadCodec(spec.sound)} ! ${soundEnd(spec.sound, clock.rtp)}`,
  ];
  return branches.filter((branch) => branch !== '').join('  ');
}

/**
 * A filter that is an element of its own. A filter written into a link with a pad that comes later is made and linked anew
 * for every pad, by the thread of that pad: with audio, two threads did so at once, and 1 start in 20 lost its video.
 * Its name is what the bus says when the camera has no such track (`bus.ts`).
 */
function only(track: 'video' | 'sound', caps: string): string {
  return `capsfilter name=${track} caps=application/x-rtp,${caps}`;
}

/**
 * While nobody reads the hub and the feed is shut, packets are kept as they came. H.264 only: of H.265 a Matroska muxer makes the
 * hub, and `tcpserversink` tells nobody who reads.
 */
function resting({ video, feed }: SourceSpec): string {
  return video.codec === 'H264' ? ` ! lookoutrest name=rest wanted=${feed?.open === true} soft-bytes=${hubLimits.softBytes}` : '';
}

/** Fault injection: loses packets before anything counts them. */
function dropping(name: 'drop' | 'dropaudio', { faults }: SourceSpec): string {
  return faults ? ` ! identity name=${name} drop-probability=0` : '';
}

/** Fault injection: damages the payload, behind the RTP header, so that parsers and decoders have to bear it. */
function corrupting({ faults }: SourceSpec): string {
  return faults ? ' ! breakmydata name=corrupt probability=0' : '';
}

/**
 * What outputs read, the latest keyframe first, stamped on the same monotonic time line as the feed. H.264: RTP framed by
 * RFC 4571, made by `lookouthub` for those who read. H.265: a Matroska stream, a cluster for each keyframe. The keyframe is
 * found by the delta flag, and of what could carry timestamps in GStreamer 1.22 gdppay drops that flag, mpegtsmux costs ten
 * times as much, and rtph265pay sets it right only for keyframes that fit one packet; matroskamux marks a cluster that begins with a keyframe.
 */
function hub(codec: keyof typeof codecs, clock: SourceClock): string {
  if (codec === 'H264') return `t. ! lookouthub name=hub timestamp-offset=${integer(clock.rtp, 0, 0xffffffff)} soft-bytes=${hubLimits.softBytes}`;
  return `t. ! ${codecs.H265.caps} ! matroskamux streamable=true min-cluster-duration=0 cluster-timestamp-offset=${integer(clock.ms, 0, Number.MAX_SAFE_INTEGER)}000000`
    + ` ! tcpserversink name=hub host=127.0.0.1 port=0 sync-method=latest-keyframe recover-policy=keyframe unit-format=bytes units-soft-max=${hubLimits.softBytes} units-max=${hubLimits.hardBytes}`
    + ' enable-last-sample=false sync=false async=false';
}

/**
 * The reading end of {@link hub}, up to parsed access units. With `stamped` they carry the source's times: Matroska always
 * does; RTP needs a jitter buffer for it, which with `mode=none` waits for nothing and follows no clock but the packets'.
 * `clock` tells `host/timeline.ts` and the sound when the running time began.
 */
export function hubClient(codec: keyof typeof codecs, port: number, stamped = false): string {
  const deframing = codec === 'H265' ? 'matroskademux'
    : `application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay${stamped ? ' ! rtpjitterbuffer mode=none latency=0 ! lookoutclock name=clock ! rtph264depay' : ' ! rtph264depay'}`;
  return `tcpclientsrc host=127.0.0.1 port=${integer(port, 1, 65_535)} ! ${deframing}${codec === 'H265' && stamped ? ' ! lookoutclock name=clock' : ''} ! ${codecs[codec].parse}`;
}

/** How an outside program reads a hub with stock GStreamer, times included, up to parsed access units; and what it is in words. */
export function hubFrontEnd(codec: keyof typeof codecs, port: number): { protocol: 'rtp-rfc4571' | 'matroska'; caps: string | null; launch: string } {
  const from = `tcpclientsrc host=127.0.0.1 port=${integer(port, 1, 65_535)}`;
  if (codec === 'H265') return { protocol: 'matroska', caps: null, launch: `${from} ! matroskademux ! h265parse` };
  const fields = 'media=video,clock-rate=90000,payload=96,encoding-name=H264';
  return { protocol: 'rtp-rfc4571', caps: `application/x-rtp,${fields}`, launch: `${from} ! application/x-rtp-stream,${fields} ! rtpstreamdepay ! rtpjitterbuffer mode=none latency=0 ! rtph264depay ! h264parse` };
}

function rtspsrc(spec: SourceSpec): string {
  // timeout=0: rtspsrc would quietly change a silent UDP camera to TCP; silence is ours to judge. udp-reconnect=false:
  // nor shall it quietly reconnect when the camera closes the RTSP connection of a UDP session.
  const tls = CameraUrl.parse(spec.url).secure && (!spec.tls.verify || spec.tls.fingerprint !== undefined) ? ' tls-validation-flags=0' : '';
  const udp = spec.transport === 'udp';
  // TCP delivers in order: a jitter buffer would only hold back the first packets of every reconnect.
  return `rtspsrc name=src protocols=${udp ? 'udp' : 'tcp'} latency=${udp ? integer(spec.latencyMs, 0, 60_000) : 0}`
    + ` timeout=0 udp-reconnect=false tcp-timeout=5000000 teardown-timeout=200000000 udp-buffer-size=${udpReceiveBytes} user-agent=Lookout${tls}`;
}

function feed(spec: SourceSpec, timestampOffset: number): string {
  if (spec.feed === null || spec.video.codec !== 'H264') return '';
  const { port, bindPort, ssrc, payloadType, open, gated = false, sequence = -1 } = spec.feed;
  // Behind a gate nothing leaves before the feed is aimed at it.
  return `t. ! valve name=feed drop=${!open || gated} drop-mode=forward-sticky-events ! rtph264pay name=pay seqnum-offset=${integer(sequence, -1, 0xffff)} pt=${integer(payloadType, 96, 127)} ssrc=${integer(ssrc, 0, 0xffffffff)}`
    + ` timestamp-offset=${integer(timestampOffset, 0, 0xffffffff)} config-interval=-1 aggregate-mode=zero-latency mtu=1200`
    + ` ! udpsink name=udp host=127.0.0.1 port=${integer(port, 1, 65_535)} bind-address=127.0.0.1 bind-port=${integer(bindPort, 1, 65_535)}`
    + ' auto-multicast=false enable-last-sample=false sync=false async=false';
}

/** What is set on `src` after parsing: the address without credentials, and the credentials. */
export function sourceProperties(spec: SourceSpec): Record<string, string> {
  const url = CameraUrl.parse(spec.url);
  const credentials = url.credentials;
  return { location: url.safe, ...(credentials ? { 'user-id': credentials.username, 'user-pw': credentials.password } : {}) };
}

/** What a running time of 0 is: for the feed and the hub in 90 kHz ticks mod 2³², for the hub in ms too. */
export type SourceClock = { feed: number; rtp: number; ms: number };

/**
 * Payloaders and muxers add the running time to it, so that an ingest and a recorder see one time line over all sources a
 * camera ever had, and no NTP step can break it. The feed's may be ahead (`feed.shiftMs`); outputs need the true one.
 */
export function sourceClock(monotonicNs: bigint, feedShiftMs = 0): SourceClock {
  const rtp = (ns: bigint): number => Number(((ns / 1000n) * 90n / 1000n) % 0x1_0000_0000n);
  return { feed: rtp(monotonicNs + BigInt(feedShiftMs) * 1_000_000n), rtp: rtp(monotonicNs), ms: Number(monotonicNs / 1_000_000n) };
}
