/** Recordings that wait for the disk with their rows: bounded, because a disk that takes nothing must not take the memory instead. */
import type { EventView } from '../api/protocol.ts';
import { keyOf } from '../streams.ts';
import type { FlightRow } from './requests.ts';
import type { StoredFlight } from './types.ts';

/** The recordings not written yet. */
export type FlightQueue = {
  add(row: EventView, flight: StoredFlight): void;
  /** Those of some rows, to be written with them. */
  of(rows: readonly EventView[]): FlightRow[];
  /** Their rows are written. */
  drop(rows: readonly EventView[]): void;
  find(camera: string, seq: number): StoredFlight | undefined;
  forget(camera: string): void;
};

/** Two hundred cameras that fail together have room; the oldest go first. */
const bytesLimit = 16 * 1024 * 1024;

/** Makes an empty queue. */
export function createFlightQueue(limit = bytesLimit): FlightQueue {
  const waiting = new Map<number, { row: EventView; flight: StoredFlight }>();
  let bytes = 0;
  const sizeOf = ({ head, runs }: StoredFlight): number => head.length + runs.byteLength;
  const take = (seq: number): void => {
    const entry = waiting.get(seq);
    if (!entry || !waiting.delete(seq)) return;
    bytes -= sizeOf(entry.flight);
  };
  /** Its row must not promise what is no longer there. */
  const lose = (seq: number): void => {
    const entry = waiting.get(seq);
    if (entry) entry.row.recording = false;
    take(seq);
  };

  return {
    add(row, flight) {
      waiting.set(row.seq, { row, flight });
      bytes += sizeOf(flight);
      for (const seq of waiting.keys()) {
        if (bytes <= limit) break;
        lose(seq);
      }
    },
    of: (rows) => rows.flatMap((row) => {
      const entry = waiting.get(row.seq);
      return entry ? [{ seq: row.seq, camera: keyOf(row), ...entry.flight }] : [];
    }),
    drop(rows) {
      for (const { seq } of rows) take(seq);
    },
    find(camera, seq) {
      const entry = waiting.get(seq);
      return entry && keyOf(entry.row) === camera ? entry.flight : undefined;
    },
    forget(camera) {
      for (const [seq, { row }] of waiting) if (keyOf(row) === camera) lose(seq);
    },
  };
}
