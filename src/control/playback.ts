/** What was recorded, for players: a playlist of a span made from the index, its segments made when they are fetched; nothing is kept. */
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import type { Keeper } from '../recordings/keeper.ts';
import { seamMs } from '../recordings/span.ts';
import type { Timeline } from '../recordings/vod.ts';
import type { Segment, Store } from '../store/types.ts';
import { segmentsOf } from './exports.ts';
import type { Playlist, PlaylistSegment } from './hls-playlist.ts';

/** What it is made with. */
export type PlaybackDeps = { segments: Store['segments']; keeper: Pick<Keeper, 'timeline' | 'part'> };

/** Recordings as HLS. */
export type Playback = {
  /** Throws `LOOKOUT_RECORDING_NOT_FOUND` where nothing is recorded. */
  playlist(span: { camera: string; from: number; to: number }): Promise<Playlist>;
  /** A segment by its name in the playlist. Throws `LOOKOUT_SEGMENT_NOT_FOUND`. */
  segment(camera: string, recording: string, name: string): Promise<{ bytes: Uint8Array; type: string }>;
};

const segmentMs = 4_000;
const remembered = 500;
const namePattern = /^(\d{1,8})-(\d{1,8})-(\d{1,8})[.]m4s$/u;

/** Makes it. */
export function createPlayback({ segments, keeper }: PlaybackDeps): Playback {
  const known = new Map<string, Timeline>();
  const timeline = async ({ id, path, closed }: Segment): Promise<Timeline | null> => {
    const found = known.get(id) ?? await keeper.timeline(path).catch(() => null);
    if (found === null || !closed) return found;
    known.delete(id);
    known.set(id, found);
    if (known.size > remembered) known.delete(known.keys().next().value!);
    return found;
  };
  return {
    async playlist(span) {
      const rows = await segmentsOf(segments, span);
      const listed: PlaylistSegment[] = [];
      let end: number | null = null;
      let sound: boolean | undefined;
      const zero = rows[0]?.startAt ?? 0;
      for (const [index, row] of rows.entries()) {
        const found = await timeline(row);
        if (found === null) continue;
        const { parts, endAt } = partsOf(row, found, { next: rows[index + 1]?.startAt ?? Infinity, zero });
        const wanted = parts.filter(({ startAt, durationMs }) => startAt < span.to && startAt + durationMs > span.from);
        if (wanted.length === 0) continue;
        const broken = end !== null && (Math.abs(wanted[0]!.startAt - end) > seamMs || found.sound !== sound);
        listed.push(...wanted.map((part, at) => ({ ...part, discontinuity: at === 0 && broken })));
        end = endAt;
        sound = found.sound;
      }
      if (listed.length === 0) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { cameraId: span.camera, message: `Nothing is recorded of "${span.camera}" in this time.` });
      const targetMs = listed.reduce((most, { durationMs }) => Math.max(most, Math.ceil(durationMs / 1_000) * 1_000), segmentMs);
      return { sequence: 0, discontinuities: 0, targetMs, segments: listed };
    },
    async segment(camera, recording, name) {
      const none = (): LookoutError => new LookoutError('LOOKOUT_SEGMENT_NOT_FOUND', { cameraId: camera });
      const row = await segments.get(recording);
      const [, fromMs, toMs, baseMs] = namePattern.exec(name) ?? [];
      if (row?.camera !== camera || (fromMs === undefined && name !== 'init.mp4')) throw none();
      const part = fromMs === undefined ? null : { fromMs: Number(fromMs), toMs: Number(toMs), baseMs: Number(baseMs) };
      const bytes = await keeper.part(row.path, part).catch(() => null);
      if (bytes === null) throw none();
      return { bytes, type: part === null ? 'video/mp4' : 'video/iso.segment' };
    },
  };
}

/** A recording cut at keyframes into segments of about the length wanted; nothing that the next recording has as well. */
function partsOf({ id, startAt }: Segment, { keyframes, endMs }: Timeline, { next, zero }: { next: number; zero: number }): { parts: Omit<PlaylistSegment, 'discontinuity'>[]; endAt: number } {
  const untilNext = next - startAt;
  // Clocks are rounded: what follows at once begins where this ends.
  const end = untilNext < endMs + seamMs ? untilNext : endMs;
  const cuts: number[] = [];
  for (const at of keyframes) if (at < end && (cuts.length === 0 || at - cuts.at(-1)! >= segmentMs)) cuts.push(at);
  const base = startAt - zero;
  const parts = cuts.map((from, index) => {
    const to = cuts[index + 1] ?? end;
    return { uri: join('recorded', id, `${from}-${to}-${base}.m4s`), map: join('recorded', id, 'init.mp4'), startAt: startAt + from, durationMs: to - from };
  });
  return { parts, endAt: startAt + end };
}
