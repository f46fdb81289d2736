/** Exports: a span of a camera's recordings as one file, made in turn, kept for a while and no longer than the program runs. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportInput, ExportView } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import { durationText } from '../machines/duration.ts';
import { startExport, type ExportEvent, type ExportPlan, type RunningExport } from '../recordings/exporter.ts';
import type { Segment, Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';
import { codecName } from './recording-view.ts';

/** What they are made with: `dir` is theirs alone, `recordings` that of the recordings; both absolute. */
export type ExportsDeps = { segments: Store['segments']; dir: string; recordings: string; minFreeBytes: number; log: Log; note: Observer['note'] };

/** The exports of this program. */
export type Exports = {
  /** Removes what an earlier run left. Never rejects. */
  clear(): Promise<void>;
  /** Newest first. */
  list(): ExportView[];
  /** Throws `LOOKOUT_EXPORT_NOT_FOUND`, as do the next two. */
  get(id: string): ExportView;
  /** Throws `LOOKOUT_EXPORT_OPEN` until it is done. */
  file(id: string): { path: string; name: string };
  /** Ends it where it runs. */
  remove(id: string): Promise<void>;
  /** Throws `LOOKOUT_RECORDING_NOT_FOUND`, `LOOKOUT_EXPORT_LIMIT`. */
  create(input: ExportInput): Promise<ExportView>;
  stop(): Promise<void>;
};

type Entry = { id: string; input: ExportInput; segments: Segment[]; createdAt: number; state: ExportView['state']; progress: number; plan: ExportPlan | null; error: ExportView['error']; doneAt: number | null; running: RunningExport | null };

/** Each may be as large as its recordings: their number and their age are what keeps the disk free. */
const most = 16;
const keptMs = 24 * 3_600_000;
const sweepMs = 60_000;
const page = 1_000;

/** Makes it; what is too old goes from now on. */
export function createExports(deps: ExportsDeps): Exports {
  const { dir, log } = deps;
  const entries = new Map<string, Entry>();
  let isStopped = false;
  const must = (id: string): Entry => {
    const entry = entries.get(id);
    if (!entry) throw new LookoutError('LOOKOUT_EXPORT_NOT_FOUND', { message: `There is no export "${id}".` });
    return entry;
  };
  const pathOf = ({ id, input }: Entry): string => join(dir, `${id}.${input.format}`);
  const discard = async (entry: Entry): Promise<void> => {
    entries.delete(entry.id);
    await entry.running?.stop();
    await rm(pathOf(entry), { force: true });
  };
  /** One after the other: they compete for the disk that records. */
  const next = (): void => {
    if (isStopped || [...entries.values()].some(({ running }) => running !== null)) return;
    const entry = [...entries.values()].find(({ state }) => state === 'waiting');
    if (!entry) return;
    entry.state = 'running';
    const { input: { from, to, format } } = entry;
    const files = entry.segments.map(({ path, startAt }) => ({ path: join(deps.recordings, path), startAt }));
    const running = startExport({ files, from, to, format, target: pathOf(entry), minFreeBytes: deps.minFreeBytes }, (event) => hear(deps, entry, event));
    entry.running = running;
    void running.ended.then(() => {
      entry.running = null;
      next();
    });
  };
  const timer = setInterval(() => {
    for (const entry of entries.values()) {
      if (entry.doneAt !== null && Date.now() - entry.doneAt > keptMs) discard(entry).catch((error: unknown) => log.warn({ err: error, export: entry.id }, 'an old export stays on the disk'));
    }
  }, sweepMs).unref();

  return {
    clear: () => rm(dir, { recursive: true, force: true }).catch((error: unknown) => log.warn({ err: error, dir }, 'old exports cannot be removed')),
    list: () => [...entries.values()].toReversed().map(viewOf),
    get: (id) => viewOf(must(id)),
    file(id) {
      const entry = must(id);
      if (entry.state !== 'done') throw new LookoutError('LOOKOUT_EXPORT_OPEN', { message: entry.error?.message ?? 'The export is not finished yet.' });
      return { path: pathOf(entry), name: `${id}.${entry.input.format}` };
    },
    remove: async (id) => discard(must(id)),
    async create(input) {
      const segments = await segmentsOf(deps.segments, input);
      if (segments.length === 0) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { cameraId: input.camera, message: `Nothing is recorded of "${input.camera}" in this time.` });
      await mkdir(dir, { recursive: true, mode: 0o750 }).catch((cause: unknown) => {
        throw new LookoutError('LOOKOUT_STORAGE', { message: 'The folder of exports cannot be made.', cause });
      });
      if (entries.size >= most) throw new LookoutError('LOOKOUT_EXPORT_LIMIT', { message: `There are ${most} exports. Delete one first.` });
      let createdAt = Date.now();
      while (entries.has(`${input.camera}-${createdAt}`)) createdAt += 1;
      const entry: Entry = { id: `${input.camera}-${createdAt}`, input, segments, createdAt, state: 'waiting', progress: 0, plan: null, error: null, doneAt: null, running: null };
      entries.set(entry.id, entry);
      next();
      return viewOf(entry);
    },
    async stop() {
      isStopped = true;
      clearInterval(timer);
      for (const { running } of entries.values()) await running?.stop();
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

function hear({ note, log }: ExportsDeps, entry: Entry, event: ExportEvent): void {
  switch (event.type) {
    case 'planned':
      entry.plan = event.plan;
      return;
    case 'progress':
      entry.progress = event.progress;
      return;
    case 'done': {
      Object.assign(entry, { state: 'done', progress: 1, doneAt: Date.now(), segments: [] });
      const { startAt, durationMs } = entry.plan!;
      note(plainEvent(entry.input.camera, 'recording.exported', `${durationText(durationMs)} from ${iso(startAt)} were exported as asked.`));
      return;
    }
    case 'failed':
      Object.assign(entry, { state: 'failed', error: { code: event.code, message: event.message }, doneAt: Date.now(), segments: [] });
      return log.warn({ export: entry.id, code: event.code, reason: event.message }, 'an export failed');
  }
}

/** What is recorded of a camera between two moments, oldest first. */
export async function segmentsOf(segments: Store['segments'], { camera, from, to }: Pick<ExportInput, 'camera' | 'from' | 'to'>): Promise<Segment[]> {
  const found: Segment[] = [];
  for (let more = true; more;) {
    const last = found.at(-1);
    const rows = await segments.list({ cameras: [camera], from, to, limit: page, ...(last ? { after: last } : {}) });
    found.push(...rows);
    more = rows.length === page;
  }
  return found.toReversed();
}

const iso = (ms: number): string => new Date(ms).toISOString();

function viewOf({ id, input: { camera, from, to, format }, state, progress, plan, error, createdAt, doneAt }: Entry): ExportView {
  return {
    id, camera, format, state, progress, from: iso(from), to: iso(to),
    startAt: plan && iso(plan.startAt), endAt: plan && iso(plan.endAt), durationMs: plan && plan.durationMs, frames: plan && plan.frames, bytes: plan && plan.bytes,
    codec: plan && codecName(plan.codec), width: plan && plan.width, height: plan && plan.height, sound: plan && plan.sound,
    gaps: (plan?.gaps ?? []).map((gap) => ({ from: iso(gap.from), to: iso(gap.to), durationMs: Math.round(gap.to - gap.from), atMs: Math.round(gap.atMs) })),
    error, createdAt: iso(createdAt), expiresAt: doneAt === null ? null : iso(doneAt + keptMs),
  };
}
