/** The SQLite file: opening it whatever state it is in, and every statement. Runs in the store's thread only. */
import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { EventView } from '../api/protocol.ts';
import type { FailureClass } from '../errors.ts';
import { keyOf, streamOfKey } from '../streams.ts';
import { openCipher, type Cipher } from './cipher.ts';
import { flightsOf, type Flights } from './flights.ts';
import type { FlightRow, StoreRequest, StoreThreadInput } from './requests.ts';
import { credentialsOf, type CredentialRequest } from './credentials.ts';
import { migrate } from './schema.ts';
import { segmentsOf, type SegmentRequest } from './segments.ts';
import type { EventQuery, StoredCamera, Transition } from './types.ts';

/** Rows of all cameras together, removed ones included: about 300 MB. */
const journalRows = 1_000_000;
const keyCheck = 'key.check';

/** An open database. Every method is synchronous and throws on failure. */
export type Database = { lastSeq: number; notices: string[]; handle(request: StoreRequest): unknown };

/** Opens or makes `lookout.db`. A damaged file is moved aside; a wrong key is refused, for nothing could be read. */
export function openDatabase(input: StoreThreadInput): Database {
  mkdirSync(input.dir, { recursive: true, mode: 0o700 });
  const { cipher, notices } = openCipher(input.secretFile);
  const file = join(input.dir, 'lookout.db');
  let settings: DatabaseSync;
  try {
    settings = connect(file, 'FULL');
  } catch (error) {
    if (!isDamaged(error)) throw error;
    notices.push(`The database was damaged (${text(error)}) and moved to ${moveAside(file)}; a new one begins, without its cameras.`);
    settings = connect(file, 'FULL');
  }
  checkKey(settings, cipher, input.secretFile);
  // A second connection: the journal may lose its last moments in a power cut, cameras and tokens may not.
  // So may the index of recordings: it is built anew from the files.
  const rows = connect(file, 'NORMAL');
  const flights = flightsOf(rows, input.flightsPerCamera);
  const journal = journalOf(rows, { rowsPerCamera: input.rowsPerCamera, flights });
  const segments = segmentsOf(rows);
  const cameras = camerasOf(settings, cipher);
  const credentials = credentialsOf(settings);
  return {
    lastSeq: journal.lastSeq,
    notices,
    handle(request) {
      switch (request.type) {
        case 'cameras.list': return cameras.list();
        case 'cameras.put': return cameras.put(request.camera);
        case 'cameras.remove': return cameras.remove(request.id);
        case 'journal.append': return journal.append(request.rows, request.flights);
        case 'journal.list': return journal.list(request);
        case 'journal.transitions': return journal.transitions(request);
        case 'flights.find': return flights.find(request);
        case 'flights.remove': return cameras.removeFlights(request.camera);
        case 'close': journal.close(); settings.close(); return null;
        default: return request.type.startsWith('segments.') ? segments(request as SegmentRequest) : credentials(request as CredentialRequest);
      }
    },
  };
}

function connect(file: string, synchronous: 'FULL' | 'NORMAL'): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 1000 });
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA trusted_schema = OFF;`);
    if (synchronous === 'FULL') {
      chmodSync(file, 0o600);
      const verdict = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
      if (verdict.quick_check !== 'ok') throw Object.assign(new Error(verdict.quick_check), { errcode: 11 });
      migrate(db);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const isDamaged = (error: unknown) => [11, 26].includes(((error as { errcode?: number }).errcode ?? 0) & 0xff);

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

function moveAside(file: string): string {
  const target = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix);
  }
  return target;
}

function checkKey(db: DatabaseSync, cipher: Cipher, secretFile: string): void {
  const row = db.prepare('SELECT value FROM settings WHERE key = ?').get(keyCheck) as { value: string } | undefined;
  if (row === undefined) {
    db.prepare('INSERT INTO settings (key, value) VALUES (?, ?)').run(keyCheck, Buffer.from(cipher.seal(keyCheck, keyCheck)).toString('base64'));
    return;
  }
  try {
    cipher.open(Buffer.from(row.value, 'base64'), keyCheck);
  } catch (cause) {
    throw new Error(`The key in ${secretFile} is not the one the stored cameras were encrypted with. Put the right key file there, or move the data directory away.`, { cause });
  }
}

function camerasOf(db: DatabaseSync, cipher: Cipher) {
  const list = db.prepare('SELECT id, settings, addresses FROM cameras ORDER BY position, id');
  const put = db.prepare(`INSERT INTO cameras (id, position, settings, addresses) VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM cameras), ?, ?)
    ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, addresses = excluded.addresses`);
  const remove = db.prepare('DELETE FROM cameras WHERE id = ?');
  const removeFlights = db.prepare('DELETE FROM flights WHERE camera = ?');
  return {
    list: () => (list.all() as { id: string; settings: string; addresses: Uint8Array }[]).map((row): StoredCamera => {
      const addresses = JSON.parse(cipher.open(row.addresses, row.id)) as Pick<StoredCamera, 'url' | 'sub'>;
      return { ...(JSON.parse(row.settings) as Omit<StoredCamera, 'url'>), ...addresses, id: row.id };
    }),
    put({ url, sub, ...rest }: StoredCamera) {
      put.run(rest.id, JSON.stringify(rest), cipher.seal(JSON.stringify({ url, ...(sub === undefined ? {} : { sub }) }), rest.id));
      return null;
    },
    remove(id: string) {
      remove.run(id);
      removeFlights.run(id);
      return null;
    },
    removeFlights(id: string) {
      removeFlights.run(id);
      return null;
    },
  };
}

type JournalRow = { seq: number; at: number; camera: string; type: string; from_state: string | null; to_state: string | null; class: string | null; code: string | null; message: string; evidence: string | null; attempt: number | null; delay_ms: number | null; recording: number };

function journalOf(db: DatabaseSync, { rowsPerCamera, flights }: { rowsPerCamera: number; flights: Flights }) {
  const insert = db.prepare('INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const rowsWhere = (where: string) => db.prepare(`SELECT *, EXISTS (SELECT 1 FROM flights WHERE flights.seq = journal.seq) AS recording FROM journal
    WHERE ${where} seq < ? AND at >= ? AND at < ? AND (? OR class IS NOT NULL) AND (? IS NULL OR type = ? OR substr(type, 1, ?) = ?) ORDER BY seq DESC LIMIT ?`);
  const [list, listAll] = [rowsWhere('camera IN (SELECT value FROM json_each(?)) AND'), rowsWhere('')];
  const transitions = db.prepare(`SELECT at, type, to_state, class, evidence FROM journal WHERE camera = ? AND type IN ('camera.transition', 'lookout.started')
    AND seq >= coalesce((SELECT max(seq) FROM journal WHERE camera = ? AND type = 'camera.transition' AND at < ?), 0) ORDER BY seq`);
  const trim = db.prepare('DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE camera = ? ORDER BY seq LIMIT ?)');
  const trimAll = db.prepare('DELETE FROM journal WHERE seq IN (SELECT seq FROM journal ORDER BY seq LIMIT ?) RETURNING camera');
  const counted = db.prepare('SELECT camera, count(*) AS n FROM journal GROUP BY camera').all() as { camera: string; n: number }[];
  const counts = new Map(counted.map(({ camera, n }) => [camera, n]));
  const { last } = db.prepare('SELECT coalesce(max(seq), 0) AS last FROM journal').get() as { last: number };

  const write = (rows: EventView[], after: Map<string, number>) => {
    for (const row of rows) {
      const key = keyOf(row);
      const values: SQLInputValue[] = [row.seq, Date.parse(row.at), key, row.type, row.from, row.to, row.class, row.code, row.message, row.evidence, row.attempt, row.delayMs];
      insert.run(...values);
      after.set(key, (after.get(key) ?? 0) + 1);
    }
    for (const camera of new Set(rows.map(keyOf))) {
      const excess = (after.get(camera) ?? 0) - rowsPerCamera;
      if (excess > 0) after.set(camera, (after.get(camera) ?? 0) - Number(trim.run(camera, excess).changes));
    }
    const excess = [...after.values()].reduce((sum, n) => sum + n, 0) - journalRows;
    for (const { camera } of excess > 0 ? trimAll.all(excess) as { camera: string }[] : []) after.set(camera, (after.get(camera) ?? 1) - 1);
  };

  return {
    lastSeq: last,
    append(rows: EventView[], recordings: FlightRow[]) {
      const after = new Map(counts);
      db.exec('BEGIN IMMEDIATE');
      try {
        write(rows, after);
        flights.write(recordings);
        db.exec('COMMIT');
      } catch (error) {
        // SQLITE_FULL may have rolled back already, and then ROLLBACK itself is the error.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
      for (const [camera, n] of after) counts.set(camera, n);
      return null;
    },
    list({ cameras, query }: { cameras: string[] | null; query: EventQuery }) {
      const { kind = null, limit, before = Number.MAX_SAFE_INTEGER, from = 0, to = Number.MAX_SAFE_INTEGER, failures = false } = query;
      const group = `${kind ?? ''}.`;
      const rest: SQLInputValue[] = [before, from, to, failures ? 0 : 1, kind, kind, group.length, group, limit];
      return (cameras === null ? listAll.all(...rest) : list.all(JSON.stringify(cameras), ...rest) as unknown[]).map((row) => eventOf(row as JournalRow));
    },
    transitions: ({ camera, since }: { camera: string; since: number }) =>
      (transitions.all(camera, camera, since) as Pick<JournalRow, 'at' | 'type' | 'to_state' | 'class' | 'evidence'>[]).map(({ at, type, to_state, class: cls, evidence }): Transition => ({
        at, type, to: to_state, class: cls, awaySince: type === 'lookout.started' && evidence !== null ? Date.parse(evidence) : null,
      })),
    close: () => db.close(),
  };
}

const eventOf = ({ from_state, to_state, delay_ms, recording, camera: key, ...row }: JournalRow): EventView => ({
  ...row, ...labelOf(key), at: new Date(row.at).toISOString(), class: row.class as FailureClass | null, from: from_state, to: to_state, delayMs: delay_ms, recording: recording === 1,
});

/** The column `camera` holds the key of a stream. */
const labelOf = (key: string): Pick<EventView, 'camera' | 'stream'> => {
  const { camera, stream } = streamOfKey(key);
  return stream === 'sub' ? { camera, stream } : { camera };
};
