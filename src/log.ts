/** The log: pino, one static message with fields, a plane on every line, and no credential in any of them. */
import { createRequire } from 'node:module';
import pino, { type DestinationStream, type Logger } from 'pino';
import { redactText } from './camera-url.ts';

/** A logger whose lines are redacted; make it with {@link createLog}, give each part a child by {@link planeLog}. */
export type Log = Logger;

/** Which part of the system a line is about: decisions, media processes, or the SFU. */
export type Plane = 'control' | 'media' | 'sfu';

/** Where lines go beside standard output. */
export type OnLine = (line: string, of: { plane: Plane; isError: boolean }) => void;

/** From the quietest to the loudest. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Fields that are secret whatever they hold. A camera's `url` is not among them: its strings are redacted instead. */
const secretKeys = new Set(['authorization', 'cookie', 'set-cookie', 'password', 'pass', 'token', 'secret', 'internalsecret', 'x-internal-auth', 'user-pw']);

const planeKey = Symbol('plane');
/** Children by their parent; there are a handful, made once. */
const planes = new WeakMap<Log, Log[]>();
const maxDepth = 6;
const maxEntries = 200;

/** Removes credentials of RTSP addresses, tokens of queries and fragments, and authorization headers from a text. */
export function redactLine(text: string): string {
  return redactText(text)
    .replace(/([?&#](?:token|access_token)=)[^&\s"']+/giu, '$1***')
    .replace(/\blookout_[\w-]{32}(?![\w-])/gu, 'lookout_***')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/-]{4,}=*/giu, '$1 ***')
    .replace(/\b(username|response)=(\\?")[^"\\]+/giu, '$1=$2***');
}

/** Makes the program's logger: JSON lines, or readable ones where a person looks at a terminal. `onLine` is given each line as JSON, redacted. */
export function createLog(options: { level?: LogLevel; destination?: DestinationStream; onLine?: OnLine } = {}): Log {
  const destination = options.destination ?? prettyStream() ?? pino.destination({ fd: 1, sync: true });
  return pino(
    {
      level: options.level ?? levelFromEnvironment(),
      base: { pid: process.pid },
      mixin: (_, __, logger) => ({ plane: (logger as PlaneCarrier)[planeKey] ?? ('control' satisfies Plane) }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields) as Record<string, unknown> },
      // The formatter has made errors plain already.
      serializers: { err: (error: unknown) => error, req: requestFields, res: responseFields },
    },
    // Whatever way a text got into a line (message, child binding, error of a library), it leaves through here.
    {
      [Symbol.for('pino.metadata')]: true,
      write(this: Metadata, line: string) {
        const redacted = redactLine(line);
        destination.write(redacted);
        options.onLine?.(redacted, { plane: (this.lastLogger as PlaneCarrier | undefined)?.[planeKey] ?? 'control', isError: this.lastLevel >= pino.levels.values['error']! });
      },
    } as DestinationStream,
  );
}

/** A child whose lines, and those of its own children, belong to another plane. */
export function planeLog(log: Log, plane: Plane, fields: Record<string, unknown> = {}): Log {
  // As a binding it would be in the line twice; pino's children inherit properties of their parents.
  const child = Object.assign(log.child(fields), { [planeKey]: plane });
  planes.set(log, [...planes.get(log) ?? [], child]);
  return child;
}

/** Changes the level of a log and of its planes: pino's children keep the level they were made with. */
export function setLogLevel(log: Log, level: LogLevel): void {
  log.level = level;
  for (const child of planes.get(log) ?? []) setLogLevel(child, level);
}

/** What pino tells a destination that asks for it. */
type Metadata = { lastLevel: number; lastLogger?: unknown };
type PlaneCarrier = { [planeKey]?: Plane };

/** Deep copy without the values of secret keys; bounded in depth and width, so that no line can stop the program. */
function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return plainError(value, depth);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return withoutSecrets(value.toJSON(), depth + 1);
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => withoutSecrets(entry, depth + 1));
  const known = (key: string) => depth === 0 && (key === 'req' || key === 'res');
  return Object.fromEntries(Object.entries(value).slice(0, maxEntries).map(([key, entry]) => {
    if (secretKeys.has(key.toLowerCase()) && entry != null) return [key, '***'];
    return [key, known(key) ? entry : withoutSecrets(entry, depth + 1)];
  }));
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const own = Object.entries(error).map(([key, value]) => [key, withoutSecrets(value, depth + 1)]);
  const cause = error.cause === undefined ? {} : { cause: withoutSecrets(error.cause, depth + 1) };
  return { ...Object.fromEntries(own), type: error.name, message: error.message, stack: error.stack, ...cause };
}

type RequestLike = { id?: unknown; method?: unknown; url?: unknown; ip?: unknown };

function requestFields(request: RequestLike): Record<string, unknown> {
  return { id: request.id, method: request.method, url: request.url, remoteAddress: request.ip };
}

function responseFields(reply: { statusCode?: unknown }): Record<string, unknown> {
  return { statusCode: reply.statusCode };
}

function levelFromEnvironment(): LogLevel {
  const level = process.env['LOOKOUT_LOG_LEVEL'];
  return logLevels.find((known) => known === level) ?? 'info';
}

/** pino-pretty where it is installed and standard output is a terminal; it is not needed to run. */
function prettyStream(): DestinationStream | undefined {
  if (!process.stdout.isTTY) return undefined;
  try {
    const pretty = createRequire(import.meta.url)('pino-pretty') as (options: Record<string, unknown>) => DestinationStream;
    return pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true, colorize: true });
  } catch {
    return undefined;
  }
}
