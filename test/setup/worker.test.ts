/** mediasoup's worker: where it is kept, when a cached one is good, and how the prebuilt one is found. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sharedCache } from '../../scripts/setup/paths.mjs';
import { fetchPrebuilt, prebuiltUrl } from '../../scripts/setup/worker-prebuilt.mjs';
import { workerPath, workerRuns } from '../../scripts/setup/worker.mjs';

const mediasoup = join(import.meta.dirname, '../../node_modules/mediasoup');
const BASE = 'MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL';

describe('the worker step', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'lookout-worker-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const script = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };

  it('finds the worker that set-up got, and it runs', () => {
    assert.equal(workerRuns(workerPath()), true);
  });

  it('does not trust a cached file that cannot run here, ends otherwise, or is missing', () => {
    assert.equal(workerRuns(script('other-architecture', '\u007fELF nonsense')), false);
    assert.equal(workerRuns(script('ends-with-0', '#!/bin/sh\nexit 0\n')), false);
    assert.equal(workerRuns(join(directory, 'none')), false);
  });

  it('keeps the worker outside node_modules, by mediasoup version and recipe', () => {
    const { version } = JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8')) as { version: string };
    assert.ok(workerPath().startsWith(join(sharedCache(), `mediasoup-worker-${version}-`)));
  });

  it('puts the cache where XDG says, else below the home directory', () => {
    assert.equal(sharedCache({ XDG_CACHE_HOME: '/x', HOME: '/h' }), '/x/lookout');
    assert.equal(sharedCache({ HOME: '/h' }), '/h/.cache/lookout');
  });

  it('looks for a prebuilt worker under the name that mediasoup publishes', () => {
    const machine = { platform: 'linux', arch: 'x64', kernel: '6.1.0-30-amd64' };
    const url = prebuiltUrl({ version: '3.27.1', repository: { url: 'git+https://example.org/m.git' } }, machine, undefined);
    assert.equal(url, 'https://example.org/m/releases/download/3.27.1/mediasoup-worker-3.27.1-linux-x64-kernel6.tgz');
  });

  describe('looking for a prebuilt worker', () => {
    const waiting: ServerResponse[] = [];
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/good/')) response.end(readFileSync(join(directory, 'worker.tgz')));
      else if (request.url?.startsWith('/torn/')) response.end('no archive');
      else if (request.url?.startsWith('/silent/')) waiting.push(response);
      else response.writeHead(404).end();
    });
    before(async () => {
      script('mediasoup-worker', '#!/bin/sh\nexit 41\n');
      execFileSync('tar', ['-czf', join(directory, 'worker.tgz'), '-C', directory, 'mediasoup-worker']);
      await once(server.listen(0, '127.0.0.1'), 'listening');
    });
    after(() => {
      server.close();
      server.closeAllConnections();
    });
    const fetchFrom = (place: string, target: string): Promise<string | undefined> =>
      withBase(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${place}`, () => fetchPrebuilt(mediasoup, target));

    it('unpacks the one it finds, ready to run', async () => {
      const target = join(directory, 'fetched');
      assert.equal(await fetchFrom('good', target), undefined);
      assert.equal(workerRuns(target), true);
    });

    it('says why when there is none or it is no archive, and leaves nothing behind', async () => {
      const target = join(directory, 'nothing');
      assert.equal(await fetchFrom('none', target), 'HTTP 404');
      assert.equal(await fetchFrom('torn', target), 'the archive cannot be unpacked');
      assert.equal(existsSync(target), false);
      assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('download-')), []);
    });

    it('gives up after five seconds where the network takes the request and never answers', async () => {
      const begin = performance.now();
      assert.equal(await fetchFrom('silent', join(directory, 'nothing')), 'no answer within 5 s');
      assert.equal(waiting.length, 1);
      assert.ok(performance.now() - begin < 15_000);
    });
  });
});

async function withBase<T>(base: string, work: () => Promise<T>): Promise<T> {
  const saved = { base: process.env[BASE], skip: process.env['MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD'] };
  process.env[BASE] = base;
  delete process.env['MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD'];
  try {
    return await work();
  } finally {
    if (saved.base === undefined) delete process.env[BASE];
    else process.env[BASE] = saved.base;
    if (saved.skip !== undefined) process.env['MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD'] = saved.skip;
  }
}
