/** The documents say what the program does: routes, error codes, failure classes, metrics. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { status } from '@grpc/grpc-js';
import { grpcRoles } from '../../src/api/access-table.ts';
import { ofHttp } from '../../src/api/grpc/status.ts';
import { createMetrics } from '../../src/api/metrics.ts';
import { metricsDocument } from '../../src/api/metrics-document.ts';
import { errorCatalogue, failureClasses } from '../../src/errors.ts';
import type { Store } from '../../src/store/types.ts';
import { apiBench } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { scriptedControl } from '../support/scripted-control.ts';

const document = (name: string) => new URL(`../../docs/${name}`, import.meta.url);
const rowsOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match.slice(1));

test('docs/api.md has every error code with its status and message, and no other', async () => {
  const rows = rowsOf(await readFile(document('api.md'), 'utf8'), /^\| `(LOOKOUT_\w+)` \| (\d+) \| (.+) \|$/gmu);
  assert.deepEqual(rows, Object.entries(errorCatalogue).map(([code, [status, message]]) => [code, String(status), message]));
});

test('docs/api.md has every route with its role, and no other', async (t) => {
  const { app } = await apiBench(t);
  await app.ready();
  const { paths } = app.swagger() as { paths: Record<string, Record<string, { description?: string }>> };
  const routes = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).filter(([method]) => method !== 'head')
    .map(([method, { description }]) => [`${method.toUpperCase()} ${path}`, /Role: (\w+)/u.exec(description ?? '')?.[1] ?? '']));
  const rows = rowsOf(await readFile(document('api.md'), 'utf8'), /^\| `((?:GET|POST|PATCH|DELETE|OPTIONS) [^`]+)` \| (\w+) \|/gmu);
  assert.deepEqual(rows.toSorted(), routes.toSorted());
});

test('docs/api.md has every gRPC call with its role, and the gRPC status of every HTTP status', async () => {
  const text = await readFile(document('api.md'), 'utf8');
  const service = 'vms.media.v1.MediaPlane/';
  const calls = Object.entries(grpcRoles).filter(([name]) => name.startsWith(service)).map(([name, role]) => [name.slice(service.length), role]);
  assert.deepEqual(rowsOf(text, /^\| `(\w+Streams?)` \| (\w+) \|/gmu), calls);
  const rows = rowsOf(text, /^\| ([\d, ]+) \| `([A-Z_]+)` \|$/gmu).flatMap(([http = '', name = '']) => http.split(', ').map((code) => [code, name]));
  assert.deepEqual(rows.toSorted(), Object.entries(ofHttp).map(([code, grpc]) => [code, status[grpc]]).toSorted());
});

test('docs/failures.md has every failure class, once and in the order of the catalogue', async () => {
  const rows = rowsOf(await readFile(document('failures.md'), 'utf8'), /^\| `([\w-]+)` \| [^|]+ \| [^|]+ \| [^|]+ \|$/gmu);
  assert.deepEqual(rows.flat(), [...failureClasses]);
});

test('docs/metrics.md is what the program exposes', async (t) => {
  const metrics = createMetrics({ control: scriptedControl().control, store: { status: () => ({ ok: true, reason: null, droppedEvents: 0, pendingEvents: 0 }) } as Store });
  defer(t, () => metrics.close());
  const expected = metricsDocument(metrics);
  if (process.env['LOOKOUT_WRITE_DOCS'] === '1') await writeFile(document('metrics.md'), expected);
  assert.equal(await readFile(document('metrics.md'), 'utf8'), expected, 'run again with LOOKOUT_WRITE_DOCS=1');
});
