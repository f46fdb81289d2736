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

/** What gst-discoverer-1.0 says of a file. Rejects where it finds anything wrong with it. */
export async function discover(path: string): Promise<{ durationMs: number; seekable: boolean; streams: string[] }> {
  const { stdout, stderr } = await run('gst-discoverer-1.0', ['-v', path], { env: { ...process.env, LC_ALL: 'C' }, timeout: 30_000 });
  const [, hours, minutes, seconds] = /^ *Duration: (\d+):(\d+):([\d.]+)$/mu.exec(stdout) ?? [];
  if (seconds === undefined || /error|missing/iu.test(stdout.split('Properties:')[0] ?? '') || stderr.trim() !== '') throw new Error(`gst-discoverer-1.0: ${path}: ${stdout}${stderr}`);
  return { durationMs: ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000, seekable: /^ *Seekable: yes$/mu.test(stdout), streams: [...stdout.matchAll(/^ *(video|audio)(?: #\d+)?: (.+)$/gmu)].map(([, kind, codec]) => `${kind} ${codec}`) };
}

/** Decodes every frame with GStreamer's ffmpeg decoders and fails on the first error. */
export async function decodes(path: string, codec: 'h264' | 'h265', container: 'matroskademux' | 'tsdemux' | 'qtdemux' = 'matroskademux'): Promise<void> {
  await run('gst-launch-1.0', ['-q', 'filesrc', `location=${path}`, '!', container, '!', `${codec}parse`, '!', `avdec_${codec}`, 'max-threads=1', '!', 'fakesink'], { timeout: 30_000 });
}
