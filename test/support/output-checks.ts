/** What must hold of a file or a playlist whatever the camera sent: in words where it does not. */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type HLS from 'hls-parser';
import type { RecordingView } from '../../src/api/protocol.ts';
import { ffprobe } from './media-file.ts';
import { packetsOf, type MediaPacket } from './media-packets.ts';

const run = promisify(execFile);
/** A camera's picture may be away for that long, its sound going on, before it is failed; what is open then lasts as long. */
const silenceMs = 15_000;
/** A recorder begins with the keyframe that the hub still has, and moments are rounded. */
const slackMs = 500;

/** Faults of a closed recording. `gopMs`: how old the keyframe may be that it began with. */
export async function recordingFaults(path: string, row: RecordingView, gopMs: number): Promise<string[]> {
  const faults: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || faults.push(`${row.path}: ${what}`));
  const probed = await ffprobe(path);
  const parsed = await packetsOf(await readFile(path));
  const [first] = parsed.video;
  must(probed.firstIsKeyframe && first?.key === true, 'its first frame is no keyframe');
  must(!(probed.start < 0 || probed.start > 0.07) && (first?.time ?? 1) < 0.07, `it begins at ${probed.start} s`);
  must(grows(probed.times), `ffprobe sees times that do not grow: ${jumpOf(probed.times.map(String))}`);
  must(grows(parsed.video.map(({ time }) => time)), `times do not grow in the order of decoding: ${jumpOf(parsed.video.map(({ time }) => String(time)))}`);
  must(parsed.audio === null || grows(parsed.audio.map(({ time }) => time), true), 'times of its sound do not grow');
  must(probed.frames === row.frames && parsed.video.length === row.frames, `${row.frames} frames in the index, ${probed.frames} for ffprobe, ${parsed.video.length} for the other`);
  must(probed.width === row.width && probed.height === row.height, `${probed.width} × ${probed.height}, ${row.width} × ${row.height} in the index`);
  const lastMs = (probed.times.at(-1) ?? 0) * 1_000;
  must(lastMs <= row.durationMs + 1 && row.durationMs <= lastMs + Math.max(1_000, lastMs), `it lasts ${row.durationMs} ms, and its last frame is at ${lastMs} ms`);
  const soundMs = (parsed.audio?.at(-1)?.time ?? 0) * 1_000;
  must(probed.duration === null || Math.abs(probed.duration * 1_000 - Math.max(row.durationMs, soundMs)) < 1_500, `its header says ${probed.duration} s, the index ${row.durationMs} ms`);
  must(soundMs < row.durationMs + silenceMs, `its sound goes on until ${soundMs} ms of ${row.durationMs} ms`);
  const wallMs = (await stat(path)).mtimeMs - Date.parse(row.startAt);
  must(row.durationMs <= wallMs + slackMs && row.durationMs >= wallMs - silenceMs - gopMs, `it lasts ${row.durationMs} ms and took ${Math.round(wallMs)} ms by the clock`);
  return faults;
}

/** Faults in how recordings of one camera follow each other, oldest first. */
export function sequenceFaults(rows: readonly RecordingView[], gopMs: number): string[] {
  return rows.flatMap((row, index) => {
    const next = rows[index + 1];
    const overlapMs = next === undefined ? 0 : Date.parse(row.endAt!) - Date.parse(next.startAt);
    return overlapMs > gopMs + slackMs ? [`${row.path} ends ${overlapMs} ms behind the beginning of ${next!.path}`] : [];
  });
}

function grows(times: readonly number[], equal = false): boolean {
  return times.every((time, index) => index === 0 || time > times[index - 1]! || (equal && time === times[index - 1]));
}

export type HlsSegment = HLS.types.MediaPlaylist['segments'][number];

/** A segment as it was fetched, with the bytes that a player needs before it. */
export type FetchedSegment = { segment: HlsSegment; bytes: Buffer; map: Buffer | null };

/** Faults of segments that follow each other in a playlist, and of the playlist over them. */
export async function segmentFaults(fetched: readonly FetchedSegment[], targetDuration: number): Promise<string[]> {
  const faults: string[] = [];
  for (const [index, { segment, bytes, map }] of fetched.entries()) {
    const must = (holds: boolean, what: string): void => void (holds || faults.push(`${segment.uri.split('?')[0]}: ${what}`));
    const packets = await readSegment(map ? Buffer.concat([map, bytes]) : bytes);
    if (packets === null) continue;
    const { video, audio } = packets;
    must(video[0]?.key === true, 'it does not begin with a keyframe');
    must(grows(video.map(({ time }) => time), true), `its times do not grow: ${jumpOf(video.map(({ time }) => String(time)))}`);
    // Where parameter sets were damaged its last frames may have been dropped: it lasts until the next one begins all the same.
    must(spanOf(video) < segment.duration + 0.5 + meanOf(video) && spanOf(video) > segment.duration - 2.5, `${segment.duration} s in the playlist, ${spanOf(video).toFixed(2)} s of video`);
    must(!audio || audio.length < 2 || spanOf(audio) * 1_000 < segment.duration * 1_000 + silenceMs, `${spanOf(audio ?? []).toFixed(2)} s of sound in ${segment.duration} s`);
    must(Math.round(segment.duration) <= targetDuration, `longer than the ${targetDuration} s of the playlist`);
    const next = fetched[index + 1];
    if (!next || next.segment.discontinuity || next.segment.mediaSequenceNumber !== segment.mediaSequenceNumber + 1) continue;
    const off = (next.segment.programDateTime!.getTime() - segment.programDateTime!.getTime()) / 1_000 - segment.duration;
    must(Math.abs(off) < 0.15, `the next one begins ${off.toFixed(2)} s off`);
    const other = await readSegment(next.map ? Buffer.concat([next.map, next.bytes]) : next.bytes);
    const seam = other === null ? 1 : other.video[0]!.time - video.at(-1)!.time;
    must(seam > 0 && seam < 2.5, `the first frame of the next one is ${seam.toFixed(3)} s behind its last`);
  }
  return [...faults, ...await playerFaults(fetched)];
}

/** Null where the camera's own parameter sets are so damaged that nobody could configure a decoder; the container is left to ffprobe then. */
async function readSegment(bytes: Buffer): Promise<Awaited<ReturnType<typeof packetsOf>> | null> {
  try {
    return await packetsOf(bytes);
  } catch (error) {
    if (/could not extract (?:AVC|HEVC)DecoderConfigurationRecord/u.test(String(error))) return null;
    throw error;
  }
}

const spanOf = (packets: readonly MediaPacket[]): number => (packets.length === 0 ? 0 : packets.at(-1)!.time - packets[0]!.time + meanOf(packets));
const meanOf = (packets: readonly MediaPacket[]): number => (packets.length < 2 ? 0.04 : (packets.at(-1)!.time - packets[0]!.time) / (packets.length - 1));

/** What ffprobe says of everything between two discontinuities, as a player would get it. */
async function playerFaults(fetched: readonly FetchedSegment[]): Promise<string[]> {
  const runs: FetchedSegment[][] = [];
  for (const each of fetched) {
    const last = runs.at(-1)?.at(-1);
    if (!last || each.segment.discontinuity || last.segment.mediaSequenceNumber + 1 !== each.segment.mediaSequenceNumber || last.map?.equals(each.map!) === false) runs.push([]);
    runs.at(-1)!.push(each);
  }
  const faults: string[] = [];
  for (const each of runs) {
    const child = run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time,flags', '-of', 'json', '-'], { maxBuffer: 32 * 1024 * 1024 });
    child.child.stdin!.on('error', () => undefined);
    child.child.stdin!.end(Buffer.concat([each[0]!.map ?? Buffer.alloc(0), ...each.map(({ bytes }) => bytes)]));
    const { stdout } = await child;
    const { packets } = JSON.parse(stdout) as { packets: { pts_time?: string; flags: string }[] };
    // An access unit that holds two pictures is one to its muxer, and two to a parser, the second without a time.
    const times = packets.flatMap((packet) => (packet.pts_time === undefined ? [] : [Number(packet.pts_time)]));
    if (!grows(times)) faults.push(`${each[0]!.segment.uri.split('?')[0]} and on: ffprobe sees times that do not grow: ${jumpOf(times.map(String))}`);
    if (packets[0]?.flags.startsWith('K') !== true) faults.push(`${each[0]!.segment.uri.split('?')[0]}: ffprobe sees no keyframe first`);
  }
  return faults;
}

/** Around the first time that does not grow. */
function jumpOf(times: readonly string[]): string {
  const index = times.findIndex((time, at) => at > 0 && !(Number(time) > Number(times[at - 1])));
  return `${times.slice(Math.max(0, index - 2), index + 2).join(' ')} (${index} of ${times.length})`;
}

/** Why these bytes are no picture that ffmpeg decodes; undefined where they are one. */
export async function pictureFault(jpeg: Buffer, width: number): Promise<string | undefined> {
  const child = run('ffprobe', ['-v', 'error', '-f', 'jpeg_pipe', '-show_entries', 'frame=width,height', '-of', 'csv=p=0', '-'], { maxBuffer: 1024 * 1024 });
  child.child.stdin!.on('error', () => undefined);
  child.child.stdin!.end(jpeg);
  const { stdout, stderr } = await child;
  if (stderr !== '') return `a picture that ffmpeg complains of: ${stderr.slice(0, 200)}`;
  const [seen] = stdout.trim().split(',').map(Number);
  return seen === width ? undefined : `a picture ${seen} wide instead of ${width}`;
}
