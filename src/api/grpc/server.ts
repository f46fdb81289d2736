/** The gRPC server beside the HTTP one: our service, health and reflection; it begins and ends with the program. */
import { experimental, Server, ServerCredentials } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import { HealthImplementation } from 'grpc-health-check';
import type { Config } from '../../config.ts';
import type { Log } from '../../log.ts';
import type { Auth } from '../auth.ts';
import type { Certificates } from '../certificates.ts';
import type { ControlPlane } from '../control.ts';
import type { Readiness } from '../readiness.ts';
import { createCalls } from './calls.ts';
import { mediaPlaneService, serviceName } from './definitions.ts';
import { mediaPlane } from './media-plane.ts';
import { serveReflection } from './reflection.ts';
import { createWatches } from './watch.ts';

/** What the server stands on. */
export type GrpcOptions = { auth: Auth; config: Config; control: ControlPlane; log: Log; certificates?: Certificates | undefined; readiness: () => Readiness };

/** The running server. */
export type Grpc = {
  /** Where it listens; null while it does not. */
  port(): number | null;
  /** Resolves when it listens, or could not at first. */
  tried: Promise<void>;
  /** Every call that is served, as `service/Call`. */
  calls(): string[];
};

const limits = {
  // As for a body over REST.
  'grpc.max_receive_message_length': 64 * 1024,
  'grpc.max_concurrent_streams': 200,
  // A watch of a client that vanished without a word ends.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};
const retryMs = 5_000;
const readinessMs = 500;
const endMs = 1_000;

/** Adds the server to `app`: it listens when `app` does and ends with it. */
export function installGrpc(app: FastifyInstance, { auth, config, control, log, certificates, readiness }: GrpcOptions): Grpc {
  const calls = createCalls({ auth, config, log });
  const watches = createWatches(control);
  const health = followReadiness(readiness);
  const implementation = mediaPlane(control, { calls, watches });
  const build = (): Server => {
    const built = new Server(limits);
    built.addService(mediaPlaneService, implementation);
    health.addTo(built);
    serveReflection(built);
    return built;
  };

  const credentials = certificates ? rotating(certificates) : ServerCredentials.createInsecure();
  let server = build();
  let port: number | null = null;
  let ending = false;
  let retry: NodeJS.Timeout | undefined;
  const tried = Promise.withResolvers<void>();
  const { host } = config.grpc;
  /** A port that is taken keeps no camera from running: it is told and tried again, for whoever holds it may be about to end. */
  const listen = async (): Promise<void> => {
    try {
      port = await bind(server, host.includes(':') ? `[${host}]` : host, config.grpc.port, credentials);
      log.info({ address: host, port }, 'gRPC is served');
    } catch (error) {
      if (ending) return;
      log.error({ address: host, port: config.grpc.port, err: error, retryInMs: retryMs, remedy: 'choose another grpc.port, or grpc.enabled: false' }, 'gRPC cannot be served');
      // grpc-js 1.14 remembers a failed address for the life of a server.
      server = build();
      retry = setTimeout(() => void listen(), retryMs);
      retry.unref();
    }
  };
  // Not awaited: hooks behind this one open ports, too.
  app.addHook('onListen', async () => void listen().finally(tried.resolve));
  app.addHook('preClose', async () => {
    ending = true;
    clearTimeout(retry);
    tried.resolve();
    health.close();
    calls.close();
    watches.close();
    await end(server);
  });
  return { port: () => port, tried: tried.promise, calls: () => servedCalls(server) };
}

/** Credentials that follow the certificate. grpc-js 1.14 names the arguments the other way round: the first is the server's own. */
function rotating(certificates: Certificates): ServerCredentials {
  const { add, remove } = listenersOf(certificates);
  return experimental.createCertificateProviderServerCredentials({
    addCaCertificateListener: () => undefined,
    removeCaCertificateListener: () => undefined,
    addIdentityCertificateListener: add,
    removeIdentityCertificateListener: remove,
  }, null, false);
}

function listenersOf(certificates: Certificates): { add(listener: experimental.IdentityCertificateUpdateListener): void; remove(listener: experimental.IdentityCertificateUpdateListener): void } {
  const listeners = new Set<experimental.IdentityCertificateUpdateListener>();
  const newest = (): experimental.IdentityCertificateUpdate => {
    const { cert, key } = certificates.secureContext();
    return { certificate: cert, privateKey: key };
  };
  certificates.onChange(() => listeners.forEach((listener) => listener(newest())));
  return {
    add(listener) {
      listeners.add(listener);
      // grpc-js 1.14 passes on only what it hears later.
      queueMicrotask(() => listener(newest()));
    },
    remove: (listener) => void listeners.delete(listener),
  };
}

function bind(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => server.bindAsync(`${host}:${port}`, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))));
}

/** What still runs gets a moment to say its last word. */
async function end(server: Server): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, endMs)));
  await Promise.race([new Promise<void>((resolve) => server.tryShutdown(() => resolve())), late]);
  clearTimeout(timer);
  server.forceShutdown();
}

/** Overall and for our service; it follows readiness, and says so before the end. */
function followReadiness(readiness: () => Readiness): { addTo(server: Server): void; close(): void } {
  const health = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });
  let told: boolean | undefined;
  const tell = (ready: boolean): void => {
    if (ready === told) return;
    told = ready;
    for (const name of ['', serviceName]) health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
  };
  const look = (): void => tell(readiness().ready);
  look();
  const timer = setInterval(look, readinessMs).unref();
  return {
    addTo: (server) => health.addToServer(server),
    close() {
      clearInterval(timer);
      tell(false);
    },
  };
}

/** `handlers` is private to grpc-js 1.14; nothing public lists what a server serves. */
function servedCalls(server: Server): string[] {
  const { handlers } = server as unknown as { handlers: Map<string, unknown> };
  return [...handlers.keys()].map((path) => path.slice(1));
}
