/** The book of recordings: what hosts say of their files, as rows of the index; what a crash left behind, made whole. */
import { basename, join } from 'node:path';
import type { RecordingSink } from '../actors/output.ts';
import type { RecordingQuery, RecordingView } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import { durationText } from '../machines/duration.ts';
import type { FoundFile, Keeper } from '../recordings/keeper.ts';
import { parseRecordingPath, recordingId } from '../recordings/names.ts';
import { seamMs } from '../recordings/span.ts';
import type { Segment, SegmentGap, Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';
import { recordingView } from './recording-view.ts';

/** What the book is kept with. `dir` is absolute. */
export type RecordingsDeps = { store: Pick<Store, 'segments' | 'journal'>; keeper: Keeper; dir: string; log: Log; note: Observer['note'] };

/** The book. */
export type Recordings = RecordingSink & {
  /** Looks at the disk before anybody records; what it finds is entered behind the caller's back. */
  begin(): Promise<void>;
  list(query: RecordingQuery): Promise<{ recordings: RecordingView[]; next: string | null }>;
  /** Throws `LOOKOUT_RECORDING_NOT_FOUND`. */
  get(id: string): Promise<RecordingView>;
  file(id: string): Promise<{ path: string; name: string }>;
  /** Throws `LOOKOUT_RECORDING_OPEN` while it is being written. */
  remove(id: string): Promise<void>;
  /** Bytes written since the program started. */
  bytes(camera: string): number;
  /** Resolves when everything said so far is entered. */
  settled(): Promise<void>;
};

const causeRows = 200;
/** What ended a recording may be told a little before its last frame. */
const causeBeforeMs = 5_000;
/** A recording begins with the last keyframe, which may be older than the failure it follows. */
const causeAfterMs = 15_000;
const scanWaitMs = 5_000;

/** Makes the book. */
export function createRecordings(deps: RecordingsDeps): Recordings {
  const { store, keeper, dir, log, note } = deps;
  const written = new Map<string, number>();
  const open = new Set<string>();
  const save = saver(store.segments, log);
  let queue: Promise<void> = Promise.resolve();
  /** One after the other, in the order in which hosts spoke; a failure costs its own row only. */
  const inTurn = (what: string, work: () => Promise<void>): void => {
    queue = queue.then(work).catch((error: unknown) => log.warn({ err: error, what }, 'a recording could not be entered in the index'));
  };
  const must = async (id: string): Promise<Segment> => {
    const segment = await store.segments.get(id);
    if (!segment) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { message: `There is no recording "${id}".` });
    return segment;
  };
  const enter = async (found: FoundFile): Promise<void> => {
    const name = parseRecordingPath(found.path);
    if (!name) return;
    const id = recordingId(name);
    const known = await store.segments.get(id).catch(() => undefined);
    const gapBefore = known ? known.gapBefore : await gapOf(store, name.camera, name.startAt);
    await save(closedSegment(found, { id, ...name, gapBefore }));
  };
  const recover = async (path: string): Promise<void> => {
    const name = parseRecordingPath(path);
    if (!name) return;
    const found = await keeper.recover(path);
    if (!found) return store.segments.remove(recordingId(name));
    await enter(found);
    note(plainEvent(name.camera, 'recording.recovered', `record: a file was left open; it holds ${durationText(found.durationMs)} and was made whole.`));
  };

  return {
    async begin() {
      const paths = await Promise.race([keeper.scan(), new Promise<null>((resolve) => setTimeout(resolve, scanWaitMs, null).unref())]).catch((error: unknown) => {
        log.warn({ err: error, dir }, 'the recordings on the disk cannot be listed');
        return null;
      });
      // A disk this slow is looked at by nobody: what it holds is entered at a later start.
      if (paths) inTurn('what the disk holds', () => reconcile(deps, paths, { enter, recover, isOpen: (path) => open.has(path) }));
    },
    opened(camera, { path, startAt }) {
      open.add(path);
      inTurn(path, async () => save({ ...blank, id: recordingId({ camera, startAt }), camera, path, startAt, gapBefore: await gapOf(store, camera, startAt) }));
    },
    closed(_camera, file) {
      open.delete(file.openPath);
      inTurn(file.path, () => enter(file));
    },
    empty(camera, openPath) {
      open.delete(openPath);
      const name = parseRecordingPath(openPath);
      note(plainEvent(camera, 'recording.empty', 'record: a file was finished without a frame, and removed.'));
      if (name) inTurn(openPath, () => store.segments.remove(recordingId(name)));
    },
    abandoned(_camera, openPath) {
      open.delete(openPath);
      inTurn(openPath, () => recover(openPath));
    },
    grew: (camera, bytes) => void written.set(camera, (written.get(camera) ?? 0) + bytes),
    bytes: (camera) => written.get(camera) ?? 0,
    async list({ after, ...query }) {
      const position = after === undefined ? {} : { after: { id: after, startAt: Number(after.slice(after.lastIndexOf('-') + 1)) } };
      const found = await store.segments.list({ ...query, ...position, limit: query.limit + 1 });
      const page = found.slice(0, query.limit);
      return { recordings: page.map(recordingView), next: found.length > page.length ? page.at(-1)?.id ?? null : null };
    },
    get: async (id) => recordingView(await must(id)),
    async file(id) {
      const { path } = await must(id);
      return { path: join(dir, path), name: basename(path) };
    },
    remove: async (id) => remove(deps, await must(id)),
    settled: () => queue,
  };
}

async function remove({ store, keeper, note }: RecordingsDeps, { id, camera, path, startAt, closed }: Segment): Promise<void> {
  if (!closed) throw new LookoutError('LOOKOUT_RECORDING_OPEN', { cameraId: camera });
  await keeper.remove([path]).catch((error: unknown) => {
    throw new LookoutError('LOOKOUT_STORAGE', { cameraId: camera, message: `The recording could not be removed: ${error instanceof Error ? error.message : String(error)}`, cause: error });
  });
  await store.segments.remove(id);
  note(plainEvent(camera, 'recording.removed', `The recording of ${new Date(startAt).toISOString()} was removed as asked.`));
}

const blank = { endAt: null, durationMs: 0, bytes: 0, frames: 0, codec: null, width: null, height: null, sound: null, closed: false };

function closedSegment(found: FoundFile, name: { id: string; camera: string; startAt: number; gapBefore: SegmentGap | null }): Segment {
  const { path, durationMs, bytes, frames, codec, width, height, sound } = found;
  const { id, camera, startAt, gapBefore } = name;
  return { id, camera, path, startAt, endAt: startAt + durationMs, durationMs, bytes, frames, codec, width, height, sound, closed: true, gapBefore };
}

/** Rows that the store did not take are saved with the next; what a crash loses of them, the next start finds on the disk. */
function saver(segments: Store['segments'], log: Log): (segment: Segment) => Promise<void> {
  const unsaved = new Map<string, Segment>();
  return async (segment) => {
    unsaved.set(segment.id, segment);
    const rows = [...unsaved.values()];
    try {
      await segments.put(...rows);
      for (const row of rows) if (unsaved.get(row.id) === row) unsaved.delete(row.id);
    } catch (error) {
      log.warn({ err: error, waiting: unsaved.size }, 'the index of recordings cannot be written');
    }
  };
}

type Entering = { enter(found: FoundFile): Promise<void>; recover(path: string): Promise<void>; isOpen(path: string): boolean };

/** Index and disk agree afterwards: open files of a dead program are made whole, unknown files entered, missing ones forgotten. */
async function reconcile({ store, keeper, log }: RecordingsDeps, paths: readonly string[], { enter, recover, isOpen }: Entering): Promise<void> {
  const indexed = new Map<string, Segment>();
  for (let after: { id: string; startAt: number } | undefined, more = true; more;) {
    const page = await store.segments.list({ limit: 1_000, ...(after ? { after } : {}) });
    for (const segment of page) indexed.set(segment.path, segment);
    after = page.at(-1);
    more = page.length === 1_000;
  }
  const present = new Set(paths);
  // Oldest first: a gap is measured from the file before.
  for (const path of paths.toSorted()) {
    const name = parseRecordingPath(path);
    if (name?.open && !isOpen(path)) await recover(path).catch((error: unknown) => log.warn({ err: error, path }, 'a recording that was left open cannot be made whole'));
    else if (!name?.open && !indexed.has(path)) {
      const found = await keeper.measure(path).catch(() => null);
      if (found) await enter(found);
    }
  }
  const missing = [...indexed.values()].filter(({ path, closed }) => !present.has(path) && (closed || !isOpen(path)));
  // A row whose file was left open has its final name by now.
  const gone = await Promise.all(missing.map(async ({ id, path }) => ((await store.segments.get(id))?.path === path ? id : null)));
  await store.segments.remove(...gone.filter((id) => id !== null));
}

/** The time without a recording before one begins, with what the journal says of its cause. */
async function gapOf({ segments, journal }: RecordingsDeps['store'], camera: string, startAt: number): Promise<SegmentGap | null> {
  const before = await segments.before(camera, startAt).catch(() => undefined);
  if (!before) return null;
  const from = before.endAt ?? before.startAt + before.durationMs;
  const ms = startAt - from;
  if (ms <= seamMs) return null;
  const rows = await journal.list({ camera, stream: 'main', limit: causeRows }).catch(() => []);
  const cause = rows.findLast(({ at, type, class: cls }) => Date.parse(at) >= from - causeBeforeMs && Date.parse(at) <= startAt + causeAfterMs && (cls !== null || speaking.has(type)));
  return { from, ms, class: cause?.class ?? null, code: cause?.code ?? cause?.type ?? null, message: cause?.message ?? null };
}

/** Rows without a class that say why nothing was recorded. */
const speaking = new Set(['lookout.started', 'recording.stop', 'camera.stop', 'camera.changed', 'camera.restart']);
