/** The guard in front of every route: role, session cookie, and no request forged by another page. */
import '@fastify/cookie';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { RouteRole } from './access-table.ts';
import { includesRole, sameText, sessionCookie, type Auth, type Identity } from './auth.ts';
import { isLink, type Links } from './links.ts';
import { isLimited, maySee, noSuchCamera } from './visible.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has one; a route without it does not start. */
    role?: RouteRole;
    /** Its answer is about all cameras at once: refused to a viewer that is limited to some. */
    wholeFleet?: boolean;
  }
  interface FastifyInstance {
    /** Every route that was registered, with its role. */
    routesByRole(): { method: string; url: string; role: RouteRole | undefined }[];
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

const camerasPrefix = '/api/v1/cameras/:id';
/** Players that cannot set headers send their token in the address here, and nowhere else. */
const playerPrefixes = ['/hls/:camera/', '/whep/:camera'];
const isForPlayers = (url: string | undefined): boolean => playerPrefixes.some((prefix) => url?.startsWith(prefix) === true);
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** True where an `Origin` is the page's own or one the configuration allows. `host` is the `Host` header. */
export function isAllowedOrigin(origin: string, host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}

/** Puts the guard in front of every route that is registered from now on. `@fastify/cookie` must be there. */
export function installAccess(app: FastifyInstance, { auth, links, config }: { auth: Auth; links: Links; config: Config }): void {
  const routes: RouteOptions[] = [];
  // Read late: a scope gives its routes their role after this hook.
  const byRole = () => routes.flatMap(({ method, url, config: own }) => [method].flat().map((name) => ({ method: String(name), url, role: own?.role })));
  app.decorateRequest('identity', null);
  app.decorate('routesByRole', byRole);
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = byRole().filter(({ role }) => role === undefined).map(({ method, url }) => `${method} ${url}`);
    if (open.length > 0) throw new Error(`routes without a role: ${open.join(', ')}`);
  });
  app.addHook('onRequest', async (request) => {
    // Unknown routes have no configuration; their 404 tells nothing.
    const role = request.is404 ? 'public' : request.routeOptions.config.role;
    if (role === 'public') return;
    if (role === 'internal') return checkInternal(request, config.internalSecret);
    const given = queryToken(request);
    request.identity = (given !== undefined && isLink(given) ? await links.identify(given, request.url) : await auth.identify(credentialsOf(request))) ?? null;
    if (request.identity === null) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
    if (role === undefined || !includesRole(request.identity.role, role)) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: `This needs the role ${role ?? 'admin'}; yours is ${request.identity.role}.` });
    if (isLimited(request.identity)) checkLimits(request, request.identity);
    if (request.identity.via === 'session' && !safeMethods.has(request.method)) checkOrigin(request, config.api.origins);
  });
}

function credentialsOf(request: FastifyRequest) {
  return {
    authorization: request.headers.authorization,
    session: request.cookies[sessionCookie],
    token: queryToken(request),
    address: request.ip,
  };
}

/** The token in the address of a request, where one may be. */
export function queryToken(request: FastifyRequest): string | undefined {
  if (!isForPlayers(request.routeOptions.url)) return undefined;
  const { token } = request.query as { token?: unknown };
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** A camera that may not be seen does not exist, whatever is asked about it: no route has to think of it. */
function checkLimits(request: FastifyRequest, identity: Identity): void {
  if (request.routeOptions.config.wholeFleet === true) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: 'This is about all cameras, and your token is limited to some.' });
  const { url } = request.routeOptions;
  if (url?.startsWith(camerasPrefix) !== true && !isForPlayers(url)) return;
  const { id = '', camera = id } = request.params as { id?: string; camera?: string };
  if (!maySee(identity, camera)) throw noSuchCamera(camera);
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
