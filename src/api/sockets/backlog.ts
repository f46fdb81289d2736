/** Clients that read slower than news come: they would grow the server's memory. */
import type { Socket } from 'socket.io';

/** Packets waiting for one client before it is behind. */
const limit = 64;

/**
 * True where a client is behind; `caughtUp` is called when its connection has drained. Single news left out would leave it with
 * a wrong picture: it gets nothing until then, and everything again. `writeBuffer` is a private field of engine.io 6.6;
 * nothing public tells the backlog.
 */
export function isBehind(socket: Pick<Socket, 'conn' | 'connected'>, caughtUp: () => void): boolean {
  const connection = socket.conn as unknown as { writeBuffer?: unknown[]; once(event: 'drain', listener: () => void): void };
  if ((connection.writeBuffer?.length ?? 0) < limit) return false;
  connection.once('drain', () => {
    if (socket.connected) caughtUp();
  });
  return true;
}
