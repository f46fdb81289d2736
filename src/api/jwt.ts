/** Tokens of an outside issuer (JWT, RFC 7519), checked with the keys that it publishes (JWKS, RFC 7517). */
import { createLocalJWKSet, errors, jwtVerify, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters, type JWTPayload } from 'jose';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Role } from '../store/types.ts';
import { hashToken, type Identity } from './auth.ts';

/** Checks tokens of one issuer. */
export type JwtVerifier = {
  /** True where a text has the form of such a token; ours never has. */
  speaks(text: string): boolean;
  /** Who it is. Throws `LOOKOUT_UNAUTHENTICATED` with the reason, `LOOKOUT_ISSUER_UNAVAILABLE` where there are no keys to check with. */
  identify(text: string): Promise<Identity>;
};

/** Signatures by the issuer's private key alone: with HMAC, whoever knows the public key could sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const roles: readonly Role[] = ['admin', 'operator', 'viewer'];
/** Keys are fetched again after this; while the issuer does not answer, those that are there go on. */
const freshMs = 600_000;
/** Between two fetches, however many tokens name a key that nobody knows. */
const cooldownMs = 30_000;
const fetchMs = 5000;
const clockSkewSeconds = 30;
const camerasMost = 1000;

/** Makes the verifier; undefined where no issuer is configured. */
export function createJwtVerifier(config: Config['auth']['jwt'], log: Log): JwtVerifier | undefined {
  const { issuer, audience, jwksUrl } = config;
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) return undefined;
  const keys = createKeyRing(jwksUrl, log);
  return {
    speaks: (text) => /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/u.test(text),
    async identify(text) {
      try {
        const { payload } = await jwtVerify(text, keys, { issuer, audience, algorithms, clockTolerance: clockSkewSeconds, requiredClaims: ['exp', 'sub'] });
        return identityOf(payload, text, config);
      } catch (error) {
        throw error instanceof errors.JOSEError ? refused(reasonOf(error)) : error;
      }
    },
  };
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The issuer's keys: fetched when first needed, when old, and when a token names one that is not among them. */
function createKeyRing(url: string, log: Log) {
  let keys: KeySet | undefined;
  let fetchedAt = -Infinity;
  let triedAt = -Infinity;
  let running: Promise<void> | undefined;
  const load = async (): Promise<void> => {
    triedAt = Date.now();
    try {
      // A redirect could lead to whoever can write to any page of the issuer.
      const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(fetchMs), headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
      fetchedAt = Date.now();
    } catch (error) {
      log.warn({ err: error, known: keys !== undefined }, 'the keys of the token issuer cannot be fetched');
    }
  };
  /** One fetch at a time, whoever waits for it. */
  const refresh = (): Promise<void> => (running ??= load().finally(() => (running = undefined)));
  const mayTry = (): boolean => running !== undefined || Date.now() - triedAt >= cooldownMs;

  return async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    // Without any key every request tries: the issuer may be back.
    if (keys === undefined || (Date.now() - fetchedAt >= freshMs && mayTry())) await refresh();
    if (keys === undefined) throw new LookoutError('LOOKOUT_ISSUER_UNAVAILABLE');
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !mayTry()) throw error;
      await refresh();
      return keys(header, token);
    }
  };
}

function identityOf(payload: JWTPayload, text: string, { roleClaim, camerasClaim }: Config['auth']['jwt']): Identity {
  const { iss = '', sub = '', exp = 0 } = payload;
  const given = [claimOf(payload, roleClaim)].flat();
  const role = roles.find((name) => given.includes(name));
  if (role === undefined) throw refused(`It has none of the roles ${roles.join(', ')} in its claim "${roleClaim}".`);
  const cameras = camerasOf(claimOf(payload, camerasClaim), camerasClaim);
  if (cameras !== null && role !== 'viewer') throw refused(`It is limited to cameras by its claim "${camerasClaim}", and only a viewer can be.`);
  return { name: `jwt:${sub.slice(0, 128)}`, role, cameras, via: 'token', key: hashToken(text), token: `jwt:${hashToken(`${iss} ${sub}`)}`, expiresAt: (exp + clockSkewSeconds) * 1000 };
}

/** A claim by its name, or by its path (`realm_access.roles`) where no claim has that name. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((node, key) => (typeof node === 'object' && node !== null && Object.hasOwn(node, key) ? (node as Record<string, unknown>)[key] : undefined), payload);
}

/** Null for all. Anything that is no list of names is refused: a limit must not be lost by a typing error. */
function camerasOf(claim: unknown, name: string): string[] | null {
  if (claim === undefined) return null;
  if (!Array.isArray(claim) || claim.length > camerasMost || !claim.every((id) => typeof id === 'string')) throw refused(`Its claim "${name}" is not a list of camera ids.`);
  return claim as string[];
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'It has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) return `Its claim "${error.claim}" is missing or not the one expected.`;
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer has no key that it names.';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'Its signature algorithm is not accepted.';
  return 'Its form or signature is wrong.';
}

const refused = (why: string) => new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: `This token is not valid. ${why}` });
