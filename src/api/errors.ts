/** From whatever was thrown to the one error shape of the interfaces, `{statusCode, code, error, message, …}`. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { redactText } from '../camera-url.ts';
import { errorCatalogue, LookoutError, type ErrorCode, type Failure } from '../errors.ts';
import type { LastError } from './protocol.ts';
import type { ErrorBody } from './schemas.ts';

/** A failure as it is shown: the time as ISO 8601, nothing that could hold a credential. */
export function shownFailure(failure: Failure): LastError {
  return { class: failure.class, code: failure.code, message: redactText(failure.message), at: new Date(failure.at).toISOString() };
}

/** The body for an error. Messages of mistakes of ours stay in the log. */
export function errorBody(error: unknown): ErrorBody {
  if (error instanceof LookoutError) {
    const { lastPictureAgeMs: picture, path } = error as { lastPictureAgeMs?: number | null; path?: string };
    return {
      ...body(error.code, redactText(error.message)),
      ...(path === undefined ? {} : { details: [{ path, message: redactText(error.message) }] }),
      ...(error.failure === undefined ? {} : { failure: shownFailure(error.failure) }),
      ...(picture === undefined ? {} : { lastPictureAgeMs: picture }),
    };
  }
  const { validation, validationContext, statusCode } = (error ?? {}) as Partial<FastifyError>;
  if (validation !== undefined) return validationBody(validation as ValidationProblem[], validationContext);
  if (statusCode === 413) return body('LOOKOUT_TOO_LARGE');
  if (statusCode === 415) return body('LOOKOUT_MEDIA_TYPE');
  if (statusCode === 429) return body('LOOKOUT_RATE_LIMITED');
  if (statusCode === 404) return body('LOOKOUT_ROUTE_NOT_FOUND');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return { ...body('LOOKOUT_VALIDATION', 'The request cannot be read.'), statusCode, error: STATUS_CODES[statusCode] ?? 'Bad Request' };
  return body('LOOKOUT_INTERNAL');
}

/** Fastify's error handler. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = errorBody(error);
  if (answer.statusCode >= 500 && !(error instanceof LookoutError)) request.log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed by a mistake of ours');
  if (answer.statusCode === 429 && reply.getHeader('retry-after') === undefined) void reply.header('retry-after', '60');
  if (answer.statusCode === 401) void reply.header('www-authenticate', 'Bearer realm="lookout"');
  void reply.code(answer.statusCode).type('application/json; charset=utf-8').send(answer);
}

/** What no HTTP parser can read, or what took too long to arrive: an answer where there is still somebody to hear it, and the end. */
export function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const statusCode = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const text = JSON.stringify(errorBody({ statusCode }));
  if (socket.writable) socket.write(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
  socket.destroy(error);
}

type ValidationProblem = { keyword: string; instancePath: string; message?: string; params?: Record<string, unknown> };

/** `details` names fields and rules; it never repeats a value, which may be an address with its password. */
function validationBody(problems: ValidationProblem[], context = 'body'): ErrorBody {
  if (context === 'params' && problems.some((problem) => problem.instancePath === '/id')) return body('LOOKOUT_CAMERA_ID');
  const details = new Map<string, string>();
  for (const problem of problems) {
    // A foreign field is told twice, once for the object around it; a choice once per branch, and once for the whole.
    if (problem.keyword === 'additionalProperties' || problem.keyword === 'const') continue;
    const missing = problem.keyword === 'required' ? (problem.params?.['requiredProperties'] as string[] | undefined) ?? [] : [''];
    for (const name of missing) {
      const path = `${problem.instancePath}${name === '' ? '' : `/${name}`}`.slice(1).replaceAll('/', '.') || context;
      if (!details.has(path)) details.set(path, ruleOf(problem, problems));
    }
  }
  const list = [...details].slice(0, 20).map(([path, message]) => ({ path, message }));
  const first = list[0];
  return { ...body('LOOKOUT_VALIDATION', first === undefined ? undefined : `The request does not have the expected form: ${first.path} ${first.message}.`), details: list };
}

function ruleOf({ keyword, instancePath, message }: ValidationProblem, all: ValidationProblem[]): string {
  if (keyword === 'required') return 'is required';
  if (keyword === 'boolean') return 'is not a field';
  const choices = all.filter((other) => other.keyword === 'const' && other.instancePath === instancePath).map((other) => String(other.params?.['allowedValue']));
  return keyword === 'anyOf' && choices.length > 0 ? `must be one of ${choices.join(', ')}` : (message ?? 'is not valid');
}

function body(code: ErrorCode, message?: string): ErrorBody {
  const [statusCode, standard] = errorCatalogue[code];
  return { statusCode, code, error: STATUS_CODES[statusCode] ?? 'Error', message: message ?? standard };
}
