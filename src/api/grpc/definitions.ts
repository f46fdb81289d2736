/** The published services, loaded from their `.proto` files, and the encoding of an error's details. */
import { loadSync, type MessageTypeDefinition, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';

const dir = import.meta.dirname;
/** Field names as in TypeScript; what was not sent is not there, so that it can be told from a value. */
const options = { longs: Number, enums: String, oneofs: true, includeDirs: [dir] };
const own = loadSync('media_plane.proto', options);
const details = loadSync('rpc_status.proto', options);

/** Full name of our service. */
export const serviceName = 'vms.media.v1.MediaPlane';

/** Everything of `media_plane.proto`, for clients of ours. */
export const packageDefinition: PackageDefinition = own;

/** The service as `Server.addService` wants it. */
export const mediaPlaneService = own[serviceName] as ServiceDefinition;

/** One broken field. */
export type FieldViolation = { field: string; description: string };

/** What an error tells beside its status. */
export type ErrorDetails = { code: number; message: string; reason: string; metadata: Record<string, string>; violations: FieldViolation[] };

/** `google.rpc.Status` as it goes into `grpc-status-details-bin`. */
export function encodeDetails({ code, message, reason, metadata, violations }: ErrorDetails): Buffer {
  // The loader's own Any keeps the spelling of the file.
  const any = (type: string, value: object) => ({ type_url: `type.googleapis.com/${type}`, value: typeOf(type).serialize(value) });
  return typeOf('google.rpc.Status').serialize({
    code, message,
    details: [
      any('google.rpc.ErrorInfo', { reason, domain: 'lookout', metadata }),
      ...(violations.length === 0 ? [] : [any('google.rpc.BadRequest', { fieldViolations: violations })]),
    ],
  });
}

/** Reads what {@link encodeDetails} wrote, for our own clients. */
export function decodeDetails(bytes: Buffer): { code: number; message: string; reason: string; metadata: Record<string, string>; violations: FieldViolation[] } {
  const { code = 0, message = '', details: list = [] } = typeOf('google.rpc.Status').deserialize(bytes) as { code?: number; message?: string; details?: { type_url: string; value: Buffer }[] };
  const find = <T>(type: string) => {
    const entry = list.find(({ type_url: url }) => url.endsWith(`/${type}`));
    return entry && typeOf(type).deserialize(entry.value) as T;
  };
  const info = find<{ reason: string; metadata?: Record<string, string> }>('google.rpc.ErrorInfo');
  return { code, message, reason: info?.reason ?? '', metadata: { ...info?.metadata }, violations: find<{ fieldViolations?: FieldViolation[] }>('google.rpc.BadRequest')?.fieldViolations ?? [] };
}

const typeOf = (name: string) => details[name] as MessageTypeDefinition<object, object>;
