/** The last filter before anything is sent: only what a schema names, and no credential inside any text. */
import type { TSchema } from 'typebox';
import { redactText } from '../camera-url.ts';

const clean = (text: string) => (text.includes('://') ? redactText(text) : text);

/** Copy of a value with the credentials of addresses taken out of its texts. */
export function redacted(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, redacted(entry)]));
}

/** Copy of a value with what the schema names, redacted: Socket.IO frames have no serialiser that would do it. */
export function shown<T>(schema: TSchema, value: T): T {
  return pick(schema as Shape, value) as T;
}

type Shape = { properties?: Record<string, Shape>; items?: Shape };

function pick(schema: Shape, value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value !== 'object' || value === null) return value;
  const { items, properties } = schema;
  if (Array.isArray(value)) return items === undefined ? [] : value.map((entry) => pick(items, entry));
  const named = Object.entries(properties ?? {}).filter(([key]) => key in value);
  return Object.fromEntries(named.map(([key, child]) => [key, pick(child, (value as Record<string, unknown>)[key])]));
}
