/** What every call goes through: who asks, may it, how long, and how its end is told and logged. */
import { randomUUID } from 'node:crypto';
import { Metadata, type handleServerStreamingCall, type handleUnaryCall, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import type { Config } from '../../config.ts';
import { LookoutError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { grpcRoles } from '../access-table.ts';
import { includesRole, type Auth, type Identity } from '../auth.ts';
import { errorBody } from '../errors.ts';
import { createMinuteCounter, subscriberOf } from '../limits.ts';
import { serviceName } from './definitions.ts';
import type { Message } from './messages.ts';
import { serviceError } from './status.ts';

/** Our own calls, by the names of the `.proto`. */
export type CallName = { [K in keyof typeof grpcRoles]: K extends `vms.media.v1.MediaPlane/${infer Name}` ? Name : never }[keyof typeof grpcRoles];

/** Who asks, and when the answer is no longer wanted: cancelled, past its deadline, or the token was revoked. */
export type CallContext = { identity: Identity; signal: AbortSignal };

/** Wraps the work of a call. */
export type Calls = {
  unary(name: CallName, work: (request: Message, context: CallContext) => Promise<Message>): handleUnaryCall<Message, Message>;
  /** The stream ends when `work` resolves, or with its error. */
  stream(name: CallName, work: (call: ServerWritableStream<Message, Message>, context: CallContext) => Promise<void>): handleServerStreamingCall<Message, Message>;
  /** Ends what runs: nobody waits for an answer that will not come. */
  close(): void;
};

type Call = ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>;
type Deps = { auth: Auth; config: Pick<Config, 'api'>; log: Log };

/** A call without a deadline of its own gets this one, as a request over REST. Streams last as long as they want. */
const longestMs = 30_000;
const longestTimerMs = 2 ** 31 - 1;

/** Makes the wrappers. */
export function createCalls({ auth, config, log }: Deps): Calls {
  const running = new Set<{ key: string | undefined; controller: AbortController }>();
  const requests = createMinuteCounter();
  auth.onEnd((key) => {
    for (const call of running) if (call.key === key) call.controller.abort(new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: 'This token is not valid any more.' }));
  });

  const admit = async (name: CallName, call: Call): Promise<Identity> => {
    const address = addressOf(call.getPeer());
    const subscriber = subscriberOf(address);
    requests.count(subscriber);
    if (requests.of(subscriber) > config.api.requestsPerMinute) throw new LookoutError('LOOKOUT_RATE_LIMITED');
    const [authorization] = call.metadata.get('authorization');
    const identity = await auth.identify({ authorization: typeof authorization === 'string' ? authorization : undefined, address });
    if (identity === undefined) throw new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: 'Send a token in the metadata: authorization: Bearer TOKEN.' });
    const role = grpcRoles[`${serviceName}/${name}`];
    if (!includesRole(identity.role, role)) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: `This needs the role ${role}; yours is ${identity.role}.` });
    return identity;
  };

  /** Runs `work` until it is done or nobody wants it any more; `finish` hears of the end once. */
  const run = async <T>(name: CallName, call: Call, { work, finish, limitMs }: { work: (context: CallContext) => Promise<T>; finish: (error: unknown, value?: T) => void; limitMs: number }): Promise<void> => {
    const began = performance.now();
    const controller = new AbortController();
    const entry: { key: string | undefined; controller: AbortController } = { key: undefined, controller };
    const { signal } = controller;
    running.add(entry);
    const late = setTimeout(() => controller.abort(new LookoutError('LOOKOUT_DEADLINE')), Math.min(limitMs, msUntil(call.getDeadline())));
    call.on('cancelled', () => controller.abort(new LookoutError('LOOKOUT_DEADLINE', { message: 'The call was cancelled.' })));
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    let identity: Identity | undefined;
    let failed: unknown;
    try {
      identity = await Promise.race([admit(name, call), aborted]);
      entry.key = identity.key;
      const ends = setTimeout(() => controller.abort(new LookoutError('LOOKOUT_UNAUTHENTICATED', { message: 'This token has expired.' })), Math.min(longestTimerMs, identity.expiresAt - Date.now()));
      ends.unref();
      finish(null, await Promise.race([work({ identity, signal }), aborted]).finally(() => clearTimeout(ends)));
    } catch (error) {
      failed = error;
      finish(error);
    } finally {
      clearTimeout(late);
      running.delete(entry);
      // Whoever waits for it (a watch) hears that it is over.
      controller.abort();
      noteEnd(log, { name, call, failed, by: identity?.name ?? null, milliseconds: Math.round(performance.now() - began) });
    }
  };
  const begin = (call: Call) => {
    const requestId = randomUUID();
    const head = new Metadata();
    head.set('x-request-id', requestId);
    call.sendMetadata(head);
    const { id } = call.request;
    return (error: unknown) => serviceError(error, { requestId, camera: typeof id === 'string' ? id : undefined });
  };

  return {
    unary: (name, work) => (call, callback) => {
      const errorOf = begin(call);
      void run(name, call, {
        limitMs: longestMs,
        work: (context) => work(call.request, context),
        finish: (error, value) => (error === null ? callback(null, value ?? {}) : callback(errorOf(error))),
      });
    },
    stream: (name, work) => (call) => {
      const errorOf = begin(call);
      void run(name, call, {
        limitMs: longestTimerMs,
        work: (context) => work(call, context),
        finish: (error) => (error === null ? call.end() : call.emit('error', errorOf(error))),
      });
    },
    close() {
      for (const { controller } of running) controller.abort(new LookoutError('LOOKOUT_SHUTTING_DOWN'));
    },
  };
}

/** Who changed what, one line each, as over REST; reading is not worth a line. */
function noteEnd(log: Log, { name, call, failed, ...fields }: { name: CallName; call: Call; failed: unknown; by: string | null; milliseconds: number }): void {
  const code = failed === undefined ? 'OK' : errorBody(failed).code;
  const line = { call: name, code, ...fields };
  if (code === 'LOOKOUT_INTERNAL') log.error({ ...line, err: failed }, 'call failed by a mistake of ours');
  else if (grpcRoles[`${serviceName}/${name}`] === 'viewer') log.debug(line, 'call answered');
  else log.info({ ...line, camera: call.request['id'] }, 'call answered');
}

function msUntil(deadline: Date | number): number {
  const at = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Math.max(0, at - Date.now());
}

/** `ipv4:127.0.0.1:5000`, `127.0.0.1:5000` or `[::1]:5000`, as grpc-js names its peers. */
export function addressOf(peer: string): string {
  return peer.replace(/^ipv[46]:/u, '').replace(/:\d+$/u, '').replace(/^\[|\]$/gu, '');
}
