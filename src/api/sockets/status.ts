/** Namespace `/status`: the whole once, then what changed; at most 5 times a second per camera, the latest wins. */
import type { Namespace, Socket } from 'socket.io';
import Type from 'typebox';
import { createCoalescer } from '../coalescer.ts';
import type { ControlPlane } from '../control.ts';
import type { CameraView, StatusServerEvents } from '../protocol.ts';
import { CameraSchema, EventSchema, SystemSchema, WorkerSchema } from '../schemas.ts';
import { shown } from '../shown.ts';
import type { SocketData } from '../socket.ts';
import { visibleCameras, visibleSystem, type Looker } from '../visible.ts';
import { isBehind } from './backlog.ts';

type Events = Record<string, never>;
type StatusSocket = Socket<Events, StatusServerEvents>;

const deltaMs = 200;
const systemMs = 2000;
/** Rooms: of those who see everything, of those who see some cameras, and of one camera among the latter. */
const live = 'live';
const limited = 'limited';
const roomOf = (camera: string) => `camera:${camera}`;
const cameraList = Type.Array(CameraSchema);
const workerList = Type.Array(WorkerSchema);

/** Serves the namespace; returns the function that ends it. */
export function serveStatus(namespace: Namespace<Events, StatusServerEvents>, control: ControlPlane): () => void {
  const now = () => new Date().toISOString();
  const seenBy = (looker: Looker) => visibleCameras(looker, control.cameras());
  const systemFor = (looker: Looker, cameras = seenBy(looker)) => shown(SystemSchema, visibleSystem(looker, control.system(), cameras));
  const broadcast = <E extends keyof StatusServerEvents>(rooms: string[], event: E, ...args: Parameters<StatusServerEvents[E]>) => {
    for (const socket of namespace.sockets.values()) holdBackIfSlow(socket, snapshot);
    if (namespace.sockets.size > 0) namespace.to(rooms).emit(event, ...args);
  };
  const snapshot = (socket: StatusSocket) => {
    const looker = lookerOf(socket);
    const cameras = seenBy(looker);
    socket.emit('snapshot', { system: systemFor(looker, cameras), cameras: shown(cameraList, cameras), workers: shown(workerList, control.workers()), at: now() });
    void socket.join(roomsOf(socket));
  };
  const cameras = createCoalescer<CameraView | null>(deltaMs, (id, camera) => broadcast([live, roomOf(id)], 'camera', { id, camera: shown(CameraSchema, camera), at: now() }));
  const workers = createCoalescer<ReturnType<ControlPlane['workers']>>(deltaMs, (_, list) => broadcast([live, limited], 'sfu', { workers: shown(workerList, list), at: now() }));

  namespace.on('connection', snapshot);
  const unsubscribe = control.subscribe((delta) => {
    if (delta.type === 'camera') cameras.push(delta.id, delta.camera);
    if (delta.type === 'workers') workers.push('', delta.workers);
    // Rows of no camera (incidents) name several of them.
    if (delta.type === 'journal') broadcast([live, roomOf(delta.event.camera)], 'journal', shown(EventSchema, delta.event));
  });
  const ticker = setInterval(() => {
    if (namespace.sockets.size === 0) return;
    broadcast([live], 'system', systemFor(null));
    for (const socket of namespace.sockets.values()) if (socket.rooms.has(limited)) socket.emit('system', systemFor(lookerOf(socket)));
  }, systemMs).unref();
  return () => {
    unsubscribe();
    clearInterval(ticker);
    cameras.stop();
    workers.stop();
  };
}

const lookerOf = (socket: StatusSocket): Looker => (socket.data as SocketData).identity;

function roomsOf(socket: StatusSocket): string[] {
  const cameras = lookerOf(socket)?.cameras ?? null;
  return cameras === null ? [live] : [limited, ...cameras.map(roomOf)];
}

/** A client that is behind is taken out of the stream as a whole, and gets everything again. */
function holdBackIfSlow(socket: StatusSocket, snapshot: (socket: StatusSocket) => void): void {
  if (!socket.rooms.has(live) && !socket.rooms.has(limited)) return;
  if (!isBehind(socket, () => snapshot(socket))) return;
  for (const room of roomsOf(socket)) void socket.leave(room);
}
