/** The page: built or not, and what its answers allow a browser to do. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { apiBench, temporaryDir } from '../support/api.ts';

test('without a built page, the visitor is told how to build it', async (t) => {
  const { app } = await apiBench(t);
  const answer = await app.inject({ url: '/' });
  assert.equal(answer.statusCode, 503);
  assert.match(answer.body, /its page is not built/u);
});

test('the built page is served to everybody, its assets for ever, its document never from a cache', async (t) => {
  const pageDir = await temporaryDir(t);
  await mkdir(join(pageDir, 'assets'));
  await writeFile(join(pageDir, 'index.html'), '<!doctype html><title>Lookout</title>');
  await writeFile(join(pageDir, 'assets', 'main-abc.js'), 'export {};');
  const { app } = await apiBench(t, { pageDir });
  const document = await app.inject({ url: '/' });
  assert.deepEqual([document.statusCode, document.headers['cache-control']], [200, 'no-cache']);
  const asset = await app.inject({ url: '/assets/main-abc.js' });
  assert.deepEqual([asset.statusCode, asset.headers['cache-control']], [200, 'public, max-age=31536000, immutable']);
  assert.equal((await app.inject({ url: '/assets/../../lookout.db' })).statusCode, 404);
  assert.equal((await app.inject({ url: '/assets/none.js' })).json<{ code: string }>().code, 'LOOKOUT_ROUTE_NOT_FOUND');
});

test('the content security policy allows nothing inline and nothing foreign', async (t) => {
  const { app } = await apiBench(t);
  const policy = String((await app.inject({ url: '/' })).headers['content-security-policy']);
  assert.match(policy, /default-src 'self'/u);
  assert.match(policy, /frame-ancestors 'none'/u);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/u);
});

test('the description of the interface is readable without login and holds every path', async (t) => {
  const { app } = await apiBench(t);
  assert.equal((await app.inject({ url: '/docs' })).statusCode, 200);
  const document = (await app.inject({ url: '/docs/json' })).json<{ openapi: string; paths: Record<string, object> }>();
  assert.match(document.openapi, /^3\./u);
  assert.ok('/api/v1/cameras/{id}/snapshot.jpg' in document.paths);
});
