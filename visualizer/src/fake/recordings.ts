/** What the fake fleet has recorded: every day the same hours, with a gap that is explained and one that is not; its films do not play. */
import type { EventView, ExportView, RecordingView } from '../../../src/api/protocol.ts';
import type { JournalQuery, Recordings } from '../adapter.ts';

const minute = 60_000;
const fileMs = 5 * minute;
/** Minutes of the day. */
const recorded: [number, number][] = [[0, 385], [397, 720], [760, 1_440]];

/** Recordings and exports that live in the page. */
export function fakeRecordings(): Recordings {
  const made = new Map<string, ExportView>();
  return {
    list: async ({ camera, from, to }) => ({ recordings: filesOf(camera, from, Math.min(to, Date.now())), all: true }),
    playlist: () => 'nothing.m3u8',
    exports: async () => [...made.values()].reverse().map((one) => step(one, made)),
    export: async (span, format) => {
      const { camera } = span;
      const [from, to] = [span.from, span.to].map((at) => new Date(at).toISOString()) as [string, string];
      const id = `${camera}-${made.size}`;
      const view: ExportView = { id, camera, format, state: 'running', progress: 0.1, from, to, startAt: from, endAt: to, durationMs: null, frames: null, bytes: null, codec: 'h264', width: 1920, height: 1080, sound: { codec: 'AAC', included: true, reason: null }, gaps: [], error: null, createdAt: new Date().toISOString(), expiresAt: null };
      made.set(id, view);
      return view;
    },
    exportFile: () => 'favicon.svg',
    removeExport: async (id) => {
      made.delete(id);
    },
  };
}

function step(view: ExportView, made: Map<string, ExportView>): ExportView {
  const progress = Math.min(1, view.progress + 0.3);
  const next: ExportView = { ...view, progress, ...(progress === 1 ? { state: 'done', bytes: 48_200_000, durationMs: Date.parse(view.to) - Date.parse(view.from) } : {}) };
  made.set(view.id, next);
  return next;
}

function filesOf(camera: string, from: number, to: number): RecordingView[] {
  const files: RecordingView[] = [];
  for (const [index, [begin, end]] of recorded.entries()) {
    for (let at = from + begin * minute; at < Math.min(from + end * minute, to); at += fileMs) {
      const endAt = Math.min(at + fileMs, from + end * minute);
      const closed = endAt <= to;
      const gapFrom = from + (recorded[index - 1]?.[1] ?? 0) * minute;
      const gap = index > 0 && at === from + begin * minute;
      files.push({
        id: `${camera}-${at}`, camera, path: `${camera}/${at}.mkv`, startAt: new Date(at).toISOString(), endAt: closed ? new Date(endAt).toISOString() : null,
        durationMs: closed ? endAt - at : 0, bytes: 60_000_000, frames: 7_500, codec: 'h264', width: 1920, height: 1080, sound: 'AAC', closed,
        gapBefore: gap ? { from: new Date(gapFrom).toISOString(), to: new Date(at).toISOString(), durationMs: at - gapFrom, ...(index === 1 ? { class: 'reset', code: 'econnreset', message: 'The camera closed the connection.' } : { class: null, code: null, message: null }) } : null,
      });
    }
  }
  return files;
}

/** Minutes of the day at which it fails, and with what: one alone, four in a row. */
const failures: [number, NonNullable<EventView['class']>, string][] = [
  [385, 'reset', 'The camera closed the connection (ECONNRESET) while playing.'],
  [720, 'silent', 'No packet for 4 s while playing.'],
  [731, 'timeout', 'No answer to DESCRIBE within 5 s.'],
  [740, 'timeout', 'No answer to DESCRIBE within 5 s.'],
  [752, 'unreachable', 'No route to 192.168.20.11.'],
];

/** The journal of a day of failures: each with the wait that follows it. The number of a row is its second. */
export function failuresOn(camera: string, { limit, before, from, to, failures: only }: JournalQuery): EventView[] {
  const midnight = new Date(from ?? (before! - 1) * 1_000).setHours(0, 0, 0, 0);
  const row = (at: number, event: Pick<EventView, 'from' | 'to' | 'class' | 'message'>): EventView => ({ seq: Math.floor(at / 1_000), at: new Date(at).toISOString(), camera, type: 'camera.transition', code: event.class, evidence: null, attempt: null, delayMs: null, recording: false, ...event });
  const rows = failures.flatMap(([minutes, cls, message]) => {
    const at = midnight + minutes * minute;
    return [
      row(at, { from: cls === 'timeout' ? 'connecting' : 'streaming.live', to: 'teardown', class: cls, message }),
      row(at + 1_000, { from: 'teardown', to: 'backoff', class: cls, message: 'Waiting 2 s before the next attempt.' }),
      row(at + 3_000, { from: 'backoff', to: 'connecting', class: null, message: 'Connecting again.' }),
    ];
  });
  const wanted = ({ seq, at, class: cls }: EventView): boolean => seq < (before ?? Infinity) && Date.parse(at) >= (from ?? 0) && Date.parse(at) < Math.min(to ?? Infinity, Date.now()) && (!only || cls !== null);
  return rows.filter(wanted).reverse().slice(0, limit);
}
