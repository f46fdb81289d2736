/** Real Socket.IO clients of a test, closed with it. */
import type { TestContext } from 'node:test';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { defer } from './defer.ts';

/** Connects; resolves when connected, rejects with the error of the server (its `data.code`). */
export function connectSocket(t: TestContext, url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, ...options });
  defer(t, () => void socket.disconnect());
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', reject);
  });
}

/** An acknowledged request, answered within 5 s. */
export function ask(socket: Socket, event: string, ...args: unknown[]): Promise<{ ok: boolean; value?: never; error?: { code: string; message: string } }> {
  return socket.timeout(5000).emitWithAck(event, ...args) as Promise<{ ok: boolean; value?: never; error?: { code: string; message: string } }>;
}

/** Everything that arrives under one name, from now on. */
export function collect<T>(socket: Socket, event: string): T[] {
  const received: T[] = [];
  socket.on(event, (message: T) => void received.push(message));
  return received;
}
