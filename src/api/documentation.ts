/** The interface described by itself: OpenAPI at `/docs/json`, a page to read and try it at `/docs`. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** Collects the schemas of all routes registered from now on. */
export async function installDocumentation(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Lookout', version, description: 'An actor-model media supervisor for IP cameras. Error codes and sockets: docs/api.md' },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'lookout_session' },
          internal: { type: 'apiKey', in: 'header', name: 'X-Internal-Auth' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: ({ schema, url, route }) => {
      const role = route.config?.role;
      const security = role === 'public' ? [] : role === 'internal' ? [{ internal: [] }] : [{ token: [] }, { session: [] }];
      return { url, schema: { ...schema, security, description: [schema?.description, `Role: ${role ?? 'none'}.`].filter(Boolean).join(' ') } };
    },
  });
  await app.register(async (scope) => {
    // The description holds no data of this installation.
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'public' };
    });
    await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { docExpansion: 'list', deepLinking: false } });
  });
}
