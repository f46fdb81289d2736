/** REST of the same origin: JSON both ways, a deadline on every call, every refusal an ApiError. */
import { ApiError } from './adapter.ts';

/** Longer than the server takes for its longest answer, a probe. */
const deadlineMs = 30_000;

type Call = { method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'; body?: unknown; signal?: AbortSignal };

/** Calls `path` (relative to the page) and returns the parsed answer; null where it has no body. */
export async function rest<T>(path: string, call: Call = {}): Promise<T> {
  const answer = await send(path, call);
  return parse(await answer.text()) as T;
}

/** Fetches a picture, which the browser may not take from its cache unasked. */
export async function picture(path: string, signal: AbortSignal): Promise<Blob> {
  return (await send(path, { signal })).blob();
}

async function send(path: string, { method = 'GET', body, signal }: Call): Promise<Response> {
  const deadline = AbortSignal.timeout(deadlineMs);
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      cache: 'no-cache',
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = deadline.aborted ? 'Lookout did not answer in time.' : 'Lookout cannot be reached.';
    throw new ApiError({ code: 'NETWORK', statusCode: 0, message });
  }
  if (!answer.ok) throw refusal(answer.status, parse(await answer.text()));
  return answer;
}

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(statusCode: number, body: unknown): ApiError {
  const { code, message, details } = (body ?? {}) as { code?: string; message?: string; details?: { path: string; message: string }[] };
  return new ApiError({
    code: code ?? 'UNKNOWN',
    statusCode,
    message: message ?? `Lookout answered with status ${statusCode}.`,
    ...(Array.isArray(details) ? { details } : {}),
  });
}
