/** The web page at `/`: the built files of `visualizer/dist`, or a plain word where they are not built. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const notBuilt = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lookout</title></head><body>
<h1>Lookout is running, its page is not built</h1>
<p>Run <code>npm start</code>, which builds it, or <code>npx vite build visualizer</code>, and load this page again.</p>
<p>The interface is described at <a href="/docs">/docs</a>.</p></body></html>`;

/** Serves the page to everybody: it holds no data, and its first view is the login. */
export async function installPage(app: FastifyInstance, pageDir: string): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'public', rateLimit: false };
      route.schema = { ...route.schema, hide: true };
    });
    if (!existsSync(join(pageDir, 'index.html'))) {
      scope.get('/', (request, reply) => reply.code(503).type('text/html; charset=utf-8').send(notBuilt));
      return;
    }
    await scope.register(fastifyStatic, {
      root: pageDir,
      // Names of assets hold the hash of their content; the document that names them must always be asked for.
      setHeaders: (reply, path) => {
        const immutable = path.includes(`${sep}assets${sep}`);
        void reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
      cacheControl: false,
    });
  });
}
