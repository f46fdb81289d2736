/** Namespace `/status`: the whole once, then what changed; at most 5 times a second per camera, the latest wins. */
import type { Namespace, Socket } from 'socket.io';
import Type from 'typebox';
import type { ControlPlane } from '../control.ts';
import type { CameraView, StatusServerEvents } from '../protocol.ts';
import { CameraSchema, EventSchema, SystemSchema, WorkerSchema } from '../schemas.ts';
import { shown } from '../shown.ts';

type Events = Record<string, never>;
type StatusSocket = Socket<Events, StatusServerEvents>;

const deltaMs = 200;
const systemMs = 2000;
/** Packets waiting for one client before it gets no more deltas, but a new snapshot once it has caught up. */
const backlogLimit = 64;
const live = 'live';
const cameraList = Type.Array(CameraSchema);
const workerList = Type.Array(WorkerSchema);

/** Serves the namespace; returns the function that ends it. */
export function serveStatus(namespace: Namespace<Events, StatusServerEvents>, control: ControlPlane): () => void {
  const system = () => shown(SystemSchema, control.system());
  const now = () => new Date().toISOString();
  const broadcast = <E extends keyof StatusServerEvents>(event: E, ...args: Parameters<StatusServerEvents[E]>) => {
    for (const socket of namespace.sockets.values()) holdBackIfSlow(socket, snapshot);
    if (namespace.sockets.size > 0) namespace.to(live).emit(event, ...args);
  };
  const snapshot = (socket: StatusSocket) => {
    socket.emit('snapshot', { system: system(), cameras: shown(cameraList, control.cameras()), workers: shown(workerList, control.workers()), at: now() });
    void socket.join(live);
  };
  const cameras = createCoalescer<CameraView | null>((id, camera) => broadcast('camera', { id, camera: shown(CameraSchema, camera), at: now() }));
  const workers = createCoalescer<ReturnType<ControlPlane['workers']>>((_, list) => broadcast('sfu', { workers: shown(workerList, list), at: now() }));

  namespace.on('connection', snapshot);
  const unsubscribe = control.subscribe((delta) => {
    if (delta.type === 'camera') cameras.push(delta.id, delta.camera);
    if (delta.type === 'workers') workers.push('', delta.workers);
    if (delta.type === 'journal') broadcast('journal', shown(EventSchema, delta.event));
  });
  const ticker = setInterval(() => namespace.sockets.size > 0 && broadcast('system', system()), systemMs).unref();
  return () => {
    unsubscribe();
    clearInterval(ticker);
    cameras.stop();
    workers.stop();
  };
}

/**
 * A client that reads slower than the cameras change would grow the server's memory, and dropping single deltas would
 * leave it with a wrong picture. So it is taken out of the stream as a whole, and gets everything again when its
 * connection has drained. `writeBuffer` is a private field of engine.io 6.6; nothing public tells the backlog.
 */
function holdBackIfSlow(socket: StatusSocket, snapshot: (socket: StatusSocket) => void): void {
  if (!socket.rooms.has(live)) return;
  const connection = socket.conn as unknown as { writeBuffer?: unknown[]; once(event: 'drain', listener: () => void): void };
  if ((connection.writeBuffer?.length ?? 0) < backlogLimit) return;
  void socket.leave(live);
  connection.once('drain', () => {
    if (socket.connected) snapshot(socket);
  });
}

/** Passes the first value of a key on at once, later ones at most once per interval; removal (`null`) never waits. */
function createCoalescer<T>(emit: (key: string, value: T) => void): { push(key: string, value: T): void; stop(): void } {
  const slots = new Map<string, { timer: NodeJS.Timeout; waiting: T | undefined }>();
  const open = (key: string) => {
    const slot = slots.get(key);
    if (slot === undefined) return;
    slots.delete(key);
    if (slot.waiting !== undefined) pass(key, slot.waiting);
  };
  const pass = (key: string, value: T) => {
    slots.set(key, { timer: setTimeout(() => open(key), deltaMs), waiting: undefined });
    emit(key, value);
  };
  return {
    push(key, value) {
      const slot = slots.get(key);
      if (slot === undefined) return pass(key, value);
      if (value !== null) {
        slot.waiting = value;
        return;
      }
      clearTimeout(slot.timer);
      slots.delete(key);
      emit(key, value);
    },
    stop() {
      for (const slot of slots.values()) clearTimeout(slot.timer);
      slots.clear();
    },
  };
}
