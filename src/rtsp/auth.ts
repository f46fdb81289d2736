/** RTSP authentication, both sides: Basic (RFC 7617) and Digest with MD5 and SHA-256 (RFC 2617, RFC 7616). */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** User name and password. */
export type Credentials = { username: string; password: string };

/** Digest algorithm as it is written on the wire. */
export type DigestAlgorithm = 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess';

/** What a server asks for. `qop` undefined is RFC 2069's form, which many cameras still use. */
export type Challenge =
  | { scheme: 'basic'; realm: string }
  | { scheme: 'digest'; realm: string; nonce: string; algorithm: DigestAlgorithm; qop: 'auth' | undefined; opaque: string | undefined; stale: boolean };

type DigestChallenge = Extract<Challenge, { scheme: 'digest' }>;

const algorithms: readonly DigestAlgorithm[] = ['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess'];
const parameter = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*,?\s*/iuy;
const schemeName = /\s*([a-z][a-z0-9-]*)(?:\s+|$)(?!=)/iuy;

/**
 * Parses the values of `WWW-Authenticate`: one header with several challenges, several headers, quoted or bare values.
 * Unknown schemes, algorithms and qops we cannot answer are left out.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap((value) => parseSchemes(value)).flatMap(({ scheme, parameters }) => toChallenge(scheme, parameters) ?? []);
}

/** The strongest challenge: SHA-256 before MD5 before Basic. */
export function strongest(challenges: readonly Challenge[]): Challenge | undefined {
  const rank = (challenge: Challenge): number => (challenge.scheme === 'basic' ? 0 : challenge.algorithm.startsWith('SHA-256') ? 2 : 1);
  return challenges.toSorted((a, b) => rank(b) - rank(a))[0];
}

/** What is authorised. `uri` must be the request line's; `nonceCount` counts the uses of one nonce from 1. */
export type AuthorizeInput = { credentials: Credentials; method: string; uri: string; nonceCount?: number; cnonce?: string };

/** The value of `Authorization` that answers a challenge. */
export function authorize(challenge: Challenge, input: AuthorizeInput): string {
  const { username, password } = input.credentials;
  if (challenge.scheme === 'basic') return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  const nc = (input.nonceCount ?? 1).toString(16).padStart(8, '0');
  const cnonce = input.cnonce ?? randomBytes(12).toString('hex');
  const { realm, nonce, algorithm, qop, opaque } = challenge;
  const response = digest({ ...challenge, ...input.credentials, method: input.method, uri: input.uri, nc, cnonce });
  const fields = [`username=${quote(username)}`, `realm=${quote(realm)}`, `nonce=${quote(nonce)}`, `uri=${quote(input.uri)}`, `response="${response}"`];
  // Old firmware stumbles over parameters it does not know: algorithm is left out where it is the default.
  if (algorithm !== 'MD5') fields.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`);
  if (qop !== undefined) fields.push(`qop=${qop}`, `nc=${nc}`);
  if (qop !== undefined || algorithm.endsWith('-sess')) fields.push(`cnonce="${cnonce}"`);
  return `Digest ${fields.join(', ')}`;
}

/** What a server demands. */
export type VerifierOptions = { scheme: 'basic' | 'digest-md5' | 'digest-sha256'; realm: string; credentials: Credentials; qop?: 'auth' | 'none' };

/** The server's side: makes challenges, judges answers. */
export type Verifier = {
  /** Value of `WWW-Authenticate`. */
  challenge(options?: { stale?: boolean }): string;
  /** `stale`: right answer to a nonce that is not ours any more; challenge again with `stale`. */
  verify(authorization: string | undefined, method: string): 'ok' | 'stale' | 'denied';
};

const nonceLifeMs = 5 * 60_000;

/** Makes a {@link Verifier}. Nonces carry their birth time, signed with a key of this process: nothing is stored. */
export function createVerifier(options: VerifierOptions): Verifier {
  const key = randomBytes(32);
  const sign = (time: string): string => createHmac('sha256', key).update(time).digest('hex').slice(0, 24);
  const fresh = (nonce: string): boolean => {
    const [time = '', mac = ''] = nonce.split('.');
    return equal(sign(time), mac) && Date.now() - Number.parseInt(time, 16) < nonceLifeMs;
  };
  const algorithm: DigestAlgorithm = options.scheme === 'digest-sha256' ? 'SHA-256' : 'MD5';
  const qop = options.qop === 'none' ? undefined : 'auth';

  return {
    challenge({ stale = false } = {}) {
      if (options.scheme === 'basic') return `Basic realm=${quote(options.realm)}`;
      const time = Date.now().toString(16);
      const fields = [`realm=${quote(options.realm)}`, `nonce="${time}.${sign(time)}"`, `algorithm=${algorithm}`];
      if (qop) fields.push(`qop="${qop}"`);
      if (stale) fields.push('stale=TRUE');
      return `Digest ${fields.join(', ')}`;
    },
    verify(authorization, method) {
      const offered = parseSchemes(authorization ?? '')[0];
      if (!offered) return 'denied';
      if (options.scheme === 'basic') return offered.scheme === 'basic' && equal(authorization ?? '', authorize({ scheme: 'basic', realm: '' }, { credentials: options.credentials, method, uri: '' })) ? 'ok' : 'denied';
      if (offered.scheme !== 'digest') return 'denied';
      const given = offered.parameters;
      const { nonce = '', response = '', uri = '', cnonce = '', nc = '' } = given;
      if (given['username'] !== options.credentials.username || given['realm'] !== options.realm) return 'denied';
      const expected = digest({ realm: options.realm, nonce, algorithm, qop: given['qop'] === undefined ? undefined : 'auth', ...options.credentials, method, uri, nc, cnonce });
      if (!equal(expected, response.toLowerCase())) return 'denied';
      return fresh(nonce) ? 'ok' : 'stale';
    },
  };
}

type DigestInput = Pick<DigestChallenge, 'realm' | 'nonce' | 'algorithm' | 'qop'> & Credentials & { method: string; uri: string; nc: string; cnonce: string };

function digest(input: DigestInput): string {
  const hash = (text: string): string => createHash(input.algorithm.startsWith('SHA-256') ? 'sha256' : 'md5').update(text, 'utf8').digest('hex');
  const plain = hash(`${input.username}:${input.realm}:${input.password}`);
  const a1 = input.algorithm.endsWith('-sess') ? hash(`${plain}:${input.nonce}:${input.cnonce}`) : plain;
  const a2 = hash(`${input.method}:${input.uri}`);
  if (input.qop === undefined) return hash(`${a1}:${input.nonce}:${a2}`);
  return hash(`${a1}:${input.nonce}:${input.nc}:${input.cnonce}:${input.qop}:${a2}`);
}

type Scheme = { scheme: string; parameters: Record<string, string> };

/** Splits a header value at scheme names; a comma inside quotes belongs to the value. */
function parseSchemes(value: string): Scheme[] {
  const schemes: Scheme[] = [];
  let at = 0;
  while (at < value.length) {
    schemeName.lastIndex = at;
    const name = schemeName.exec(value)?.[1];
    if (name === undefined) break;
    at = schemeName.lastIndex;
    const parameters: Record<string, string> = {};
    for (;;) {
      parameter.lastIndex = at;
      const match = parameter.exec(value);
      if (!match) break;
      at = parameter.lastIndex;
      parameters[(match[1] ?? '').toLowerCase()] ??= match[2]?.replace(/\\(.)/gu, '$1') ?? match[3] ?? '';
    }
    schemes.push({ scheme: name.toLowerCase(), parameters });
  }
  return schemes;
}

function toChallenge(scheme: string, parameters: Record<string, string>): Challenge | undefined {
  const realm = parameters['realm'] ?? '';
  if (scheme === 'basic') return { scheme, realm };
  const nonce = parameters['nonce'];
  if (scheme !== 'digest' || nonce === undefined) return undefined;
  const wanted = (parameters['algorithm'] ?? 'MD5').toLowerCase();
  const algorithm = algorithms.find((known) => known.toLowerCase() === wanted);
  const qops = parameters['qop']?.split(',').map((qop) => qop.trim().toLowerCase()).filter((qop) => qop !== '');
  if (!algorithm || (qops && qops.length > 0 && !qops.includes('auth'))) return undefined;
  return {
    scheme, realm, nonce, algorithm,
    qop: qops && qops.length > 0 ? 'auth' : undefined,
    opaque: parameters['opaque'],
    stale: parameters['stale']?.toLowerCase() === 'true',
  };
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/gu, '\\$&')}"`;
}

function equal(a: string, b: string): boolean {
  const left = createHash('sha256').update(a).digest();
  const right = createHash('sha256').update(b).digest();
  return timingSafeEqual(left, right);
}
