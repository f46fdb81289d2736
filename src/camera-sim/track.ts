/** A clip packetised once: every access unit as a run of RTP packets, ready to be stamped and sent. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packetizeAac, packetizeG711 } from '../rtp/audio.ts';
import { packetizeH264 } from '../rtp/h264.ts';
import { packetizeH265 } from '../rtp/h265.ts';
import { nalKind, splitAnnexB } from '../rtp/nal.ts';
import { PacketWriter } from '../rtp/packet.ts';
import { readClip } from './clip.ts';
import type { PacketRun } from '../rtp/packet.ts';
import type { Clip, ClipCodec } from './clip.ts';

/** One access unit: its packets, what they were made of, its place in presentation order, and whether decoding can begin with it. */
export type TrackUnit = PacketRun & { order: number; keyframe: boolean; data: Buffer };

/** A track as the simulator sends it. */
export type Track = {
  kind: 'video' | 'audio';
  codec: ClipCodec;
  payloadType: number;
  clockRate: number;
  /** Ticks of the RTP clock an access unit lasts. */
  unitTicks: number;
  units: TrackUnit[];
  /** Lines of the media section below `m=`, without its control. */
  sdp: string[];
};

/** Every camera in the field uses 96 for video and 97 for dynamic audio. */
const payloadTypes: Record<ClipCodec, number> = { H264: 96, H265: 96, MP4V: 96, PCMU: 0, PCMA: 8, AAC: 97 };
const folder = new URL('../../assets/clips/', import.meta.url);
const loaded = new Map<string, Track>();

/** The file of a clip: one of `assets/clips` by its name, any other by its absolute path. Throws where it is neither. */
export function clipFile(name: string): URL {
  if (isAbsolute(name) && name.endsWith('.clip')) return pathToFileURL(name);
  if (!/^[a-z0-9-]+$/u.test(name)) throw new Error(`"${name}" is no clip name`);
  return new URL(`${name}.clip`, folder);
}

/** The track of a clip, by its name or path ({@link clipFile}); read and packetised once a process. */
export function loadTrack(name: string): Track {
  const known = loaded.get(name);
  if (known) return known;
  const track = toTrack(readClip(clipFile(name)));
  loaded.set(name, track);
  return track;
}

function toTrack({ header, units }: Clip): Track {
  const { codec, clockRate, unitTicks } = header;
  const payloadType = payloadTypes[codec];
  const writer = new PacketWriter({ payloadType });
  const keyframes = new Set(header.keyframes);
  const kind = codec === 'PCMU' || codec === 'PCMA' || codec === 'AAC' ? 'audio' : 'video';
  return {
    kind, codec, payloadType, clockRate, unitTicks,
    units: units.map((unit, index) => {
      packetize(codec, { unit, writer });
      return { ...writer.finish(), data: unit, order: header.order?.[index] ?? index, keyframe: kind === 'audio' || keyframes.has(index) };
    }),
    sdp: describe({ header, units }, payloadType),
  };
}

function packetize(codec: ClipCodec, { unit, writer }: { unit: Buffer; writer: PacketWriter }): void {
  if (codec === 'H264') packetizeH264(splitAnnexB(unit), writer);
  else if (codec === 'H265') packetizeH265(splitAnnexB(unit), writer);
  else if (codec === 'AAC') packetizeAac(unit, writer);
  else if (codec === 'MP4V') packetizeMpeg4(unit, writer);
  else packetizeG711(unit, writer);
}

/** MPEG-4 Part 2 (RFC 6416 §5.2): plain fragments. Here for its being a codec that nobody downstream can carry. */
function packetizeMpeg4(unit: Buffer, writer: PacketWriter): void {
  for (let at = 0; at < unit.length; at += writer.maxPayload) {
    const end = Math.min(at + writer.maxPayload, unit.length);
    unit.copy(writer.open(end - at, end === unit.length), 0, at, end);
  }
}

function describe({ header, units }: Clip, payloadType: number): string[] {
  const { codec, clockRate, unitTicks, width, height } = header;
  const rtpmap = (encoding: string): string => `a=rtpmap:${payloadType} ${encoding}`;
  if (codec === 'PCMU' || codec === 'PCMA') return [rtpmap(`${codec}/${clockRate}`)];
  if (codec === 'AAC') return [rtpmap(`MPEG4-GENERIC/${clockRate}/1`), `a=fmtp:${payloadType} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=${header.config}`];
  const picture = [`a=framerate:${clockRate / unitTicks}`, `a=x-dimensions:${width},${height}`];
  if (codec === 'MP4V') return [rtpmap('MP4V-ES/90000'), `a=fmtp:${payloadType} profile-level-id=1;config=${header.config}`, ...picture];
  const sets = splitAnnexB(units[header.keyframes[0] ?? 0] as Buffer).filter((unit) => nalKind(codec, unit) === 'parameter-set');
  const base64 = sets.map((unit) => unit.toString('base64'));
  if (codec === 'H265') return [rtpmap('H265/90000'), `a=fmtp:${payloadType} sprop-vps=${base64[0]};sprop-sps=${base64[1]};sprop-pps=${base64[2]}`, ...picture];
  const profile = sets[0]?.subarray(1, 4).toString('hex').toUpperCase();
  return [rtpmap('H264/90000'), `a=fmtp:${payloadType} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${base64.join(',')}`, ...picture];
}
