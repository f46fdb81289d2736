/** The thread of one export: reads where the frames lie, says what will be in the file, writes it, ends. */
import { closeSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { LookoutError, type ErrorCode } from '../errors.ts';
import { soundForMp4 } from './boxes.ts';
import type { ExportEvent, ExportOrder, ExportSound } from './exporter.ts';
import { FileWriter } from './file-writer.ts';
import { mkvPieces, type Piece } from './mkv.ts';
import { mp4Head, mp4Order } from './mp4.ts';
import { openRecording, readRecording } from './reading.ts';
import { FormatChange, spanOf, type Span, type SpanFile, type SpanFrame } from './span.ts';
import { soundName, type SpanSound } from './span-sound.ts';

/** Six hours of 60 pictures a second; they are all in memory. */
const mostFrames = 1_300_000;

const port = parentPort;
if (port === null) throw new Error('recordings/export-thread.ts runs as a worker thread only');
const order = workerData as ExportOrder;
const say = (event: ExportEvent): void => port.postMessage(event);

try {
  run();
  say({ type: 'done' });
} catch (error) {
  rmSync(order.target, { force: true });
  say({ type: 'failed', ...reasonOf(error) });
}

function run(): void {
  const { files, span } = read();
  const sound = order.format === 'mp4' ? soundForMp4(span.sound) : span.sound;
  const frames = [...span.frames, ...(sound?.frames ?? [])];
  const pieces = (): Generator<Piece> => (order.format === 'mp4' ? mp4Pieces(span, sound) : mkvPieces(span.video, span.frames, span.durationMs, sound));
  let bytes = 0;
  for (const piece of pieces()) bytes += typeof piece === 'number' ? frames[piece]!.length : piece.length;
  const { bavail, bsize } = statfsSync(dirname(order.target));
  const room = bavail * bsize - order.minFreeBytes;
  if (bytes > room) throw new LookoutError('LOOKOUT_STORAGE', { message: `The export needs ${megabytes(bytes)}, and the disk has room for ${megabytes(Math.max(0, room))}.` });
  const { startAt, endAt, durationMs, gaps, video: { codec, width, height } } = span;
  say({ type: 'planned', plan: { startAt, endAt, durationMs: Math.round(durationMs), frames: span.frames.length, bytes, codec, width, height, gaps, sound: soundOf(span, sound) } });
  write(frames, { pieces: pieces(), files, bytes });
}

/** What is said of the sound. Nothing is encoded anew: what the container does not take is left out. */
function soundOf({ sound, soundChanged }: Span, taken: SpanSound | null): ExportSound | null {
  if (sound === null) return null;
  const codec = soundName(sound);
  if (taken === null) return { codec, included: false, reason: `MP4 has no ${codec}: its sound is left out. Matroska (mkv) takes it as it is.` };
  return { codec, included: true, reason: soundChanged ? 'The sound changed its format within this time: only that of the first format is in the file.' : null };
}

/** Where the frames of the span are. A file that retention took meanwhile is a gap like any other. */
function read(): { files: string[]; span: Span } {
  const paths: string[] = [];
  const files: SpanFile[] = [];
  let frames = 0;
  for (const { path, startAt } of order.files) {
    const video = readOr(path);
    if (video === null) continue;
    frames += video.frames.length + (video.sound?.frames.length ?? 0);
    if (frames > mostFrames) throw new LookoutError('LOOKOUT_TOO_LARGE', { message: `More than ${mostFrames} pictures and pieces of sound do not fit into one export.` });
    paths.push(path);
    files.push({ startAt, video });
  }
  const span = spanOf(files, order);
  if (span === null) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { message: 'Nothing is recorded of this time.' });
  return { files: paths, span };
}

function readOr(path: string): SpanFile['video'] | null {
  try {
    return readRecording(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function* mp4Pieces({ video, frames, durationMs }: Span, sound: SpanSound | null): Generator<Piece> {
  yield mp4Head(video, frames, durationMs, sound);
  yield* mp4Order(frames, sound);
}

function write(frames: readonly SpanFrame[], { pieces, files, bytes }: { pieces: Iterable<Piece>; files: readonly string[]; bytes: number }): void {
  const out = new FileWriter(order.target, (written) => say({ type: 'progress', progress: written / bytes }));
  let [open, fd] = [-1, -1];
  try {
    for (const piece of pieces) {
      if (typeof piece !== 'number') {
        out.add(piece);
        continue;
      }
      const { file, offset, length } = frames[piece]!;
      if (file !== open) {
        if (fd !== -1) closeSync(fd);
        fd = -1;
        [open, fd] = [file, openRecording(files[file]!)];
      }
      out.copy(fd, offset, length);
    }
    out.finish();
  } finally {
    if (fd !== -1) closeSync(fd);
    out.close();
  }
}

function reasonOf(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof LookoutError) return { code: error.code, message: error.message };
  if (error instanceof FormatChange) return { code: 'LOOKOUT_EXPORT_FORMAT', message: error.message };
  const { code } = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? { code: 'LOOKOUT_INTERNAL', message } : { code: 'LOOKOUT_STORAGE', message: `The disk refused the export: ${code === 'ENOSPC' ? 'it is full' : message}.` };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
