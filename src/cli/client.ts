/** REST as the commands use it: where Lookout is, who asks, and errors as sentences. */
import { readFileSync } from 'node:fs';
import { UsageError, type Call } from './command.ts';

/** What Lookout answered instead of what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** One request; the JSON of the answer, or its text where it is none. Rejects with {@link ApiError}. */
export type Api = <T>(method: string, path: string, body?: unknown) => Promise<T>;

const requestMs = 60_000;

/** Reads address and token from flags, then the environment. */
export function createApi({ values }: Pick<Call, 'values'>): Api {
  const { url, token } = { url: addressOf(values), token: tokenOf(values) };
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(requestMs),
    }).catch((error: unknown) => {
      throw new ApiError('LOOKOUT_UNREACHABLE', `No Lookout answers at ${url.origin} (${reasonOf(error)}).`);
    });
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return (answer ?? (text === '' ? undefined : text)) as T;
    const { code = `HTTP_${response.status}`, message = `${url.origin} answered ${response.status}.`, failure } = (answer ?? {}) as { code?: string; message?: string; failure?: { class: string } };
    throw new ApiError(code, failure === undefined ? message : `${message} (${failure.class})`);
  };
}

function addressOf(values: Call['values']): URL {
  const given = String(values['url'] ?? (process.env['LOOKOUT_URL'] || `http://127.0.0.1:${process.env['LOOKOUT_PORT'] || '8085'}`));
  if (!URL.canParse(given) || !/^https?:/u.test(given)) throw new UsageError('The address of Lookout must look like http://127.0.0.1:8085.');
  return new URL(given);
}

function tokenOf(values: Call['values']): string {
  const file = values['token-file'];
  const token = typeof file === 'string' ? readToken(file) : String(values['token'] ?? process.env['LOOKOUT_TOKEN'] ?? '');
  if (token === '') throw new UsageError('Give a token: set LOOKOUT_TOKEN, or --token-file FILE.');
  // Anything else cannot be a header.
  if (!/^[\x21-\x7e]+$/u.test(token)) throw new UsageError('The token holds white space or foreign characters.');
  return token;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`The token file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`);
  }
}

function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  return cause?.code ?? cause?.message ?? name ?? 'unknown reason';
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
