/** Who is asking: tokens and sessions, hashed at rest, kept in memory for a moment so that a slow disk locks nobody out. */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Grant, Role, Store, StoredToken } from '../store/types.ts';
import type { JwtVerifier } from './jwt.ts';
import { createGuessLimit, isRefusal } from './limits.ts';

/** Somebody who is logged in. `key` names the credential without giving it away; sockets are closed by it. */
export type Identity = Grant & {
  via: 'token' | 'session';
  key: string;
  /** The token it goes back to. */
  token: string;
  expiresAt: number;
};

/** The credentials one request carries. */
export type Credentials = { authorization?: string | undefined; session?: string | undefined; token?: string | undefined; address: string };

/** Checks credentials and keeps sessions. */
export type Auth = {
  /** Undefined where there is no credential; throws `LOOKOUT_UNAUTHENTICATED` for a wrong one, `LOOKOUT_RATE_LIMITED` for too many. */
  identify(credentials: Credentials): Promise<Identity | undefined>;
  /** Exchanges a token for a session. */
  login(token: string, address: string): Promise<{ session: string; identity: Identity }>;
  logout(identity: Identity): Promise<void>;
  /** Makes a token; its text is told here and never again. Throws `LOOKOUT_TOKEN_EXISTS`. */
  createToken(request: Grant & { expiresAt: number | null }): Promise<{ token: StoredToken; text: string }>;
  tokens(): Promise<StoredToken[]>;
  /** Ends a token, its sessions and whatever they hold open, at once. Throws `LOOKOUT_TOKEN_NOT_FOUND`. */
  revokeToken(id: string): Promise<StoredToken>;
  /** Hears of every credential that ended before its time. */
  onEnd(listener: (key: string) => void): void;
};

/** Name of the session cookie. */
export const sessionCookie = 'lookout_session';

const memoryMs = 30_000;
const memoryEntries = 2000;
/** Of the tokens we look at: those of an outside issuer carry their claims. */
export const longestToken = 8192;
/** In front of tokens made here, so that they are recognised in logs and by scanners for leaked secrets. */
const tokenPrefix = 'lookout_';
/** Tokens of ours, which every start makes or replaces. */
const ownNames = ['admin', 'login-link'];
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

/** Makes the authentication of one program; with `jwt`, tokens of an outside issuer are good, too. */
export function createAuth(options: { store: Store; config: Pick<Config, 'api'>; jwt?: JwtVerifier | undefined }): Auth {
  const { store, config, jwt } = options;
  const known = new Map<string, { identity: Identity; until: number }>();
  const limit = createGuessLimit(config.api.loginsPerMinute);
  const listeners: ((key: string) => void)[] = [];

  const remember = (identity: Identity) => {
    if (known.size >= memoryEntries) known.delete(known.keys().next().value ?? '');
    known.set(`${identity.via}:${identity.key}`, { identity, until: Date.now() + memoryMs });
    return identity;
  };
  const forget = (key: string) => {
    for (const via of ['token', 'session']) known.delete(`${via}:${key}`);
    for (const listener of listeners) listener(key);
  };
  const look = async (via: Identity['via'], key: string): Promise<Identity | undefined> => {
    const found = await stored(via, key);
    return found !== undefined && found.expiresAt > Date.now() ? found : undefined;
  };
  const stored = async (via: Identity['via'], key: string): Promise<Identity | undefined> => {
    if (via === 'token') {
      const found = await store.tokens.find(key);
      return found && { name: found.name, role: found.role, cameras: found.cameras, via, key, token: found.id, expiresAt: found.expiresAt ?? Infinity };
    }
    const found = await store.sessions.find(key);
    return found && { ...found, via, key };
  };

  const find = async (via: Identity['via'], secret: string, address: string): Promise<Identity> => {
    const key = hashToken(secret);
    const now = Date.now();
    const hit = known.get(`${via}:${key}`);
    const valid = hit !== undefined && hit.identity.expiresAt > now;
    if (valid && hit.until > now) return hit.identity;
    const seek = () => (via === 'token' && jwt?.speaks(secret) === true ? jwt.identify(secret) : look(via, key));
    try {
      // What was right a moment ago is no guess.
      const found = valid ? await seek() : await limit.guess(address, seek);
      if (found !== undefined) return remember(found);
    } catch (error) {
      // The store is down: who was let in before stays in, for operating through a full disk is when it matters.
      if (valid && known.has(`${via}:${key}`) && !isRefusal(error)) return hit.identity;
      known.delete(`${via}:${key}`);
      throw error;
    }
    known.delete(`${via}:${key}`);
    throw new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: via === 'token' ? 'This token is not valid.' : 'The session has ended. Log in again.' });
  };

  return {
    async identify({ authorization, session, token, address }) {
      const bearer = /^Bearer +(\S+)$/iu.exec(authorization ?? '')?.[1] ?? token;
      if (bearer !== undefined) return find('token', bearer, address);
      if (session !== undefined && session !== '') return find('session', session, address);
      return undefined;
    },
    async login(text, address) {
      const { name, role, cameras, token, expiresAt: tokenEnd } = await find('token', text, address);
      const session = makeToken();
      const expiresAt = Math.min(tokenEnd, Date.now() + config.api.sessionHours * 3_600_000);
      await store.sessions.put({ hash: hashToken(session), name, role, cameras, token, expiresAt });
      return { session, identity: remember({ name, role, cameras, token, via: 'session', key: hashToken(session), expiresAt }) };
    },
    async logout(identity) {
      if (identity.via === 'session') await store.sessions.remove(identity.key);
      forget(identity.key);
    },
    async createToken(request) {
      const text = `${tokenPrefix}${makeToken()}`;
      const token: StoredToken = { id: randomUUID(), createdAt: Date.now(), ...request };
      const made = !ownNames.includes(request.name) && await store.tokens.add({ ...token, hash: hashToken(text) });
      if (!made) throw new LookoutError('LOOKOUT_TOKEN_EXISTS', { message: `A token with the name "${request.name}" exists already.` });
      return { token, text };
    },
    tokens: () => store.tokens.list(),
    async revokeToken(id) {
      const removed = await store.tokens.remove(id);
      if (removed === undefined) throw new LookoutError('LOOKOUT_TOKEN_NOT_FOUND');
      for (const key of removed.hashes) forget(key);
      // Sessions of an earlier version do not name their token, and the memory may know some that the disk forgot.
      for (const { identity } of [...known.values()]) if (identity.token === id) forget(identity.key);
      return removed.token;
    },
    onEnd: (listener) => void listeners.push(listener),
  };
}
