/** Encodes the simulator's clips with GStreamer's encoders, from frames that `clip-picture.ts` draws. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { nalKind, splitAnnexB } from '../src/rtp/nal.ts';
import type { Clip, ClipCodec } from '../src/camera-sim/clip.ts';
import { drawFrame } from './clip-picture.ts';
import type { Picture } from './clip-picture.ts';

const clockRate = 90_000;

/** What a clip of pictures is made of; `gop` in frames, 25 a second where `fps` is not given. */
export type VideoRecipe = {
  width: number; height: number; seconds: number; gop: number; kbps: number; view: Picture['view']; title: string;
  codec?: 'H264' | 'H265' | 'MP4V'; profile?: string; bFrames?: number; noise?: number; fps?: number;
};

const encoders: Record<'H264' | 'H265' | 'MP4V', (recipe: VideoRecipe) => string> = {
  H264: ({ kbps, gop, profile, bFrames = 0 }) =>
    `x264enc bitrate=${kbps} key-int-max=${gop} bframes=${bFrames} speed-preset=medium threads=1 byte-stream=true vbv-buf-capacity=1000 option-string=scenecut=0:open-gop=0:min-keyint=${gop}:sliced-threads=0:rc-lookahead=10`
    + ` ! video/x-h264,profile=${profile},stream-format=byte-stream,alignment=au ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au`,
  H265: ({ kbps, gop }) =>
    `x265enc bitrate=${kbps} key-int-max=${gop} speed-preset=fast option-string=scenecut=0:open-gop=0:bframes=0:min-keyint=${gop}:repeat-headers=1:info=0`
    + ' ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au',
  MP4V: ({ kbps, gop }) => `avenc_mpeg4 bitrate=${kbps * 1000} gop-size=${gop} max-bframes=0 ! mpeg4videoparse config-interval=-1`,
};

/** A clip of pictures. Throws where the encoder fails. */
export async function encodeVideo(recipe: VideoRecipe): Promise<Clip> {
  const { width, height, seconds, fps = 25, noise = 6, codec = 'H264' } = recipe;
  const count = seconds * fps;
  const launch = `fdsrc fd=0 ! rawvideoparse format=i420 width=${width} height=${height} framerate=${fps}/1`
    + ` ! ${encoders[codec](recipe)} ! gdppay ! fdsink fd=1`;
  const buffers = await encode(launch, function* () {
    for (let index = 0; index < count; index += 1) yield drawFrame({ title: recipe.title, width, height, fps, view: recipe.view, noise }, index);
  });
  if (buffers.length !== count) throw new Error(`${buffers.length} access units for ${count} frames`);
  const first = buffers.reduce((least, { pts }) => (pts < least ? pts : least), buffers[0]!.pts);
  // avenc_mpeg4's parser stamps keyframes only; it is run without B-frames, so its order is the decoding order.
  const order = buffers.map(({ pts }, index) => (codec === 'MP4V' ? index : Math.round(Number(pts - first) * fps / 1e9)));
  const units = buffers.map(({ data }) => (codec === 'MP4V' ? data : withoutDelimiters(codec, data)));
  const keyframes = units.flatMap((unit, index) => (isKeyframe(codec, unit) ? [index] : []));
  return {
    header: {
      codec, clockRate, unitTicks: clockRate / fps, width, height, keyframes, sizes: units.map(({ length }) => length),
      ...(order.every((place, index) => place === index) ? {} : { order }),
      ...(codec === 'MP4V' ? { config: mp4vConfig(units[0]!).toString('hex') } : {}),
    },
    units,
  };
}

/** A beep of 1 kHz for 100 ms at the start of each second. AAC is cut from the second of three loops, past the encoder's priming unit. */
export async function encodeAudio(name: string): Promise<Clip> {
  const codec = name.slice('beep-'.length).toUpperCase() as 'PCMU' | 'PCMA' | 'AAC';
  const rate = codec === 'AAC' ? 16_000 : 8000;
  const seconds = codec === 'AAC' ? 8 : 1;
  const unitTicks = codec === 'AAC' ? 1024 : 160;
  const count = seconds * rate / unitTicks;
  const encoder = { PCMU: 'mulawenc', PCMA: 'alawenc', AAC: 'avenc_aac bitrate=32000' }[codec];
  const launch = `fdsrc fd=0 ! rawaudioparse format=pcm pcm-format=s16le sample-rate=${rate} num-channels=1 ! audioconvert ! ${encoder} ! gdppay ! fdsink fd=1`;
  const buffers = await encode(launch, function* () {
    for (let second = 0; second < seconds * 3; second += 1) yield beep(rate);
  });
  const skip = codec === 'AAC' ? count + 1 : 0;
  const units = codec === 'AAC' ? buffers.map(({ data }) => data).slice(skip, skip + count) : blocks(Buffer.concat(buffers.map(({ data }) => data)), unitTicks).slice(0, count);
  return { header: { codec, clockRate: rate, unitTicks, keyframes: [], sizes: units.map(({ length }) => length), ...(codec === 'AAC' ? { config: '1408' } : {}) }, units };
}

function beep(rate: number): Buffer {
  const samples = Buffer.alloc(rate * 2);
  for (let index = 0; index < rate / 10; index += 1) samples.writeInt16LE(Math.round(8000 * Math.sin(index * 2 * Math.PI * 1000 / rate)), index * 2);
  return samples;
}

function blocks(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** Delimiters and encoder chatter (SEI) are dropped: cameras send neither, and the units get smaller. */
function withoutDelimiters(codec: 'H264' | 'H265', unit: Buffer): Buffer {
  const kept = splitAnnexB(unit).filter((nal) => !['delimiter', 'other'].includes(nalKind(codec, nal)));
  return Buffer.concat(kept.flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));
}

function isKeyframe(codec: ClipCodec, unit: Buffer): boolean {
  if (codec === 'MP4V') return (unit.readUInt8(unit.indexOf(Buffer.from([0, 0, 1, 0xb6])) + 4) >> 6) === 0;
  return splitAnnexB(unit).some((nal) => nalKind(codec as 'H264' | 'H265', nal) === 'keyframe');
}

/** Everything before the first picture or group header (ISO 14496-2 §6.2.2): what `config` of RFC 6416 wants. */
function mp4vConfig(unit: Buffer): Buffer {
  const ends = [0xb3, 0xb6].map((code) => unit.indexOf(Buffer.from([0, 0, 1, code]))).filter((at) => at > 0);
  return unit.subarray(0, Math.min(...ends));
}

type Encoded = { pts: bigint; data: Buffer };

/** Runs an encoder over raw input; its output comes in GDP, which keeps access units and their timestamps. */
async function encode(launch: string, input: () => Generator<Buffer>): Promise<Encoded[]> {
  const child = spawn('gst-launch-1.0', ['-q', ...launch.split(' ')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const closed = once(child, 'close');
  for (const frame of input()) if (!child.stdin.write(frame)) await once(child.stdin, 'drain');
  child.stdin.end();
  const [code] = await closed;
  if (code !== 0) throw new Error(`gst-launch-1.0 failed with ${code}: ${launch}`);
  return parseGdp(Buffer.concat(output));
}

/** Buffers of a GDP 1.0 stream: a 62-byte header (type at 4, length at 6, timestamp at 10), then the payload. */
function parseGdp(bytes: Buffer): Encoded[] {
  const buffers: Encoded[] = [];
  for (let at = 0; at + 62 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 6);
    if (bytes.readUInt16BE(at + 4) === 1) buffers.push({ pts: bytes.readBigUInt64BE(at + 10), data: bytes.subarray(at + 62, at + 62 + length) });
    at += 62 + length;
  }
  return buffers;
}
