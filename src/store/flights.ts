/** The recordings in the database: the newest of each camera, all of them together within a bound. Runs in the store's thread only. */
import type { DatabaseSync } from 'node:sqlite';
import { deflateSync, inflateSync } from 'node:zlib';
import type { FlightRow } from './requests.ts';
import type { StoredFlight } from './types.ts';

/** Statements on one connection, inside the caller's transaction. */
export type Flights = { write(rows: readonly FlightRow[]): void; find(query: { camera: string; seq: number }): StoredFlight | undefined };

/** All cameras together, removed ones included. */
const bytesOfAll = 256 * 1024 * 1024;
/** One of 64 kB takes 2 ms at the default level, for a tenth less. */
const level = { level: 3 };

/** Prepares the statements. */
export function flightsOf(db: DatabaseSync, perCamera: number): Flights {
  const insert = db.prepare('INSERT OR REPLACE INTO flights (seq, camera, head, runs) VALUES (?, ?, ?, ?)');
  const find = db.prepare('SELECT head, runs FROM flights WHERE seq = ? AND camera = ?');
  const trim = db.prepare('DELETE FROM flights WHERE camera = ? AND seq NOT IN (SELECT seq FROM flights WHERE camera = ? ORDER BY seq DESC LIMIT ?)');
  const sum = db.prepare('SELECT coalesce(sum(length(head) + length(runs)), 0) AS bytes FROM flights');
  const trimAll = db.prepare('DELETE FROM flights WHERE seq IN (SELECT seq FROM flights ORDER BY seq LIMIT 100)');
  const total = (): number => (sum.get() as { bytes: number }).bytes;
  let bytes = total();
  return {
    write(rows) {
      for (const { seq, camera, head, runs } of rows) {
        const [smallHead, smallRuns] = [deflateSync(head, level), deflateSync(runs, level)];
        insert.run(seq, camera, smallHead, smallRuns);
        bytes += smallHead.length + smallRuns.length;
      }
      for (const camera of new Set(rows.map((row) => row.camera))) trim.run(camera, camera, perCamera);
      // What was trimmed is not subtracted: counted anew only when the bound seems near.
      if (bytes > bytesOfAll && (bytes = total()) > bytesOfAll) trimAll.run();
    },
    find({ camera, seq }) {
      const row = find.get(seq, camera) as { head: Uint8Array; runs: Uint8Array } | undefined;
      return row && { head: inflateSync(row.head).toString('utf8'), runs: new Uint8Array(inflateSync(row.runs)) };
    },
  };
}
