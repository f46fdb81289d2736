/** The journal's batch: rows get their number at once, go to the disk together, and never make anybody wait. */
import type { EventView } from '../api/protocol.ts';
import type { Log } from '../log.ts';
import { keyOf } from '../streams.ts';
import type { StoreThread } from './thread.ts';
import { createFlightQueue } from './flight-queue.ts';
import type { EventQuery, NewEvent, Store, StoredFlight, Transition } from './types.ts';

const streamNames = ['main', 'sub'] as const;
const batchMs = 150;
const retryMs = 1000;
/** Rows kept in memory while the disk cannot take them; the oldest go first. */
const pendingLimit = 10_000;
const rowsPerWrite = 2000;

/** The journal part of the store, with what {@link Store.status} tells about it. */
export type JournalBatch = Store['journal'] & {
  recording: Store['flights']['find'];
  /** Those of a removed camera that are not written yet. */
  forgetRecordings(camera: string): void;
  dropped(): number;
  pending(): number;
  stop(): void;
};

/** Makes the batch on top of a thread. */
export function createJournal(thread: StoreThread, log: Log): JournalBatch {
  let seq = thread.lastSeq;
  let pending: EventView[] = [];
  const flights = createFlightQueue();
  let writing: { rows: EventView[]; done: Promise<boolean> } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  const complain = oncePerSecond((error: unknown) => log.error({ err: error, pendingEvents: pending.length, droppedEvents: dropped }, 'journal cannot be written'));

  const schedule = (delayMs: number) => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void write();
    }, delayMs);
  };

  const bound = () => {
    const excess = pending.length - pendingLimit;
    if (excess <= 0) return;
    pending.splice(0, excess);
    dropped += excess;
  };

  /** Writes one batch; false where it failed, and its rows wait for the next. */
  const write = (): Promise<boolean> => {
    if (writing !== undefined) return writing.done;
    if (pending.length === 0) return Promise.resolve(true);
    const rows = pending.splice(0, rowsPerWrite);
    const done = thread.ask({ type: 'journal.append', rows, flights: flights.of(rows) }).then(() => {
      flights.drop(rows);
      return true;
    }, (error: unknown) => {
      pending = [...rows, ...pending];
      bound();
      complain(error);
      return false;
    }).then((written) => {
      writing = undefined;
      if (pending.length > 0) schedule(written ? 0 : retryMs);
      return written;
    });
    writing = { rows, done };
    return done;
  };

  const flush = async (): Promise<void> => {
    while (writing !== undefined || pending.length > 0) {
      if (!(await write())) return;
    }
  };

  return {
    append({ recording, ...event }: NewEvent): EventView {
      const row: EventView = { ...event, seq: ++seq, at: new Date(event.at).toISOString(), recording: recording !== undefined };
      pending.push(row);
      if (recording) flights.add(row, recording);
      bound();
      schedule(batchMs);
      return row;
    },
    async list({ camera, stream, ...query }) {
      const keys = camera === undefined ? null : (stream ? [stream] : streamNames).map((name) => keyOf({ camera, stream: name }));
      const isWanted = (row: EventView): boolean => (keys === null || keys.includes(keyOf(row))) && isAskedFor(row, query);
      const inMemory = [...(writing?.rows ?? []), ...pending].filter(isWanted);
      const stored = await thread.ask({ type: 'journal.list', cameras: keys, query });
      const rows = new Map([...stored, ...inMemory].map((row) => [row.seq, row]));
      return [...rows.values()].sort((a, b) => b.seq - a.seq).slice(0, query.limit);
    },
    async transitions({ camera, since }) {
      await flush();
      const rows = await thread.ask({ type: 'journal.transitions', camera, since });
      // What the disk does not take is still known here.
      const unwritten = [...(writing?.rows ?? []), ...pending].filter((row) => keyOf(row) === camera && row.type === 'camera.transition');
      return [...rows, ...unwritten.map((row): Transition => ({ at: Date.parse(row.at), type: row.type, to: row.to, class: row.class, awaySince: null }))];
    },
    async recording({ camera, seq: wanted }): Promise<StoredFlight | undefined> {
      return flights.find(camera, wanted) ?? thread.ask({ type: 'flights.find', camera, seq: wanted });
    },
    forgetRecordings: flights.forget,
    flush,
    dropped: () => dropped,
    pending: () => pending.length + (writing?.rows.length ?? 0),
    stop: () => clearTimeout(timer),
  };
}

/** What the database selects by. */
function isAskedFor({ seq, at, type, class: cls }: EventView, { before = Infinity, kind, from = -Infinity, to = Infinity, failures }: EventQuery): boolean {
  const moment = Date.parse(at);
  return seq < before && moment >= from && moment < to && (!failures || cls !== null) && (kind === undefined || type === kind || type.startsWith(`${kind}.`));
}

function oncePerSecond<T>(action: (value: T) => void): (value: T) => void {
  let last = -Infinity;
  return (value) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    action(value);
  };
}
