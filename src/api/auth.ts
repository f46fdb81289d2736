/** Who is asking: tokens and sessions, hashed at rest, kept in memory for a moment so that a slow disk locks nobody out. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Role, Store } from '../store/types.ts';

/** Somebody who is logged in. `key` names the credential without giving it away; sockets are closed by it. */
export type Identity = { name: string; role: Role; via: 'token' | 'session'; key: string; expiresAt: number };

/** The credentials one request carries. */
export type Credentials = { authorization?: string | undefined; session?: string | undefined; token?: string | undefined; address: string };

/** Checks credentials and keeps sessions. */
export type Auth = {
  /** Undefined where there is no credential; throws `LOOKOUT_UNAUTHENTICATED` for a wrong one, `LOOKOUT_RATE_LIMITED` for too many. */
  identify(credentials: Credentials): Promise<Identity | undefined>;
  /** Exchanges a token for a session. */
  login(token: string, address: string): Promise<{ session: string; identity: Identity }>;
  logout(identity: Identity): Promise<void>;
  /** Hears of every session that ended before its time. */
  onLogout(listener: (key: string) => void): void;
};

/** Name of the session cookie. */
export const sessionCookie = 'lookout_session';

const memoryMs = 30_000;
const memoryEntries = 2000;
const attemptEntries = 10_000;
const ranks: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** True where a role includes another. */
export const includesRole = (has: Role, needs: Role) => ranks[has] >= ranks[needs];

/** SHA-256, as tokens and sessions are stored. */
export const hashToken = (token: string) => createHash('sha256').update(token).digest('hex');

/** Compares two texts in constant time, whatever their lengths. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

const makeToken = () => randomBytes(24).toString('base64url');

/**
 * Sees to it that there is a way in. The admin token is `token` of the configuration, or one made at first start; it
 * is stored hashed, so no later start can tell it again. The link printed at start therefore carries a token of its
 * own that is replaced at every start; both open the API as admin. A restart by the guardian is no new start: it hands
 * the same `linkToken` to all its supervisors.
 */
export async function ensureAdminToken(options: { store: Store; config: Pick<Config, 'token'>; linkToken?: string | undefined }): Promise<{ token: string; firstStart: boolean }> {
  const { store, config } = options;
  const made = (await store.settings.get('admin.token')) ?? 'none';
  const token = options.linkToken ?? makeToken();
  if (config.token !== undefined) {
    await store.tokens.put({ name: 'admin', role: 'admin', hash: hashToken(config.token) });
    await store.settings.put('admin.token', 'configured');
  } else if (made !== 'made') {
    await store.tokens.put({ name: 'admin', role: 'admin', hash: hashToken(token) });
    await store.settings.put('admin.token', 'made');
    return { token, firstStart: true };
  }
  // Of an earlier start: it may be the admin token itself, whose name it must keep.
  if (await store.tokens.find(hashToken(token)) !== undefined) return { token, firstStart: false };
  await store.tokens.put({ name: 'login-link', role: 'admin', hash: hashToken(token) });
  return { token, firstStart: false };
}

/** Makes the authentication of one program. */
export function createAuth(options: { store: Store; config: Pick<Config, 'api'> }): Auth {
  const { store, config } = options;
  const known = new Map<string, { identity: Identity; until: number }>();
  const failures = createFailureLimit(config.api.loginsPerMinute);
  const listeners: ((key: string) => void)[] = [];

  const remember = (identity: Identity) => {
    if (known.size >= memoryEntries) known.delete(known.keys().next().value ?? '');
    known.set(`${identity.via}:${identity.key}`, { identity, until: Date.now() + memoryMs });
    return identity;
  };

  const find = async (via: Identity['via'], secret: string, address: string): Promise<Identity> => {
    const key = hashToken(secret);
    const hit = known.get(`${via}:${key}`);
    const now = Date.now();
    if (hit !== undefined && hit.until > now && hit.identity.expiresAt > now) return hit.identity;
    failures.check(address);
    try {
      const found = via === 'token' ? await store.tokens.find(key) : await store.sessions.find(key);
      if (found !== undefined) return remember({ name: found.name, role: found.role, via, key, expiresAt: 'expiresAt' in found ? found.expiresAt as number : Infinity });
    } catch (error) {
      // The store is down: who was let in before stays in, for operating through a full disk is when it matters.
      if (hit !== undefined && hit.identity.expiresAt > now) return hit.identity;
      throw error;
    }
    known.delete(`${via}:${key}`);
    failures.count(address);
    throw new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: via === 'token' ? 'This token is not valid.' : 'The session has ended. Log in again.' });
  };

  return {
    async identify({ authorization, session, token, address }) {
      const bearer = /^Bearer +(\S+)$/iu.exec(authorization ?? '')?.[1] ?? token;
      if (bearer !== undefined) return find('token', bearer, address);
      if (session !== undefined && session !== '') return find('session', session, address);
      return undefined;
    },
    async login(token, address) {
      const { name, role } = await find('token', token, address);
      const session = makeToken();
      const expiresAt = Date.now() + config.api.sessionHours * 3_600_000;
      await store.sessions.put({ hash: hashToken(session), name, role, expiresAt });
      return { session, identity: remember({ name, role, via: 'session', key: hashToken(session), expiresAt }) };
    },
    async logout(identity) {
      known.delete(`${identity.via}:${identity.key}`);
      if (identity.via === 'session') await store.sessions.remove(identity.key);
      for (const listener of listeners) listener(identity.key);
    },
    onLogout: (listener) => void listeners.push(listener),
  };
}

/** Wrong credentials of one address within a minute; the book is bounded, its oldest entries go first. */
function createFailureLimit(perMinute: number): { check(address: string): void; count(address: string): void } {
  const windows = new Map<string, { since: number; failures: number }>();
  const current = (address: string) => {
    const entry = windows.get(address);
    return entry !== undefined && performance.now() - entry.since < 60_000 ? entry : undefined;
  };
  return {
    check(address) {
      if ((current(address)?.failures ?? 0) >= perMinute) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: 'Too many wrong tokens from your address. Wait a minute.' });
    },
    count(address) {
      const entry = current(address) ?? { since: performance.now(), failures: 0 };
      entry.failures += 1;
      windows.delete(address);
      if (windows.size >= attemptEntries) windows.delete(windows.keys().next().value ?? '');
      windows.set(address, entry);
    },
  };
}
