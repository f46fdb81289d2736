/** What the view knows: a day of one camera, followed while it is today, and the exports of this camera. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { EventView, ExportView, RecordingView } from '../../../src/api/protocol.ts';
import { messageOf, type Adapter } from '../adapter.ts';
import type { Clock } from '../models/clock.ts';
import { dayOf, gapsOf, spansOf, type Gap, type Span } from './day.ts';
import { failuresOf, type Failure } from './failures.ts';

/** How often the index of today is asked for, and an export that is being made for its progress. */
const refreshMs = 5_000;
const progressMs = 1_000;
/** Journal rows of one answer, and answers of one day. */
const failureRows = 1_000;
const failurePages = 3;

export type RecordingsModel = {
  day: ReadonlySignal<Span>;
  /** Null until the index of this day is here. */
  spans: ReadonlySignal<Span[] | null>;
  gaps: ReadonlySignal<Gap[]>;
  /** What the journal has of this day. */
  failures: ReadonlySignal<Failure[]>;
  /** False where there are more files than are shown. */
  all: ReadonlySignal<boolean>;
  problem: ReadonlySignal<string | null>;
  exports: ReadonlySignal<ExportView[]>;
  exportProblem: ReadonlySignal<string | null>;
  /** Shows the day around a moment. */
  show: (at: number) => void;
  retry: () => void;
  export: (span: Span, format: ExportView['format']) => Promise<void>;
  removeExport: (id: string) => Promise<void>;
  dispose: () => void;
};

/** Follows one camera until disposed, beginning with the day around a moment. */
export function createRecordings(adapter: Adapter, clock: Clock, { camera, at }: { camera: string; at: number }): RecordingsModel {
  const { recordings: door } = adapter;
  const day = signal(dayOf(at));
  const found = signal<RecordingView[] | null>(null);
  const failed = signal<EventView[]>([]);
  const seenAt = signal(0);
  const all = signal(true);
  const problem = signal<string | null>(null);
  const exports = signal<ExportView[]>([]);
  const exportProblem = signal<string | null>(null);
  let disposed = false;

  const load = async (): Promise<void> => {
    const wanted = day.peek();
    try {
      const [answer, failures] = await Promise.all([door.list({ camera, ...wanted }), failedIn(adapter, camera, wanted, failed.peek())]);
      if (disposed || wanted !== day.peek()) return;
      [found.value, failed.value, all.value, seenAt.value, problem.value] = [answer.recordings, failures, answer.all, clock.serverNow(), null];
    } catch (error) {
      if (wanted === day.peek()) problem.value = messageOf(error);
    }
  };
  const loadExports = async (): Promise<void> => {
    try {
      const answer = await door.exports();
      if (!disposed) exports.value = answer.filter((one) => one.camera === camera);
    } catch (error) {
      exportProblem.value = messageOf(error);
    }
  };
  const doing = async (work: Promise<unknown>): Promise<void> => {
    exportProblem.value = null;
    try {
      await work;
    } catch (error) {
      exportProblem.value = messageOf(error);
    }
    await loadExports();
  };
  const refresh = setInterval(() => { if (clock.serverNow() < day.peek().to) void load(); }, refreshMs);
  const progress = setInterval(() => { if (exports.peek().some(({ state }) => state === 'waiting' || state === 'running')) void loadExports(); }, progressMs);
  void load();
  void loadExports();

  return {
    day, all, problem, exports, exportProblem,
    spans: computed(() => found.value && spansOf(found.value, day.value, seenAt.value)),
    gaps: computed(() => gapsOf(found.value ?? [], day.value)),
    failures: computed(() => failuresOf(failed.value)),
    show: (at) => {
      [day.value, found.value, failed.value, problem.value] = [dayOf(at), null, [], null];
      void load();
    },
    retry: () => void load(),
    export: (span, format) => doing(door.export({ camera, ...span }, format)),
    removeExport: (id) => doing(door.removeExport(id)),
    dispose: () => {
      disposed = true;
      clearInterval(refresh);
      clearInterval(progress);
    },
  };
}

/** Journal rows of failures in a day, newest first: those that are `known`, and what came since. */
async function failedIn(adapter: Adapter, camera: string, day: Span, known: readonly EventView[]): Promise<EventView[]> {
  const newest = known[0];
  const rows: EventView[] = [];
  for (let page = 0; page < failurePages; page += 1) {
    const before = rows.at(-1)?.seq;
    const answer = await adapter.events(camera, { limit: failureRows, failures: true, from: newest ? Date.parse(newest.at) : day.from, to: day.to, ...(before === undefined ? {} : { before }) });
    rows.push(...answer);
    if (answer.length < failureRows) break;
  }
  return [...rows.filter(({ seq }) => seq > (newest?.seq ?? 0)), ...known].slice(0, failureRows * failurePages);
}
