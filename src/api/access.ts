/** The guard in front of every route: role, session cookie, and no request forged by another page. */
import '@fastify/cookie';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Role } from '../store/types.ts';
import { includesRole, sameText, sessionCookie, type Auth, type Identity } from './auth.ts';

/** What a route asks for: a role, nobody in particular, or the secret of other programs of the installation. */
export type RouteRole = Role | 'public' | 'internal';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has one; a route without it does not start. */
    role?: RouteRole;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** True where an `Origin` is the page's own or one the configuration allows. `host` is the `Host` header. */
export function isAllowedOrigin(origin: string, host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}

/** Puts the guard in front of every route that is registered from now on. `@fastify/cookie` must be there. */
export function installAccess(app: FastifyInstance, { auth, config }: { auth: Auth; config: Config }): void {
  const routes: RouteOptions[] = [];
  app.decorateRequest('identity', null);
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = routes.filter((route) => route.config?.role === undefined).map((route) => `${String(route.method)} ${route.url}`);
    if (open.length > 0) throw new Error(`routes without a role: ${open.join(', ')}`);
  });
  app.addHook('onRequest', async (request) => {
    // Unknown routes have no configuration; their 404 tells nothing.
    const role = request.is404 ? 'public' : request.routeOptions.config.role;
    if (role === 'public') return;
    if (role === 'internal') return checkInternal(request, config.internalSecret);
    request.identity = (await auth.identify(credentialsOf(request))) ?? null;
    if (request.identity === null) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
    if (role === undefined || !includesRole(request.identity.role, role)) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: `This needs the role ${role ?? 'admin'}; yours is ${request.identity.role}.` });
    if (request.identity.via === 'session' && !safeMethods.has(request.method)) checkOrigin(request, config.api.origins);
  });
}

function credentialsOf(request: FastifyRequest) {
  return {
    authorization: request.headers.authorization,
    session: request.cookies[sessionCookie],
    address: request.ip,
  };
}

function checkInternal(request: FastifyRequest, secret: string | undefined): void {
  if (secret === undefined) throw new LookoutError('LOOKOUT_ROUTE_NOT_FOUND');
  const given = request.headers['x-internal-auth'];
  if (typeof given !== 'string' || !sameText(given, secret)) throw new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: 'X-Internal-Auth is missing or wrong.' });
}

/** A browser sends the cookie along with whatever page asks; only our own page, or one allowed, may change things. */
export function checkOrigin(request: FastifyRequest, allowed: readonly string[]): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  const fine = origin === undefined ? site === 'same-origin' : isAllowedOrigin(origin, host, allowed);
  if (!fine) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: 'With a session cookie, changes are accepted from Lookout\'s own page only. Programs use a bearer token.' });
}
