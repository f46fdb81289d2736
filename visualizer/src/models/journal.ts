/** The journal of the cameras somebody looks at: fetched once, then continued by live rows. */
import type { EventView } from '../../../src/api/protocol.ts';
import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Adapter } from '../adapter.ts';
import { messageOf } from '../adapter.ts';

/** Rows kept and shown of one camera: about what an operator scrolls through before opening the full journal. */
export const maxRows = 100;

export type JournalState = { status: 'loading' } | { status: 'failed'; message: string } | { status: 'ready'; events: EventView[] };

export type Journal = {
  /** Starts to follow a camera; the returned function stops it and frees its rows. */
  follow: (camera: string) => { rows: ReadonlySignal<JournalState>; stop: () => void };
  append: (event: EventView) => void;
  /** A row among what led to it and what came of it, newest first; null where the journal has it no more. */
  around: (camera: string, seq: number) => Promise<EventView[] | null>;
};

/** What is shown on either side of a row, and how long after it is looked for what came of it. */
const besideRows = maxRows / 2;
const besideMs = 10 * 60_000;
/** The most that one answer of the server holds. */
const mostRows = 1_000;

/** Makes the model. */
export function createJournal(adapter: Adapter): Journal {
  const followed = new Map<string, Set<Signal<JournalState>>>();
  return {
    follow: (camera) => {
      const rows = signal<JournalState>({ status: 'loading' });
      const set = followed.get(camera) ?? new Set();
      followed.set(camera, set.add(rows));
      adapter.events(camera, { limit: maxRows }).then(
        (events) => {
          rows.value = { status: 'ready', events: merge(eventsOf(rows), events) };
        },
        (error: unknown) => {
          rows.value = { status: 'failed', message: messageOf(error) };
        },
      );
      return {
        rows,
        stop: () => {
          set.delete(rows);
          if (set.size === 0) followed.delete(camera);
        },
      };
    },
    append: (event) => {
      for (const rows of followed.get(event.camera) ?? []) {
        rows.value = { status: 'ready', events: merge([event], eventsOf(rows)) };
      }
    },
    around: async (camera, seq) => {
      const before = await adapter.events(camera, { limit: besideRows, before: seq + 1 });
      const [row] = before;
      if (row?.seq !== seq) return null;
      const from = Date.parse(row.at);
      const after = (await adapter.events(camera, { limit: mostRows, from, to: from + besideMs })).filter((one) => one.seq > seq);
      return merge(after.slice(-besideRows), before);
    },
  };
}

function eventsOf(rows: Signal<JournalState>): EventView[] {
  const state = rows.peek();
  return state.status === 'ready' ? state.events : [];
}

/** Newest first, each row once. */
function merge(newer: EventView[], older: EventView[]): EventView[] {
  const bySeq = new Map([...older, ...newer].map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, maxRows);
}
