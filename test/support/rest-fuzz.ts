/** Random requests against every route of a running program, made from its own OpenAPI document. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { errorCatalogue } from '../../src/errors.ts';
import type { Lookout } from './lookout.ts';
import { anyJson, hostileText, nearlyValid, valid, type Hints, type Schema } from './schema-arbitraries.ts';

type Parameter = { in: string; name: string; schema: Schema };
type Operation = { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema: Schema }> } };
type Document = { paths: Record<string, Record<string, Operation>> };
type Sent = { method: string; path: string; headers: Record<string, string>; body: string };
type Answer = { status: number; body: string };

/** What a camera that is away may be answered with; every other 5xx is a mistake of ours. */
const awayCodes = ['LOOKOUT_NOT_LIVE', 'LOOKOUT_PROBE_FAILED'];
const batch = 10;
const requestMs = 30_000;
const token = 'test-admin-token-of-this-run';

/** Nobody answers there: port 9 of loopback. */
const address = fc.oneof(fc.constantFrom('rtsp://127.0.0.1:9/a', 'rtsps://user:word@127.0.0.1:9/b'), hostileText, fc.constantFrom('file:///etc/passwd', 'http://169.254.169.254/', 'rtsp://', 'rtsp://127.0.0.1:99999/', 'rtsp://[::1', 'rtsp://127.0.0.1:9/" ! filesink location=/tmp/lookout-fuzz'));
/** A few, so that requests meet what others made. */
const identifier = fc.constantFrom('gate', 'a', 'b', 'c');
const hints: Hints = { url: address, id: identifier, camera: identifier };

/** One request to one of the routes. */
function requests({ paths }: Document): fc.Arbitrary<Sent> {
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).filter(([method]) => method !== 'head').map(([method, operation]) => ({ path, method, ...operation })));
  assert.ok(operations.length > 40, 'every route is in the document');
  return fc.constantFrom(...operations).chain(({ path, method, parameters = [], requestBody }) => {
    const [schema] = Object.values(requestBody?.content ?? {}).map((content) => content.schema);
    const inPath = parameters.filter((each) => each.in === 'path');
    const inQuery = parameters.filter((each) => each.in === 'query');
    return fc.record({
      values: fc.tuple(...inPath.map(({ name, schema: each }) => fc.oneof({ weight: 4, arbitrary: hints[name] ?? valid(each) }, hostileText, fc.string()))),
      query: fc.record(Object.fromEntries(inQuery.map(({ name, schema: each }) => [name, fc.oneof({ weight: 3, arbitrary: hints[name] ?? valid(each) }, hostileText)])), { requiredKeys: [] }),
      extra: fc.option(fc.tuple(fc.string(), fc.string()), { freq: 8 }),
      body: bodyOf(schema),
      headers: headersOf(path),
    }).map(({ values, query, extra, body, headers }) => ({
      method: method.toUpperCase(),
      path: `${inPath.reduce((text, { name }, index) => text.replace(`{${name}}`, encoded(values[index])), path)}${search({ ...query, ...(extra ? { [extra[0]]: extra[1] } : {}) })}`,
      headers, body: method === 'get' ? '' : body,
    }));
  });
}

function bodyOf(schema: Schema | undefined): fc.Arbitrary<string> {
  const garbage = fc.oneof(fc.string(), hostileText, anyJson.map((value) => JSON.stringify(value) ?? ''), fc.constantFrom('{', '{"a":', '[]', '"', '{"__proto__":{"admin":true}}', `[${'['.repeat(5_000)}`, `{"name":"${'x'.repeat(70_000)}"}`, 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n'));
  if (schema === undefined) return fc.oneof({ weight: 3, arbitrary: fc.constant('') }, garbage);
  const json = (value: unknown): string => JSON.stringify(value) ?? '';
  return fc.oneof({ weight: 3, arbitrary: valid(schema, hints).map(json) }, { weight: 4, arbitrary: nearlyValid(schema, hints).map(json) }, garbage);
}

function headersOf(path: string): fc.Arbitrary<Record<string, string>> {
  const printable = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 60 });
  const type = path.startsWith('/whep') ? 'application/sdp' : 'application/json';
  return fc.record({
    authorization: fc.oneof({ weight: 12, arbitrary: fc.constant(`Bearer ${token}`) }, printable, printable.map((text) => `Bearer ${text}`)),
    'content-type': fc.oneof({ weight: 12, arbitrary: fc.constant(type) }, printable, fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'multipart/form-data')),
    range: fc.oneof(printable, fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=9-1', 'bytes=0-99999999999999999999')),
    'if-match': printable, 'if-none-match': printable, origin: printable, 'x-internal-auth': printable, cookie: printable.map((text) => `lookout_session=${text}`), 'accept-encoding': printable,
  }, { requiredKeys: ['authorization', 'content-type'] });
}

/** Half surrogates cannot be in an address. */
const encoded = (value: unknown): string => encodeURIComponent(String(value).toWellFormed());
const search = (query: Record<string, unknown>): string => (Object.keys(query).length === 0 ? '' : `?${Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')}`);

function send(url: string, agent: Agent, { method, path, headers, body }: Sent): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, agent, headers: { ...headers, ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }) }, timeout: requestMs }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve({ status: answer.statusCode ?? 0, body: text })).on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path} within ${requestMs} ms`)));
    // A server that refuses a large body closes under the rest of it.
    sent.on('error', (error: NodeJS.ErrnoException) => (['EPIPE', 'ECONNRESET'].includes(error.code ?? '') && body.length > 60_000 ? resolve({ status: 413, body: '' }) : reject(error)));
    sent.end(body);
  });
}

function check({ method, path }: Sent, { status, body }: Answer): void {
  const what = `${method} ${path.slice(0, 200)} was answered with ${status}: ${body.slice(0, 300)}`;
  assert.ok(status >= 200 && status < 600, what);
  if (status < 400 || body === '' || method === 'HEAD') return;
  if (path.startsWith('/readyz') && status === 503) return;
  const { code, statusCode } = JSON.parse(body) as { code: string; statusCode: number };
  assert.ok(code in errorCatalogue && statusCode === status, what);
  assert.ok(status < 500 || awayCodes.includes(code), what);
}

/** Sends `count` of them to a program that has a camera `gate`, ten at a time; asserts that it takes them all. Resolves with how many had which status. */
export async function fuzzRest(lookout: Lookout, camera: string, { count, seed }: { count: number; seed?: number | undefined }): Promise<Map<number, number>> {
  const document = await lookout.api<Document>('GET', '/docs/json');
  const agent = new Agent({ keepAlive: true, maxSockets: batch });
  const statuses = new Map<number, number>();
  const bearer = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  try {
    const outcome = await fc.check(fc.asyncProperty(fc.array(requests(document), { minLength: batch, maxLength: batch, size: 'max' }), async (all) => {
      // What they removed or stopped comes back, so that the next ones meet it.
      await send(lookout.url, agent, { method: 'POST', path: '/api/v1/cameras', headers: bearer, body: JSON.stringify({ id: 'gate', url: camera }) });
      await Promise.all(all.map(async (each) => {
        const answer = await send(lookout.url, agent, each);
        check(each, answer);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }));
    }), { numRuns: Math.ceil(count / batch), endOnFailure: true, ...(seed === undefined ? {} : { seed }) });
    // Of the ten requests only the one that failed.
    if (outcome.failed) throw new Error(`seed ${outcome.seed}, after ${outcome.numRuns} runs; the log: ${lookout.lines.filter((line) => line.includes('mistake of ours')).join('\n')}`, { cause: outcome.errorInstance });
  } finally {
    agent.destroy();
  }
  return statuses;
}
