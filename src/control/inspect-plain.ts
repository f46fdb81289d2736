/** What an inspector may show of a context or an event: plain JSON, bounded, and without anything that proves an identity. */
import { redactText } from '../camera-url.ts';
import { FailureError } from '../errors.ts';

const maxDepth = 6;
const maxEntries = 64;
const maxText = 500;
/** Fields whose value is a secret whatever it looks like. */
const secret = /pass(?:word|wd|phrase)?$|secret|token|authorization|cookie|credential|private|iceParameters|dtls/iu;

/** Copies a value as far as it may be shown. Actors become their id, bytes their number, what is too deep or too long is cut. */
export function plain(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string': return text(value);
    case 'boolean': case 'undefined': return value;
    case 'number': return Number.isFinite(value) ? value : String(value);
    case 'bigint': case 'symbol': return String(value);
    case 'function': return undefined;
    case 'object': return value === null ? null : object(value, depth);
  }
}

function object(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  // Its class decides what a machine does next: without it a history could not be followed.
  if (value instanceof FailureError) return { failure: plain({ ...value.failure }, depth + 1) };
  if (value instanceof Error) return text(`${value.name}: ${value.message}`);
  if (value instanceof Date) return value.toISOString();
  // `CameraUrl`, and whoever else knows how it may be shown.
  if ('toJSON' in value && typeof value.toJSON === 'function' && !('getSnapshot' in value)) return plain((value.toJSON as () => unknown)(), depth + 1);
  if ('getSnapshot' in value) return { actor: text(String((value as { id?: unknown }).id)) };
  if (depth >= maxDepth) return '…';
  if (value instanceof Map) return entries([...value].map(([key, item]) => [String(key), item] as const), depth);
  if (Array.isArray(value) || value instanceof Set) return list([...value], depth);
  const { constructor } = value;
  if (typeof constructor === 'function' && constructor !== Object) return `[${constructor.name}]`;
  return entries(Object.entries(value), depth);
}

function list(items: readonly unknown[], depth: number): unknown[] {
  const shown = items.slice(0, maxEntries).map((item) => plain(item, depth + 1) ?? null);
  return items.length > maxEntries ? [...shown, `… ${items.length - maxEntries} more`] : shown;
}

function entries(pairs: (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  const shown = pairs.slice(0, maxEntries).map(([key, item]) => [text(key), secret.test(key) && item !== null && item !== undefined ? '[removed]' : plain(item, depth + 1)] as const);
  return Object.fromEntries(pairs.length > maxEntries ? [...shown, ['…', `${pairs.length - maxEntries} more`] as const] : shown);
}

function text(value: string): string {
  const safe = redactText(value);
  return safe.length > maxText ? `${safe.slice(0, maxText)}…` : safe;
}
