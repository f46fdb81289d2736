/** Socket.IO on the same HTTP server: who may connect, the namespaces, and an orderly end. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Server, type Namespace, type Socket } from 'socket.io';
import type { Config } from '../config.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import { socketRoles } from './access-table.ts';
import { isAllowedOrigin } from './access.ts';
import { includesRole, longestToken, sessionCookie, type Auth, type Identity } from './auth.ts';
import type { ControlPlane } from './control.ts';
import { errorBody } from './errors.ts';
import { serveInspect } from './sockets/inspect.ts';
import { serveStatus } from './sockets/status.ts';
import { serveViewers } from './sockets/viewer.ts';

/** What the sockets stand on. */
export type SocketOptions = {
  app: FastifyInstance;
  auth: Auth;
  config: Config;
  control: ControlPlane;
  log: Log;
  onFirstFrame: (milliseconds: number) => void;
};

/** What every socket carries. */
export type SocketData = { identity: Identity };

/** Largest message of a client; the capabilities of a browser are about 10 kB. */
const messageBytes = 64 * 1024;
const expiryCheckMs = 5000;

/** Attaches the namespaces to the server of `app`; they end with it. */
export function installSockets({ app, auth, config, control, log, onFirstFrame }: SocketOptions): Server {
  const io = new Server(app.server, {
    serveClient: false,
    maxHttpBufferSize: messageBytes,
    perMessageDeflate: false,
    httpCompression: false,
    connectTimeout: 10_000,
    pingInterval: 10_000,
    pingTimeout: 10_000,
    cors: { origin: [...config.api.origins], credentials: true },
    allowRequest: (request, decide) => {
      const { origin, host } = request.headers;
      const fine = origin === undefined || isAllowedOrigin(origin, host, config.api.origins);
      decide(fine ? null : 'origin not allowed', fine);
    },
  });
  const namespaces = [io.of('/status'), io.of('/viewer'), io.of('/inspect')] as const;
  for (const namespace of namespaces) requireIdentity(namespace, auth, log);
  const stopStatus = serveStatus(namespaces[0], control);
  serveViewers(namespaces[1], { control, config, log, onFirstFrame });
  serveInspect(namespaces[2], { control, log });

  const disconnect = (ends: (identity: Identity) => boolean) => {
    for (const namespace of namespaces) {
      for (const socket of namespace.sockets.values()) {
        if (ends((socket.data as SocketData).identity)) socket.disconnect(true);
      }
    }
  };
  auth.onEnd((key) => disconnect((identity) => identity.key === key));
  const expiry = setInterval(() => disconnect((identity) => identity.expiresAt <= Date.now()), expiryCheckMs).unref();

  // Fastify waits for open connections, and upgraded ones are not its own: they end first.
  app.addHook('preClose', async () => {
    clearInterval(expiry);
    stopStatus();
    io.disconnectSockets(true);
    io.engine.close();
  });
  return io;
}

function requireIdentity(namespace: Namespace, auth: Auth, log: Log): void {
  namespace.use((socket: Socket, next) => {
    const token: unknown = (socket.handshake.auth as { token?: unknown }).token;
    const credentials = {
      token: typeof token === 'string' && token.length <= longestToken ? token : undefined,
      session: cookieOf(socket.request),
      address: socket.handshake.address,
    };
    auth.identify(credentials).then((identity) => {
      if (identity === undefined) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
      if (!includesRole(identity.role, socketRoles[namespace.name as '/status'])) throw new LookoutError('LOOKOUT_FORBIDDEN');
      (socket.data as SocketData).identity = identity;
      next();
    }).catch((error: unknown) => {
      const { code, message } = errorBody(error);
      if (code === 'LOOKOUT_INTERNAL') log.error({ err: error }, 'socket cannot be let in');
      next(Object.assign(new Error(message), { data: { code } }));
    });
  });
}

function cookieOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${sessionCookie}=`))?.slice(sessionCookie.length + 1);
}
