/** Namespace `/inspect`: charts and actors once, then what changed; one actor at a time in full. A look lasts as long as its connection. */
import type { Namespace, Socket } from 'socket.io';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { LookoutError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ControlPlane, Look } from '../control.ts';
import { errorBody } from '../errors.ts';
import type { InspectClientEvents, InspectServerEvents } from '../protocol.ts';
import type { SocketData } from '../socket.ts';
import { isBehind } from './backlog.ts';

type InspectSocket = Socket<InspectClientEvents, InspectServerEvents>;

const actorId = Type.String({ minLength: 1, maxLength: 512 });
/** Sent events are small; what is larger is nobody's hand. */
const mostFields = 16;
const requests = {
  watch: Compile(Type.Object({ actor: Type.Union([actorId, Type.Null()]) }, { additionalProperties: false })),
  sequence: Compile(Type.Object({ below: Type.Union([actorId, Type.Null()]) }, { additionalProperties: false })),
  send: Compile(Type.Object({ actor: actorId, event: Type.Object({ type: Type.String({ minLength: 1, maxLength: 128 }) }, { maxProperties: mostFields }) }, { additionalProperties: false })),
};

/** Serves the namespace. */
export function serveInspect(namespace: Namespace<InspectClientEvents, InspectServerEvents>, { control, log }: { control: ControlPlane; log: Log }): void {
  namespace.on('connection', (socket) => {
    const look = follow(socket, control);
    const by = (socket.data as SocketData).identity.name;
    const handle = <K extends keyof typeof requests>(name: K, work: (request: RequestOf<K>) => unknown): void => {
      (socket as Socket).on(name as string, (...args: unknown[]) => {
        const ack = args.at(-1);
        const done = answer(() => work(checked(name, args[0])), name, log);
        if (typeof ack === 'function') (ack as (answer: object) => void)(done);
      });
    };
    handle('watch', ({ actor }) => look.watch(actor));
    handle('sequence', ({ below }) => look.sequence(below) ?? null);
    handle('send', ({ actor, event }) => look.send(actor, event, by) ?? null);
    socket.on('disconnect', () => look.close());
  });
}

type RequestOf<K extends keyof InspectClientEvents> = Parameters<InspectClientEvents[K]>[0];

function checked<K extends keyof typeof requests>(name: K, request: unknown): RequestOf<K> {
  if (!requests[name].Check(request)) throw new LookoutError('LOOKOUT_VALIDATION', { message: `The request "${name}" does not have the expected form.` });
  return request as RequestOf<K>;
}

function answer(work: () => unknown, name: string, log: Log): object {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    const { code, message } = errorBody(error);
    if (code === 'LOOKOUT_INTERNAL') log.error({ err: error, request: name }, 'a request of an inspector failed');
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
    messages: (batch) => void (hasRoom() && socket.emit('messages', { ...batch, at: now() })),
  });
  snapshot();
  return look;
}
