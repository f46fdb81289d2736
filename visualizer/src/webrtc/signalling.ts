/** Requests and events of the `/viewer` namespace: each request has a deadline, each viewer hears its own events only. */
import type { Socket } from 'socket.io-client';
import type { ViewerClientEvents, ViewerServerEvents } from '../../../src/api/protocol.ts';
import { ApiError } from '../adapter.ts';

const requestDeadlineMs = 10_000;
/** Viewers that negotiate at the same time; a wall of 36 would otherwise make 36 peer connections in one go. */
const maxNegotiations = 6;

type Acknowledged = Exclude<keyof ViewerClientEvents, 'firstFrame'>;
type Request<E extends Acknowledged> = Parameters<ViewerClientEvents[E]>[0];
type Answer<E extends Acknowledged> = Parameters<Parameters<ViewerClientEvents[E]>[1]>[0];
type Value<E extends Acknowledged> = Extract<Answer<E>, { ok: true }>['value'];

/** What one viewer hears. */
export type ViewerListener = {
  viewer: ViewerServerEvents['viewer'];
  gone: ViewerServerEvents['gone'];
};

export type Signalling = {
  open: () => void;
  close: () => void;
  connected: () => boolean;
  request: <E extends Acknowledged>(event: E, request: Request<E>) => Promise<Value<E>>;
  firstFrame: (report: { viewer: string; milliseconds: number }) => void;
  listen: (viewer: string, listener: ViewerListener) => () => void;
  /** Hears connection losses and returns. */
  onConnection: (listener: (connected: boolean) => void) => () => void;
  /** Waits for a free slot of {@link maxNegotiations}; the returned function frees it. */
  negotiate: () => Promise<() => void>;
};

/** Wraps a socket of namespace `/viewer`. */
export function createSignalling(socket: Socket<ViewerServerEvents, ViewerClientEvents>): Signalling {
  const viewers = new Map<string, ViewerListener>();
  const connections = new Set<(connected: boolean) => void>();
  socket.on('viewer', (event) => viewers.get(event.viewer)?.viewer(event));
  socket.on('gone', (event) => viewers.get(event.viewer)?.gone(event));
  socket.on('connect', () => connections.forEach((listener) => listener(true)));
  socket.on('disconnect', (reason) => {
    connections.forEach((listener) => listener(false));
    if (reason === 'io server disconnect') socket.connect();
  });

  return {
    open: () => {
      if (!socket.active) socket.connect();
    },
    close: () => socket.disconnect(),
    connected: () => socket.connected,
    request: (event, request) => send(socket, event, request),
    firstFrame: (report) => {
      socket.emit('firstFrame', report);
    },
    listen: (viewer, listener) => {
      viewers.set(viewer, listener);
      return () => viewers.delete(viewer);
    },
    onConnection: (listener) => {
      connections.add(listener);
      return () => connections.delete(listener);
    },
    negotiate: semaphore(maxNegotiations),
  };
}

async function send<E extends Acknowledged>(socket: Socket<ViewerServerEvents, ViewerClientEvents>, event: E, request: Request<E>): Promise<Value<E>> {
  // Socket.IO would buffer what is sent while disconnected and deliver it later, to a server that knows nothing of it.
  if (!socket.connected) throw new ApiError({ code: 'NETWORK', statusCode: 0, message: 'The connection to Lookout is lost.' });
  // Socket.IO's types cannot follow a generic event name.
  const untyped = socket as unknown as Socket;
  const answer: Answer<E> = await untyped.timeout(requestDeadlineMs).emitWithAck(event, request).catch(() => {
    throw new ApiError({ code: 'LOOKOUT_DEADLINE', statusCode: 504, message: `Lookout did not answer "${event}" in time.` });
  });
  if (!answer.ok) throw new ApiError({ ...answer.error, statusCode: 0 });
  return answer.value as Value<E>;
}

function semaphore(slots: number): () => Promise<() => void> {
  let free = slots;
  const queue: (() => void)[] = [];
  const release = (): void => {
    const next = queue.shift();
    if (next) next();
    else free += 1;
  };
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    let released = false;
    return () => {
      if (!released) release();
      released = true;
    };
  };
}
