/** fast-check arbitraries from JSON schemas: what fits, what nearly fits, and what was never meant to. */
import fc from 'fast-check';

/** The part of JSON Schema that Lookout's own documents use; an unknown keyword that decides is an error. */
export type Schema = {
  type?: string; enum?: unknown[]; const?: unknown; anyOf?: Schema[]; format?: string; pattern?: string; not?: Schema;
  properties?: Record<string, Schema>; required?: string[]; items?: Schema; uniqueItems?: boolean;
  minLength?: number; maxLength?: number; minimum?: number; maximum?: number; minItems?: number; maxItems?: number;
};

/** Texts for a property of this name, before the schema is asked: addresses that are safe to connect to, ids that exist. */
export type Hints = Record<string, fc.Arbitrary<unknown>>;

const longText = 300;

/** Text that breaks out of what it is put into, where that is careless: paths, launch descriptions, SQL, headers, HTML, printf. */
export const hostileText = fc.constantFrom(
  '', ' ', '\0', '../../../etc/passwd', '..%2f..%2fetc%2fpasswd', '" ! filesink location=/tmp/lookout-fuzz ! "', "'; DROP TABLE cameras; --", '<script>alert(1)</script>',
  '%s%n%x', 'a\r\nX-Injected: 1', '\u202e\ufeff\ud800', '__proto__', 'constructor', '${jndi:ldap://127.0.0.1/a}', '-rf', 'NaN', '1e999', 'x'.repeat(5_000), '💡'.repeat(200), 'null', '[object Object]',
);

/** Any JSON value, small. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 3 }), hostileText, fc.constantFrom(-0, -1, 2 ** 31, 2 ** 53, 1e308, 0.1, []));

/** Values that the schema accepts. */
export function valid(schema: Schema, hints: Hints = {}): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => valid(each, hints)));
  switch (schema.type) {
    case 'object': return validObject(schema, hints);
    case 'array': return fc.array(valid(schema.items ?? {}, hints), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 4, Math.max(4, schema.minItems ?? 0)) });
    case 'string': return validText(schema);
    case 'integer': return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: Math.min(schema.maximum ?? 2 ** 31, Number.MAX_SAFE_INTEGER) });
    case 'number': return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    case undefined: return anyJson;
    default: throw new Error(`a type that no schema of ours had: ${schema.type}`);
  }
}

function validObject({ properties = {}, required = [] }: Schema, hints: Hints): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, hints[name] ?? valid(each, hints)]));
  return fc.record(fields, { requiredKeys: required });
}

function validText({ pattern, format, minLength = 0, maxLength = longText }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  if (format === 'date-time') return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((date) => date.toISOString());
  return fc.oneof(fc.string({ minLength, maxLength: Math.min(maxLength, Math.max(longText, minLength)) }), hostileText.filter((text) => text.length >= minLength && text.length <= maxLength));
}

/** Valid but for one thing: a field too many, too few, or of another kind, at any depth. */
export function nearlyValid(schema: Schema, hints: Hints = {}): fc.Arbitrary<unknown> {
  return fc.tuple(valid(schema, hints), fc.infiniteStream(fc.nat()), anyJson).map(([value, choices, wrong]) => spoil(value, () => choices.next().value ?? 0, wrong));
}

function spoil(value: unknown, choose: () => number, wrong: unknown): unknown {
  if (typeof value !== 'object' || value === null) return wrong;
  const keys = Object.keys(value);
  const key = keys[choose() % Math.max(1, keys.length)] ?? 'none';
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value as unknown[]] : { ...value };
  const at = copy as Record<string, unknown>;
  const kind = choose() % 4;
  if (kind === 0) delete at[key];
  else if (kind === 1) at[`extra${choose() % 10}`] = wrong;
  else if (kind === 2) at[key] = wrong;
  else at[key] = spoil(at[key], choose, wrong);
  return copy;
}
