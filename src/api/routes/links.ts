/** `POST /api/v1/cameras/:id/links`: an address of HLS or WHEP that works for a while without a token. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import type { Links } from '../links.ts';
import { answers } from '../schemas.ts';
import { cameraOr404 } from './cameras.ts';

const params = Type.Object({ id: Type.String({ pattern: cameraIdPattern }) });
const body = Type.Object({
  path: Type.Union([Type.Literal('hls'), Type.Literal('whep')], { description: 'What it opens' }),
  seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400, default: 300, description: 'How long it works; also ends what was begun with it' })),
}, { additionalProperties: false });
const link = Type.Object({ url: Type.String({ description: 'Below the address of this server' }), expiresAt: Type.String() }, { title: 'Link' });
const defaultSeconds = 300;

/** The route of links. */
export const linkRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane; links: Links }> = async (app, { control, links }) => {
  app.post('/cameras/:id/links', { config: { role: 'operator' }, schema: { tags: ['hls', 'whep'], summary: 'Make a link that works for a while without a token', params, body, response: answers({ 201: link }) } },
    async ({ params: { id: camera }, body: { path, seconds = defaultSeconds }, identity }, reply) => {
      cameraOr404(control, camera);
      if (identity === null) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
      // A link ends with its maker's token, and of an outside one nobody tells us that it ended.
      if (identity.token.startsWith('jwt:')) throw new LookoutError('LOOKOUT_FORBIDDEN', { message: 'Links are made with a token of Lookout, not with one of an outside issuer.' });
      // No longer than whoever makes it.
      const expiresAt = Math.min(Date.now() + seconds * 1000, identity.expiresAt);
      const token = links.make({ camera, path, expiresAt, maker: identity });
      const base = path === 'hls' ? `/hls/${camera}/index.m3u8` : `/whep/${camera}`;
      return reply.code(201).header('cache-control', 'no-store').send({ url: `${base}?token=${token}`, expiresAt: new Date(expiresAt).toISOString() });
    });
};
