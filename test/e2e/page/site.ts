/** Builds the page with its fake entry and serves it on a free port of 127.0.0.1: what the browser tests and the screenshots look at. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };

/** The server's (src/api/app.ts), so that whatever it would forbid fails here. */
const policy = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export type Site = { url: (query: string) => string; dist: string; close: () => Promise<void> };

/** Builds into a fresh directory, so that concurrent runs and `visualizer/dist` are left alone. */
export async function openSite(): Promise<Site> {
  const dist = await mkdtemp(join(tmpdir(), 'lookout-page-'));
  process.env['VITE_FAKE'] = '1';
  process.env['VITE_OUT_DIR'] = dist;
  const root = join(import.meta.dirname, '../../../visualizer');
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'error' });
  const server = createServer((request, response) => {
    const path = normalize(join(dist, new URL(request.url ?? '/', 'http://localhost').pathname));
    const type = types[extname(path)];
    stat(path).then(({ size }) => {
      if (type === undefined || !path.startsWith(dist)) throw new Error('not served');
      response.writeHead(200, { 'content-type': type, 'content-length': size, 'content-security-policy': policy });
      createReadStream(path).pipe(response);
    }).catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    dist,
    url: (query) => `http://127.0.0.1:${port}/fake.html?${query}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dist, { recursive: true });
    },
  };
}
