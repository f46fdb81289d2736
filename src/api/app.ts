/** Builds the HTTP server: plugins in order, routes, sockets, one error handler. It does not listen. */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Server } from 'socket.io';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import { installAccess } from './access.ts';
import { createAuth } from './auth.ts';
import type { Certificates } from './certificates.ts';
import type { ControlPlane } from './control.ts';
import { installDocumentation } from './documentation.ts';
import { errorBody, handleError, refuseUnreadable } from './errors.ts';
import { installGrpc, type Grpc } from './grpc/server.ts';
import { createJwtVerifier } from './jwt.ts';
import { createLinks } from './links.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { installPage } from './page.ts';
import { createPictures } from './pictures.ts';
import { readinessOf } from './readiness.ts';
import { attachRoutes } from './routes/attach.ts';
import { cameraRoutes } from './routes/cameras.ts';
import { faultRoutes } from './routes/faults.ts';
import { operationRoutes, sfuRoutes } from './routes/operations.ts';
import { explanationRoutes } from './routes/explanation.ts';
import { exportRoutes } from './routes/exports.ts';
import { hlsRoutes } from './routes/hls.ts';
import { linkRoutes } from './routes/links.ts';
import { probeRoutes } from './routes/probe.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { sessionRoutes } from './routes/session.ts';
import { snapshotRoutes } from './routes/snapshot.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { redacted } from './shown.ts';
import { installSockets } from './socket.ts';
import { whepRoutes } from './whep/routes.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The Socket.IO server behind `/status` and `/viewer`. */
    io: Server;
    /** Null where it is switched off. */
    grpc: Grpc | null;
  }
}

/** What the interfaces stand on. `pageDir` is where the built web page lies; with `certificates` everything is served over TLS. */
export type AppOptions = { control: ControlPlane; store: Store; config: Config; log: Log; pageDir: string; certificates?: Certificates | undefined };

const bodyBytes = 64 * 1024;
const requestTimeoutMs = 30_000;
const shortSecret = 16;

/** Builds everything behind the HTTP port; `await app.listen({host, port})` opens it, `await app.close()` ends it, sockets included. */
export async function buildApp({ control, store, config, log, pageDir, certificates }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytes,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: 128 },
    // A request id of the outside could hold anything.
    requestIdHeader: false,
    // What the router refuses before any route is found: an address that cannot be decoded, a part that is too long.
    frameworkErrors: handleError,
    clientErrorHandler: refuseUnreadable,
    genReqId: () => randomUUID(),
    // Keep-alive connections of browsers must not hold up the end.
    forceCloseConnections: true,
    ...(certificates ? { https: certificates.secureContext() } : {}),
  } as FastifyServerOptions).withTypeProvider<TypeBoxTypeProvider>().setValidatorCompiler(TypeBoxValidatorCompiler);
  if (certificates) serveNewest(app.server as unknown as SecureServer, certificates);
  warnOfShortSecrets(config, log);
  const auth = createAuth({ store, config, jwt: createJwtVerifier(config.auth.jwt, log) });
  const links = createLinks({ dir: config.data, tokens: store.tokens });
  const metrics = createMetrics({ control, store, certificates });
  const pictures = createPictures(control);

  const parseJson = app.getDefaultJsonParser('error', 'error');
  // `fetch` and curl send the header along with commands that have no body.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => (body === '' ? done(null) : parseJson(request, body as string, done)));
  app.setErrorHandler(handleError);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
    // Who hung up has no address any more; limits go by it, and nobody hears the answer.
    if ((request.ip as string | undefined) === undefined) throw new LookoutError('LOOKOUT_VALIDATION');
  });
  app.addHook('preSerialization', async (request, reply, payload) => (request.routeOptions.url?.startsWith('/docs') ? payload : redacted(payload)));
  logChanges(app);
  await installProtection(app, config);
  installAccess(app, { auth, links, config });
  app.setNotFoundHandler((request, reply) => handleError(new LookoutError('LOOKOUT_ROUTE_NOT_FOUND'), request, reply));
  await installDocumentation(app, control.system().version);
  await app.register(async (api) => {
    await api.register(cameraRoutes, { control });
    await api.register(faultRoutes, { control });
    await api.register(snapshotRoutes, { control, pictures });
    await api.register(attachRoutes, { control });
    await api.register(explanationRoutes, { control });
    await api.register(linkRoutes, { control, links });
    await api.register(recordingRoutes, { control });
    await api.register(exportRoutes, { control });
    await api.register(probeRoutes, { control });
    await api.register(sfuRoutes, { control });
    await api.register(sessionRoutes, { auth, config });
    await api.register(tokenRoutes, { auth, store });
  }, { prefix: '/api/v1' });
  await app.register(hlsRoutes, { control });
  await app.register(whepRoutes, { control, auth, config });
  await app.register(operationRoutes, { control, store, metrics, certificates });
  await installPage(app, pageDir);
  const io = installSockets({ app, auth, config, control, log, onFirstFrame: metrics.observeFirstFrame });
  app.decorate('io', io);
  app.decorate('grpc', config.grpc.enabled ? installGrpc(app as unknown as FastifyInstance, { auth, config, control, log, certificates, readiness: () => readinessOf(control, store) }) : null);
  app.addHook('onClose', () => metrics.close());
  if (config.metrics.port !== undefined) serveMetrics(app, { metrics, certificates, host: config.host, port: config.metrics.port });
  return app as unknown as FastifyInstance;
}

/** New connections get the newest certificate; those that are open go on. */
function serveNewest(server: SecureServer, certificates: Certificates): void {
  certificates.onChange(() => server.setSecureContext(certificates.secureContext()));
}

async function installProtection(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'img-src': ["'self'", 'data:', 'blob:'],
        'media-src': ["'self'", 'blob:'],
        'worker-src': ["'self'", 'blob:'],
        'connect-src': ["'self'"],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // A promise of HTTPS holds for every port of this name; it is not ours to make, and none can be taken back.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  await app.register(rateLimit, {
    max: config.api.requestsPerMinute,
    timeWindow: 60_000,
    cache: 10_000,
    errorResponseBuilder: () => new LookoutError('LOOKOUT_RATE_LIMITED'),
  });
  await app.register(cookie);
  await app.register(cors, { origin: config.api.origins.length > 0 ? [...config.api.origins] : false, credentials: true, methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'], exposedHeaders: ['Location', 'ETag', 'Link'], strictPreflight: false });
}

/** Guessing is slowed down, not stopped. */
function warnOfShortSecrets({ token, internalSecret }: Config, log: Log): void {
  for (const [setting, secret] of Object.entries({ token, internalSecret })) {
    if (secret !== undefined && secret.length < shortSecret) log.warn({ setting, atLeast: shortSecret }, 'a configured secret is short');
  }
}

/** Who changed what, one line each; reading is not worth a line. */
function logChanges(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    // Without its query, which may hold a token.
    const fields = { method: request.method, url: request.url.split('?')[0], statusCode: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), by: request.identity?.name ?? null };
    if (request.method === 'GET' || request.method === 'HEAD') request.log.debug(fields, 'request answered');
    else request.log.info(fields, 'request answered');
  });
}

/** `/metrics` on a port of its own, without login: for a Prometheus in a network that reaches nothing else. */
function serveMetrics(app: FastifyInstance, { metrics, certificates, host, port }: { metrics: Metrics; certificates: Certificates | undefined; host: string; port: number }): void {
  const answer: RequestListener = (request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      const refusal = errorBody(new LookoutError('LOOKOUT_ROUTE_NOT_FOUND'));
      response.writeHead(refusal.statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => {
        app.log.error({ err: error }, 'metrics cannot be read');
        response.writeHead(500).end();
      },
    );
  };
  const server = certificates ? createSecureServer(certificates.secureContext(), answer) : createServer(answer);
  if (certificates) serveNewest(server as SecureServer, certificates);
  server.requestTimeout = requestTimeoutMs;
  app.addHook('onListen', async () => {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    app.log.info({ address: server.address() }, 'metrics are served');
  });
  app.addHook('preClose', async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}
