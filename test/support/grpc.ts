/** Clients of a test for gRPC: ours (grpc-js), with promises and decoded error details. */
import type { TestContext } from 'node:test';
import { credentials, loadPackageDefinition, Metadata, type CallOptions, type Client, type ClientReadableStream, type GrpcObject, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { decodeDetails, packageDefinition } from '../../src/api/grpc/definitions.ts';
import { defer } from './defer.ts';

/** A decoded message. */
export type Message = Record<string, unknown>;

/** A failed call: numbers of gRPC, and what the details say. */
export type CallError = { code: number; message: string; reason: string; metadata: Record<string, string>; violations: { field: string; description: string }[] };

/** A client of one address. */
export type GrpcClient = {
  /** One unary call; rejects with the {@link ServiceError}. */
  call<T = Message>(name: string, request?: object, options?: { token?: string; timeoutMs?: number; signal?: AbortSignal }): Promise<T>;
  /** The call's error, which it must have. */
  fails(name: string, request?: object, options?: { token?: string; timeoutMs?: number; signal?: AbortSignal }): Promise<CallError>;
  /** A server stream; what arrived so far, and how it ended. */
  stream(name: string, request?: object, options?: { token?: string; timeoutMs?: number }): { call: ClientReadableStream<Message>; events: Message[]; ended: Promise<CallError | null> };
};

type Method = (...args: unknown[]) => unknown;

const services: Record<string, () => ServiceClientConstructor> = {
  MediaPlane: () => (((loadPackageDefinition(packageDefinition)['vms'] as GrpcObject)['media'] as GrpcObject)['v1'] as GrpcObject)['MediaPlane'] as ServiceClientConstructor,
  Health: () => ((((loadPackageDefinition({ 'grpc.health.v1.Health': healthService }))['grpc'] as GrpcObject)['health'] as GrpcObject)['v1'] as GrpcObject)['Health'] as ServiceClientConstructor,
};

/** Connects, over TLS where `ca` is given; `token` is what calls send where they do not say otherwise (`''`: nothing). */
export function grpcClient(t: TestContext, port: number, { service = 'MediaPlane', token = 'admin-token', ca }: { service?: 'MediaPlane' | 'Health'; token?: string; ca?: Buffer } = {}): GrpcClient {
  const Service = services[service]?.() as ServiceClientConstructor;
  const client = new Service(`127.0.0.1:${port}`, ca === undefined ? credentials.createInsecure() : credentials.createSsl(ca), { 'grpc.use_local_subchannel_pool': 1 }) as Client & Record<string, Method>;
  defer(t, () => client.close());
  const begin = (options: { token?: string; timeoutMs?: number }): [Metadata, CallOptions] => {
    const metadata = new Metadata();
    const given = options.token ?? token;
    if (given !== '') metadata.set('authorization', `Bearer ${given}`);
    return [metadata, options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs }];
  };
  const call: GrpcClient['call'] = (name, request = {}, options = {}) => new Promise((resolve, reject) => {
    const running = client[name]?.(request, ...begin(options), (error: ServiceError | null, value: unknown) => (error === null ? resolve(value as never) : reject(error))) as { cancel(): void };
    options.signal?.addEventListener('abort', () => running.cancel());
  });
  return {
    call,
    fails: (name, request, options) => call(name, request, options).then(() => Promise.reject(new Error(`${name} succeeded`)), (error: ServiceError) => callError(error)),
    stream(name, request = {}, options = {}) {
      const running = client[name]?.(request, ...begin(options)) as ClientReadableStream<Message>;
      const events: Message[] = [];
      running.on('data', (event: Message) => void events.push(event));
      const ended = new Promise<CallError | null>((resolve) => {
        running.on('end', () => resolve(null));
        running.on('error', (error: ServiceError) => resolve(callError(error)));
      });
      return { call: running, events, ended };
    },
  };
}

function callError(error: ServiceError): CallError {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const details = Buffer.isBuffer(bytes) ? decodeDetails(bytes) : { reason: '', metadata: {}, violations: [] };
  return { ...details, code: error.code, message: error.details };
}
