/** Namespace `/viewer`: mediasoup signalling. Every request is checked, bounded, limited in rate, and answered in time. */
import type { Namespace, Socket } from 'socket.io';
import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { cameraIdPattern } from '../../camera-config.ts';
import type { Config } from '../../config.ts';
import { LookoutError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { socketRoles } from '../access-table.ts';
import { includesRole } from '../auth.ts';
import type { ControlPlane, ViewerNotify } from '../control.ts';
import { withDeadline, type Deadline } from '../deadline.ts';
import { errorBody } from '../errors.ts';
import type { StreamName, ViewerClientEvents, ViewerServerEvents } from '../protocol.ts';
import type { SocketData } from '../socket.ts';
import { maySee } from '../visible.ts';

type Options = { control: ControlPlane; config: Config; log: Log; onFirstFrame: (milliseconds: number) => void };
type ViewerSocket = Socket<ViewerClientEvents, ViewerServerEvents>;

/** What one connection holds. `joining` counts towards the limit, so that a flood of joins cannot pass it. */
type Connection = { socket: ViewerSocket; viewers: Set<string>; joining: number; allowance: () => boolean };

const requestsPerSecond = 100;
/** A wall of 64 tiles needs five requests each at once. */
const burst = 400;
const longestFirstFrameMs = 600_000;

const strict = { additionalProperties: false } as const;
const viewer = Type.String({ minLength: 1, maxLength: 64 });
const opaque = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown());
const schemas = {
  join: Type.Object({ camera: Type.String({ pattern: cameraIdPattern }), stream: Type.Optional(Type.Enum(['main', 'sub'])) }, strict),
  transport: Type.Object({ viewer, rtpCapabilities: opaque, primer: Type.Optional(Type.Boolean()) }, strict),
  connectTransport: Type.Object({ viewer, dtlsParameters: opaque }, strict),
  consume: Type.Object({ viewer, audio: Type.Optional(Type.Boolean()) }, strict),
  resume: Type.Object({ viewer }, strict),
  pause: Type.Object({ viewer }, strict),
  tookOver: Type.Object({ viewer }, strict),
  leave: Type.Object({ viewer }, strict),
} as const;
type RequestName = keyof typeof schemas;
type Handlers = { [K in RequestName]: (request: Static<(typeof schemas)[K]>, connection: Connection, deadline: Deadline) => Promise<unknown> };
const firstFrame = Compile(Type.Object({ viewer, milliseconds: Type.Number({ minimum: 0, maximum: longestFirstFrameMs }) }, strict));

/** Serves the namespace. A connection that ends takes all its viewers with it. */
export function serveViewers(namespace: Namespace<ViewerClientEvents, ViewerServerEvents>, options: Options): void {
  const { control, config, onFirstFrame } = options;
  const handlers = createHandlers(control, config.api);
  namespace.on('connection', (socket) => {
    const connection: Connection = { socket, viewers: new Set(), joining: 0, allowance: createAllowance() };
    for (const name of Object.keys(schemas) as RequestName[]) answer(connection, name, { handler: handlers[name] as Handler, ...options });
    (socket as Socket).on('firstFrame', (request: unknown) => {
      if (connection.allowance() && firstFrame.Check(request) && connection.viewers.has(request.viewer)) onFirstFrame(request.milliseconds);
    });
    socket.on('disconnect', () => {
      connection.viewers.clear();
      control.viewers.leaveAll(socket.id);
    });
  });
}

type Handler = (request: unknown, connection: Connection, deadline: Deadline) => Promise<unknown>;

/** Wires one request: whatever arrives, the acknowledgement is called once, in time, with a value or an error of the catalogue. */
function answer(connection: Connection, name: RequestName, { handler, config, log }: Options & { handler: Handler }): void {
  const check = Compile(schemas[name] as TSchema);
  (connection.socket as Socket).on(name, (...args: unknown[]) => {
    const ack = args.at(-1);
    const reply = (value: object) => void (typeof ack === 'function' && (ack as (value: object) => void)(value));
    const work = async (): Promise<unknown> => {
      if (!connection.allowance()) throw new LookoutError('LOOKOUT_RATE_LIMITED');
      if (!includesRole(identityOf(connection).role, socketRoles[`/viewer ${name}`])) throw new LookoutError('LOOKOUT_FORBIDDEN');
      if (!check.Check(args[0])) throw new LookoutError('LOOKOUT_VALIDATION', { message: `The request "${name}" does not have the expected form.` });
      return withDeadline((deadline) => handler(args[0], connection, deadline), config.api.requestMs, name);
    };
    work().then((value) => reply({ ok: true, value: value ?? null }), (error: unknown) => {
      const { code, message } = errorBody(error);
      if (code === 'LOOKOUT_INTERNAL') log.error({ err: error, request: name }, 'viewer request failed by a mistake of ours');
      reply({ ok: false, error: { code, message } });
    });
  });
}

const identityOf = ({ socket }: Connection) => (socket.data as SocketData).identity;

function createHandlers({ viewers }: ControlPlane, limits: Config['api']): Handlers {
  const mine = ({ socket, viewers: own }: Connection, id: string) => {
    if (!own.has(id)) throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND');
    return { viewer: id, owner: socket.id };
  };
  return {
    join: (request, connection, deadline) => join(viewers, { ...request, connection, deadline, limits }),
    transport: async ({ viewer: id, rtpCapabilities, primer = false }, connection) => viewers.transport({ ...mine(connection, id), rtpCapabilities, primer }),
    connectTransport: async ({ viewer: id, dtlsParameters }, connection) => viewers.connect({ ...mine(connection, id), dtlsParameters }),
    consume: async ({ viewer: id, audio }, connection) => ({ consumers: await viewers.consume({ ...mine(connection, id), audio: audio ?? false }) }),
    resume: async ({ viewer: id }, connection) => viewers.resume(mine(connection, id)),
    pause: async ({ viewer: id }, connection) => viewers.pause(mine(connection, id)),
    tookOver: async ({ viewer: id }, connection) => viewers.tookOver(mine(connection, id)),
    leave: async ({ viewer: id }, connection) => {
      const entry = mine(connection, id);
      connection.viewers.delete(id);
      await viewers.leave(entry);
    },
  };
}

/** A join that completes after its connection ended, or after its deadline, is undone: nobody knows of that viewer. */
async function join(viewers: ControlPlane['viewers'], { camera, stream, connection, deadline, limits: { viewersPerSocket } }: { camera: string; stream?: StreamName; connection: Connection; deadline: Deadline; limits: Config['api'] }) {
  const { socket, viewers: own } = connection;
  if (!maySee(identityOf(connection), camera)) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: camera });
  if (own.size + connection.joining >= viewersPerSocket) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: `One connection holds at most ${viewersPerSocket} viewers.` });
  connection.joining += 1;
  try {
    const joined = await viewers.join({ camera, ...(stream && { stream }), owner: socket.id, notify: notifier(connection) });
    if (!socket.connected || deadline.passed) {
      await viewers.leave({ viewer: joined.viewer, owner: socket.id });
      throw new LookoutError('LOOKOUT_DEADLINE');
    }
    own.add(joined.viewer);
    return joined;
  } finally {
    connection.joining -= 1;
  }
}

function notifier({ socket, viewers }: Connection): ViewerNotify {
  return {
    viewer: (event) => void socket.emit('viewer', event),
    gone: (event) => {
      viewers.delete(event.viewer);
      socket.emit('gone', event);
    },
  };
}

/** Token bucket of one connection. */
function createAllowance(): () => boolean {
  let tokens = burst;
  let at = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - at) / 1000) * requestsPerSecond);
    at = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
