/** Live HLS of all cameras: one playlist for each that only goes on, whatever becomes of sources and hosts, and the folders of their segments. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HlsSink } from '../actors/output.ts';
import type { CameraView } from '../api/protocol.ts';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import { notLive } from './attach.ts';
import { appended, dropped, emptyWindow, type Playlist, type Window } from './hls-playlist.ts';

/** What it is kept with. `dir` is absolute and nobody else's; `send` tells a camera whether it is wanted. */
export type HlsLiveDeps = { dir: string; settings: Config['hls']; send: (camera: string, wanted: boolean) => void; log: Log };

/** Live HLS. */
export type HlsLive = HlsSink & {
  /** Removes what an earlier run of the program left. */
  clear(): Promise<void>;
  /** Wants the output, and waits for its first segment. Throws `LOOKOUT_NOT_LIVE`, `LOOKOUT_HLS_OFF`. */
  playlist(camera: CameraView): Promise<Playlist>;
  /** Throws `LOOKOUT_SEGMENT_NOT_FOUND`. */
  file(camera: string, session: string, name: string): { path: string; type: string };
  /** In the playlist now. */
  segments(camera: string): number;
  forget(camera: string): void;
  stop(): Promise<void>;
};

type Session = { camera: string; dir: string; /** Announced and still on the disk, oldest first. */ names: string[]; maps: Set<string>; ended: boolean };
type Entry = { window: Window; wanted: boolean; /** What an output still finishes that nobody asks for any more is not offered. */ idle: boolean; askedAt: number; waiting: Set<() => void> };

const checkMs = 1_000;
const types: Record<string, string> = { ts: 'video/mp2t', m4s: 'video/iso.segment', mp4: 'video/mp4' };

/** Makes it; the clock of idle outputs runs from now on. */
export function createHlsLive(deps: HlsLiveDeps): HlsLive {
  const { dir, settings, send } = deps;
  const sessions = new Map<string, Session>();
  const entries = new Map<string, Entry>();
  const keep = settings.segments * 2;
  const entryOf = (camera: string): Entry => {
    const entry = entries.get(camera) ?? { window: emptyWindow(Date.now(), settings.segmentSeconds * 1_000), wanted: false, idle: false, askedAt: 0, waiting: new Set() };
    entries.set(camera, entry);
    return entry;
  };
  const remove = (id: string): void => {
    const session = sessions.get(id);
    sessions.delete(id);
    if (session) rm(session.dir, { recursive: true, force: true }).catch((error: unknown) => deps.log.warn({ err: error, dir: session.dir }, 'segments of an ended HLS session stay on the disk'));
  };
  /** Ended sessions live as long as their segments are in the playlist. */
  const sweep = (): void => {
    for (const [id, { camera, ended }] of sessions) {
      if (ended && !(entries.get(camera)?.window.segments ?? []).some(({ uri }) => uri.startsWith(`${id}/`))) remove(id);
    }
  };
  const ask = (camera: string, entry: Entry): void => {
    entry.askedAt = performance.now();
    entry.wanted = true;
    // Each time: an actor that came anew knows nothing.
    send(camera, true);
  };
  const timer = setInterval(() => {
    for (const [camera, entry] of entries) {
      if (!entry.wanted || performance.now() - entry.askedAt < settings.idleSeconds * 1_000) continue;
      entry.wanted = false;
      entry.idle = true;
      send(camera, false);
      // Whoever comes next begins with what is new, behind numbers that go on.
      entry.window = { ...dropped(entry.window, entry.window.segments.length), broken: true };
    }
    sweep();
  }, checkMs).unref();

  return {
    clear: () => rm(dir, { recursive: true, force: true }).catch((error: unknown) => deps.log.warn({ err: error, dir }, 'old HLS segments cannot be removed')),
    ...sink({ dir, keep, sessions, entryOf, most: settings.segments, sweep }),
    async playlist(camera) {
      if (camera.outputs.hls.mode === 'off') throw new LookoutError('LOOKOUT_HLS_OFF', { cameraId: camera.id });
      const entry = entryOf(camera.id);
      entry.idle = false;
      if (camera.outputs.hls.mode === 'on-demand') ask(camera.id, entry);
      if (entry.window.segments.length === 0) await firstSegment(entry, camera, settings.segmentSeconds);
      return entry.window;
    },
    file(camera, id, name) {
      const session = sessions.get(id);
      if (session?.camera !== camera || !(session.names.includes(name) || session.maps.has(name))) throw new LookoutError('LOOKOUT_SEGMENT_NOT_FOUND', { cameraId: camera });
      const entry = entryOf(camera);
      if (entry.wanted) ask(camera, entry);
      return { path: join(session.dir, name), type: types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream' };
    },
    segments: (camera) => entries.get(camera)?.window.segments.length ?? 0,
    forget(camera) {
      entries.delete(camera);
      sweep();
    },
    async stop() {
      clearInterval(timer);
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

type SinkDeps = { dir: string; keep: number; most: number; sessions: Map<string, Session>; entryOf: (camera: string) => Entry; sweep: () => void };

/** What hosts tell of their segments. */
function sink({ dir, keep, most, sessions, entryOf, sweep }: SinkDeps): HlsSink {
  return {
    begin(camera) {
      const session = randomUUID();
      sessions.set(session, { camera, dir: join(dir, session), names: [], maps: new Set(), ended: false });
      const entry = entryOf(camera);
      entry.window = { ...entry.window, broken: entry.window.broken || entry.window.segments.length > 0 };
      return { session, dir: join(dir, session), keep };
    },
    closed(id, { name, map, startAt, durationMs }) {
      const session = sessions.get(id);
      if (!session) return;
      session.names.push(name);
      session.names.splice(0, Math.max(0, session.names.length - keep));
      if (map !== null) session.maps.add(map);
      const entry = entryOf(session.camera);
      if (entry.idle) return;
      entry.window = appended(entry.window, { uri: `${id}/${name}`, map: map === null ? null : `${id}/${map}`, startAt, durationMs }, most);
      for (const wake of entry.waiting) wake();
    },
    end(id) {
      const session = sessions.get(id);
      if (session) session.ended = true;
      sweep();
    },
  };
}

/** A camera that is away may come back within this; beyond it the player is told why, and asks again. */
const patienceMs = 12_000;

async function firstSegment(entry: Entry, camera: CameraView, segmentSeconds: number): Promise<void> {
  if (away.has(camera.state)) throw noPlaylist(camera);
  const { promise, resolve } = Promise.withResolvers<void>();
  // A GOP, the segment behind it, and a host that starts.
  const timer = setTimeout(resolve, patienceMs + 2 * Math.max(segmentSeconds * 1_000, camera.media?.keyframeIntervalMs ?? 0));
  entry.waiting.add(resolve);
  await promise;
  clearTimeout(timer);
  entry.waiting.delete(resolve);
  if (entry.window.segments.length === 0) throw noPlaylist(camera);
}

/** States in which waiting is of no use. */
const away = new Set<CameraView['state']>(['stopped', 'quarantined', 'backoff']);

function noPlaylist(camera: CameraView): LookoutError {
  return notLive(camera, camera.outputs.hls.lastError?.message ?? (camera.state === 'streaming' ? 'No segment was finished in time.' : undefined));
}
