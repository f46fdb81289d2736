/** From whatever was thrown to a gRPC status with details: the same catalogue and the same words as over REST. */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import type { ErrorCode } from '../../errors.ts';
import { errorBody } from '../errors.ts';
import { encodeDetails } from './definitions.ts';

/** Codes whose HTTP status says less than gRPC can. */
const ofCode: Partial<Record<ErrorCode, status>> = {
  LOOKOUT_CAMERA_EXISTS: status.ALREADY_EXISTS,
  LOOKOUT_TOKEN_EXISTS: status.ALREADY_EXISTS,
  LOOKOUT_ROUTE_NOT_FOUND: status.UNIMPLEMENTED,
};

/** HTTP status → gRPC status; `docs/api.md` has this table. */
export const ofHttp: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  415: status.INVALID_ARGUMENT,
  422: status.FAILED_PRECONDITION,
  429: status.RESOURCE_EXHAUSTED,
  500: status.INTERNAL,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** The error a call ends with. */
export function serviceError(error: unknown, about: { requestId: string; camera?: string | undefined }): ServiceError {
  const body = errorBody(error);
  const code = ofCode[body.code as ErrorCode] ?? ofHttp[body.statusCode] ?? status.UNKNOWN;
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeDetails({
    code, message: body.message, reason: body.code,
    metadata: {
      requestId: about.requestId,
      ...(about.camera === undefined ? {} : { camera: about.camera }),
      ...(body.failure === undefined ? {} : { failureClass: body.failure.class, failureCode: body.failure.code }),
    },
    violations: (body.details ?? []).map(({ path, message }) => ({ field: path, description: message })),
  }));
  return Object.assign(new Error(body.message), { code, details: body.message, metadata });
}
