/** What ffprobe and GStreamer, which are not ours, make of a media file. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Video packets of a file as ffprobe reads them; times in seconds. `duration` is null where the header has none. */
export type ProbedFile = { codec: string; width: number; height: number; start: number; duration: number | null; frames: number; times: number[]; firstIsKeyframe: boolean; keyframes: number };

/** Reads a file with ffprobe. Rejects where it cannot. */
export async function ffprobe(path: string): Promise<ProbedFile> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=codec_name,width,height:format=start_time,duration:packet=pts_time,flags', '-of', 'json', path], { maxBuffer: 64 * 1024 * 1024 });
  const { streams: [stream], format, packets } = JSON.parse(stdout) as { streams: { codec_name: string; width: number; height: number }[]; format: { start_time?: string; duration?: string }; packets: { pts_time: string; flags: string }[] };
  if (stream === undefined) throw new Error(`${path} has no video`);
  const times = packets.map((packet) => Number(packet.pts_time)).sort((a, b) => a - b);
  return {
    codec: stream.codec_name, width: stream.width, height: stream.height, start: Number(format.start_time), duration: format.duration === undefined ? null : Number(format.duration),
    frames: packets.length, times, firstIsKeyframe: packets[0]?.flags.startsWith('K') ?? false, keyframes: packets.filter(({ flags }) => flags.startsWith('K')).length,
  };
}

/** When each video packet of a file is decoded and shown, in s, in the order in which they lie in it. */
export async function packetTimes(path: string): Promise<{ dts: number; pts: number }[]> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time,dts_time', '-of', 'json', path], { maxBuffer: 64 * 1024 * 1024 });
  return (JSON.parse(stdout) as { packets: { pts_time: string; dts_time: string }[] }).packets.map((packet) => ({ dts: Number(packet.dts_time), pts: Number(packet.pts_time) }));
}

/** Decodes every frame with GStreamer's ffmpeg decoders and fails on the first error. */
export async function decodes(path: string, codec: 'h264' | 'h265', container: 'matroskademux' | 'tsdemux' | 'qtdemux' = 'matroskademux'): Promise<void> {
  await run('gst-launch-1.0', ['-q', 'filesrc', `location=${path}`, '!', container, '!', `${codec}parse`, '!', `avdec_${codec}`, 'max-threads=1', '!', 'fakesink'], { timeout: 30_000 });
}
