/** Statements of tokens, sessions and settings. Runs in the store's thread only. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { StoreRequest } from './requests.ts';
import type { Role, StoredSession, StoredToken } from './types.ts';

/** The requests that are answered here. */
export type CredentialRequest = Extract<StoreRequest, { type: `tokens.${string}` | `sessions.${string}` | `settings.${string}` }>;

type TokenRow = { id: string; name: string; role: Role; cameras: string | null; createdAt: number; expiresAt: number | null };
type SessionRow = { name: string; role: Role; cameras: string | null; token: string | null; expiresAt: number };

/** Prepares the statements; the function answers one request. */
export function credentialsOf(db: DatabaseSync): (request: CredentialRequest) => unknown {
  const tokens = tokensOf(db);
  const sessions = sessionsOf(db);
  const getSetting = db.prepare('SELECT value FROM settings WHERE key = ?');
  const putSetting = db.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)');
  return (request) => {
    switch (request.type) {
      case 'tokens.put': return tokens.put(request);
      case 'tokens.add': return tokens.add(request.token);
      case 'tokens.find': return tokens.find(request.hash);
      case 'tokens.list': return tokens.list();
      case 'tokens.has': return tokens.has(request.id);
      case 'tokens.remove': return tokens.remove(request.id);
      case 'sessions.put': return sessions.put(request.session);
      case 'sessions.find': return sessions.find(request.hash);
      case 'sessions.remove': return sessions.remove(request.hash);
      case 'settings.get': return (getSetting.get(request.key) as { value: string } | undefined)?.value;
      case 'settings.put': putSetting.run(request.key, request.value); return null;
    }
  };
}

function tokensOf(db: DatabaseSync) {
  const columns = 'id, name, role, cameras, created_at AS createdAt, expires_at AS expiresAt';
  const put = db.prepare(`INSERT INTO tokens (id, hash, name, role, created_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, role = excluded.role, cameras = NULL, expires_at = NULL`);
  // A configured token may be the text of one that was made here; one text stands for one name.
  const giveWay = db.prepare('DELETE FROM tokens WHERE hash = ? AND name <> ?');
  const add = db.prepare('INSERT INTO tokens (id, hash, name, role, cameras, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const find = db.prepare(`SELECT ${columns} FROM tokens WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)`);
  const list = db.prepare(`SELECT ${columns} FROM tokens ORDER BY created_at, name`);
  const has = db.prepare('SELECT 1 FROM tokens WHERE id = ?');
  const remove = db.prepare(`DELETE FROM tokens WHERE id = ? RETURNING ${columns}, hash`);
  const removeSessions = db.prepare('DELETE FROM sessions WHERE token = ? RETURNING hash');
  return {
    put({ hash, name, role }: { hash: string; name: string; role: Role }) {
      giveWay.run(hash, name);
      put.run(randomUUID(), hash, name, role, Date.now());
      return null;
    },
    add: ({ id, hash, name, role, cameras, createdAt, expiresAt }: StoredToken & { hash: string }): boolean =>
      add.run(id, hash, name, role, cameras === null ? null : JSON.stringify(cameras), createdAt, expiresAt).changes > 0,
    find: (hash: string) => tokenOf(find.get(hash, Date.now()) as TokenRow | undefined),
    has: (id: string): boolean => has.get(id) !== undefined,
    list: () => (list.all() as TokenRow[]).map((row) => tokenOf(row)),
    remove(id: string) {
      const row = remove.get(id) as (TokenRow & { hash: string }) | undefined;
      if (row === undefined) return undefined;
      const sessions = removeSessions.all(id) as { hash: string }[];
      return { token: tokenOf(row), hashes: [row.hash, ...sessions.map(({ hash }) => hash)] };
    },
  };
}

function sessionsOf(db: DatabaseSync) {
  const put = db.prepare('INSERT OR REPLACE INTO sessions (hash, name, role, cameras, token, expires_at) VALUES (?, ?, ?, ?, ?, ?)');
  const find = db.prepare('SELECT name, role, cameras, token, expires_at AS expiresAt FROM sessions WHERE hash = ? AND expires_at > ?');
  const remove = db.prepare('DELETE FROM sessions WHERE hash = ? OR expires_at <= ?');
  return {
    put({ hash, name, role, cameras, token, expiresAt }: StoredSession & { hash: string }) {
      put.run(hash, name, role, cameras === null ? null : JSON.stringify(cameras), token, expiresAt);
      remove.run('', Date.now());
      return null;
    },
    find(hash: string): StoredSession | undefined {
      const row = find.get(hash, Date.now()) as SessionRow | undefined;
      return row && { name: row.name, role: row.role, cameras: listOf(row.cameras), token: row.token ?? '', expiresAt: row.expiresAt };
    },
    remove(hash: string) {
      remove.run(hash, Date.now());
      return null;
    },
  };
}

/** node:sqlite rows have no prototype, which surprises comparisons on the other side: they are copied field by field. */
function tokenOf<R extends TokenRow | undefined>(row: R): R extends undefined ? StoredToken | undefined : StoredToken {
  type Answer = R extends undefined ? StoredToken | undefined : StoredToken;
  if (row === undefined) return undefined as Answer;
  const { id, name, role, cameras, createdAt, expiresAt } = row;
  return { id, name, role, cameras: listOf(cameras), createdAt, expiresAt } as Answer;
}

const listOf = (cameras: string | null): string[] | null => (cameras === null ? null : JSON.parse(cameras) as string[]);
