/** Namespace `/inspect`: charts and actors once, then what changed; one actor at a time in full. A look lasts as long as its connection. */
import type { Namespace, Socket } from 'socket.io';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { LookoutError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ControlPlane, Look } from '../control.ts';
import { errorBody } from '../errors.ts';
import type { InspectClientEvents, InspectServerEvents } from '../protocol.ts';
import { isBehind } from './backlog.ts';

type InspectSocket = Socket<InspectClientEvents, InspectServerEvents>;

const watchRequest = Compile(Type.Object({ actor: Type.Union([Type.String({ minLength: 1, maxLength: 512 }), Type.Null()]) }, { additionalProperties: false }));

/** Serves the namespace. */
export function serveInspect(namespace: Namespace<InspectClientEvents, InspectServerEvents>, { control, log }: { control: ControlPlane; log: Log }): void {
  namespace.on('connection', (socket) => {
    const look = follow(socket, control);
    (socket as Socket).on('watch', (...args: unknown[]) => {
      const ack = args.at(-1);
      if (typeof ack === 'function') (ack as (answer: object) => void)(answer(look, args[0], log));
    });
    socket.on('disconnect', () => look.close());
  });
}

function answer(look: Look, request: unknown, log: Log): object {
  try {
    if (!watchRequest.Check(request)) throw new LookoutError('LOOKOUT_VALIDATION', { message: 'The request "watch" does not have the expected form.' });
    return { ok: true, value: look.watch(request.actor) };
  } catch (error) {
    const { code, message } = errorBody(error);
    if (code === 'LOOKOUT_INTERNAL') log.error({ err: error }, 'an actor cannot be watched');
    return { ok: false, error: { code, message } };
  }
}

/** A client that is behind hears nothing until it gets everything again. */
function follow(socket: InspectSocket, control: ControlPlane): Look {
  const now = (): string => new Date().toISOString();
  let behind = false;
  const snapshot = (): void => {
    behind = false;
    socket.emit('snapshot', { charts: look.charts(), actors: look.actors(), at: now() });
  };
  const hasRoom = (): boolean => {
    behind ||= isBehind(socket, snapshot);
    return !behind;
  };
  const look: Look = control.inspect({
    actors: (delta) => void (hasRoom() && socket.emit('actors', { ...delta, at: now() })),
    steps: (batch) => void (hasRoom() && socket.emit('steps', { ...batch, at: now() })),
  });
  snapshot();
  return look;
}
