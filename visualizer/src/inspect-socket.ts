/** The inspector's namespace: one look, that begins anew whenever the connection comes back. */
import type { ActorHistoryView, InspectClientEvents, InspectServerEvents } from '../../src/api/protocol.ts';
import type { Socket } from 'socket.io-client';
import { ApiError, type Inspection, type InspectListener } from './adapter.ts';

const answerMs = 10_000;

/** Connects and keeps connected until it is closed. */
export function connectInspector(socket: Socket<InspectServerEvents, InspectClientEvents>, listener: InspectListener): Inspection {
  let again: ReturnType<typeof setTimeout> | undefined;
  const retry = (): void => {
    clearTimeout(again);
    again = setTimeout(() => socket.connect(), 2_000);
  };
  socket.on('snapshot', (all) => listener.snapshot(all));
  socket.on('actors', (delta) => listener.actors(delta));
  socket.on('steps', (batch) => listener.steps(batch));
  socket.on('messages', (batch) => listener.messages(batch));
  socket.on('disconnect', (reason) => {
    listener.lost('The connection to Lookout is lost.');
    if (reason === 'io server disconnect') retry();
  });
  socket.on('connect_error', (error) => {
    listener.lost(error.message);
    // A refusal by middleware ends Socket.IO's own attempts; who may not look is not asked for again.
    const { code } = (error as Error & { data?: { code?: string } }).data ?? {};
    if (!socket.active && code === undefined) retry();
  });
  socket.connect();
  const ask = async <T>(name: keyof InspectClientEvents, request: object): Promise<T> => {
    const answer = await (socket as Socket).timeout(answerMs).emitWithAck(name, request) as { ok: true; value: T } | { ok: false; error: { code: string; message: string } };
    if (!answer.ok) throw new ApiError({ ...answer.error, statusCode: 0 });
    return answer.value;
  };
  return {
    watch: (actor) => ask<ActorHistoryView | null>('watch', { actor }),
    sequence: (below) => ask<void>('sequence', { below }),
    send: (actor, event) => ask<void>('send', { actor, event }),
    close: () => {
      clearTimeout(again);
      // The socket of a namespace is shared by all who ask for it: the next look listens alone.
      socket.off();
      socket.disconnect();
    },
  };
}
