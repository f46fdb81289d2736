/** The tables, as a list of migrations: `user_version` of the database says how many of them it has. */
import type { DatabaseSync } from 'node:sqlite';

const migrations = [
  `CREATE TABLE cameras (
     id TEXT PRIMARY KEY,
     position INTEGER NOT NULL,
     settings TEXT NOT NULL,       -- JSON without addresses
     addresses BLOB NOT NULL       -- sealed JSON {url, sub}
   ) STRICT;
   CREATE TABLE journal (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,          -- ms since the epoch
     camera TEXT NOT NULL,         -- key of the stream (src/streams.ts)
     type TEXT NOT NULL,
     from_state TEXT, to_state TEXT, class TEXT, code TEXT,
     message TEXT NOT NULL,
     evidence TEXT, attempt INTEGER, delay_ms INTEGER
   ) STRICT;
   CREATE INDEX journal_by_camera ON journal (camera, seq);
   CREATE TABLE tokens (hash TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL) STRICT;
   CREATE TABLE sessions (hash TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
   CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  `CREATE TABLE flights (
     seq INTEGER PRIMARY KEY,      -- of the journal row
     camera TEXT NOT NULL,         -- key of the stream
     head BLOB NOT NULL,           -- deflated JSON
     runs BLOB NOT NULL            -- deflated
   ) STRICT;
   CREATE INDEX flights_by_camera ON flights (camera, seq);`,
  // Tokens get a name for the outside (id), an end and a list of cameras; sessions remember the token they came from.
  `CREATE TABLE tokens_new (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL UNIQUE,
     role TEXT NOT NULL,
     cameras TEXT,                 -- JSON list of ids; null: all of them
     created_at INTEGER NOT NULL,
     expires_at INTEGER            -- null: never
   ) STRICT;
   INSERT INTO tokens_new (id, hash, name, role, created_at) SELECT lower(hex(randomblob(8))), hash, name, role, unixepoch() * 1000 FROM tokens;
   DROP TABLE tokens;
   ALTER TABLE tokens_new RENAME TO tokens;
   ALTER TABLE sessions ADD COLUMN cameras TEXT;
   ALTER TABLE sessions ADD COLUMN token TEXT;`,
  `CREATE TABLE segments (
     id TEXT PRIMARY KEY,          -- camera and start, so that an index built anew has the same ids
     camera TEXT NOT NULL,
     path TEXT NOT NULL UNIQUE,    -- below the directory of recordings
     start_at INTEGER NOT NULL,    -- ms since the epoch
     end_at INTEGER,               -- null while it is being written
     duration_ms INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     frames INTEGER NOT NULL,
     codec TEXT, width INTEGER, height INTEGER,
     closed INTEGER NOT NULL,
     gap_before TEXT               -- JSON
   ) STRICT;
   CREATE INDEX segments_by_camera ON segments (camera, start_at);
   CREATE INDEX segments_by_start ON segments (start_at);`,
  'ALTER TABLE segments ADD COLUMN sound TEXT;', // codec; null: none, or entered before there was this column
] as const;

/** Brings a database up to date; each step is one transaction. Throws for a database of a newer program. */
export function migrate(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (row.user_version > migrations.length) {
    throw new Error(`The database was written by a newer Lookout (schema ${row.user_version}, this one knows ${migrations.length}).`);
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < row.user_version) continue;
    db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
