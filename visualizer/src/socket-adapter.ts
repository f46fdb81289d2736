/** The adapter of the real program: REST and Socket.IO of the same origin, players over mediasoup (loaded when first needed). */
import type { CameraView, EventView, ProbeReport, StatusServerEvents } from '../../src/api/protocol.ts';
import { io, type Socket } from 'socket.io-client';
import type { Adapter, JournalQuery, Session, StatusListener } from './adapter.ts';
import { ApiError } from './adapter.ts';
import { connectInspector } from './inspect-socket.ts';
import { recordings } from './recordings-rest.ts';
import { picture, rest } from './rest.ts';
import { createSignalling, type Signalling } from './webrtc/signalling.ts';
import { Viewer } from './webrtc/viewer.ts';

/** All namespaces share one connection, whose options are those of the first call of `io`. Long polling is for networks that refuse WebSockets. */
const options = { autoConnect: false, transports: ['websocket', 'polling'], tryAllTransports: true, reconnectionDelay: 500, reconnectionDelayMax: 2_000, randomizationFactor: 0.5, timeout: 5_000 };

/** Makes the adapter. Nothing connects before it is asked to. */
export function createSocketAdapter(): Adapter {
  let signalling: Signalling | undefined;
  const camera = (id: string): string => `api/v1/cameras/${encodeURIComponent(id)}`;

  return {
    session,
    login: (token) => rest<Session>('api/v1/session', { method: 'POST', body: { token } }),
    logout: async () => {
      await rest('api/v1/session', { method: 'DELETE' });
    },
    connect: (listener) => {
      signalling = createSignalling(io('/viewer', options));
      // While the sockets connect; a page that cannot have it hears so when it plays.
      void import('./webrtc/device.ts').then(({ prepare }) => prepare()).catch(() => undefined);
      const disconnect = connectStatus(listener, signalling);
      return () => {
        disconnect();
        signalling?.close();
        signalling = undefined;
      };
    },
    command: (id, verb) => rest<CameraView>(`${camera(id)}/${verb}`, { method: 'POST' }),
    create: (input) => rest<CameraView>('api/v1/cameras', { method: 'POST', body: input }),
    change: (id, change) => rest<CameraView>(camera(id), { method: 'PATCH', body: change }),
    remove: async (id) => {
      await rest(camera(id), { method: 'DELETE' });
    },
    probe: (url, signal) => rest<ProbeReport>('api/v1/probe', { method: 'POST', body: { url }, signal }),
    events: async (id, query) => (await rest<{ events: EventView[] }>(`${camera(id)}/events?${journalQuery(query)}`)).events,
    trends: (id) => rest(id === null ? 'api/v1/trends' : `${camera(id)}/trends`),
    still: ({ camera: id, width, signal }) => picture(`${camera(id)}/snapshot.jpg?width=${width}`, signal),
    hls: (id) => `hls/${encodeURIComponent(id)}/index.m3u8`,
    recordings,
    inspect: (listener) => connectInspector(io('/inspect', options), listener),
    play: (id, sink, stream) => {
      if (!signalling) throw new Error('connect() comes before play()');
      return new Viewer({ camera: id, stream, sink, signalling });
    },
  };
}

function journalQuery({ from, to, ...numbers }: JournalQuery): string {
  const moments = Object.entries({ from, to }).flatMap(([name, at]) => (at === undefined ? [] : [[name, new Date(at).toISOString()]]));
  return new URLSearchParams([...Object.entries(numbers).map(([name, value]) => [name, String(value)]), ...moments] as [string, string][]).toString();
}

async function session(): Promise<Session | null> {
  try {
    return await rest<Session>('api/v1/session');
  } catch (error) {
    if (error instanceof ApiError && error.statusCode === 401) return null;
    throw error;
  }
}

/** The status feed; the viewer socket follows it, so that a logged-out page does not knock twice. */
function connectStatus(listener: StatusListener, signalling: Signalling): () => void {
  const socket: Socket<StatusServerEvents> = io('/status', options);
  let offlineSince: number | undefined;
  const offline = (reason: string): void => {
    offlineSince ??= Date.now();
    listener.connection({ status: 'offline', since: offlineSince, reason });
  };
  socket.on('snapshot', (all) => listener.snapshot(all));
  socket.on('camera', (delta) => listener.camera(delta));
  socket.on('sfu', (delta) => listener.sfu(delta));
  socket.on('system', (system) => listener.system(system));
  socket.on('journal', (event) => listener.journal(event));
  socket.on('connect', () => {
    offlineSince = undefined;
    listener.connection({ status: 'online' });
    signalling.open();
  });
  socket.on('disconnect', (reason) => {
    offline(reason);
    // The server ended the connection on purpose (shutdown): Socket.IO only reconnects by itself after losses.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('connect_error', (error) => {
    const code = (error as Error & { data?: { code?: string } }).data?.code;
    if (code === 'LOOKOUT_UNAUTHENTICATED' || code === 'LOOKOUT_FORBIDDEN') {
      socket.disconnect();
      listener.connection({ status: 'unauthenticated' });
      return;
    }
    offline(error.message);
    // A refusal by middleware ends Socket.IO's own attempts; any other error leaves it trying.
    if (!socket.active) setTimeout(() => socket.connect(), options.reconnectionDelayMax);
  });
  socket.connect();
  return () => socket.disconnect();
}
