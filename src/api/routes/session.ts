/** `/api/v1/session`: the page exchanges a token for a cookie that no script can read. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Config } from '../../config.ts';
import { LookoutError } from '../../errors.ts';
import { checkOrigin } from '../access.ts';
import { longestToken, sessionCookie, type Auth, type Identity } from '../auth.ts';
import { answers, NoContent, SessionSchema } from '../schemas.ts';

const body = Type.Object({ token: Type.String({ minLength: 1, maxLength: longestToken }) }, { additionalProperties: false });

const sessionOf = ({ name, role, cameras }: Identity) => ({ name, role, cameras: cameras === null ? null : [...cameras] });

/** Routes of the login. */
export const sessionRoutes: FastifyPluginAsyncTypebox<{ auth: Auth; config: Config }> = async (app, { auth, config }) => {
  const tags = ['session'];
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

  app.post('/session', { config: { role: 'public' }, schema: { tags, summary: 'Log in', body, response: answers({ 200: SessionSchema }) } },
    async (request, reply) => {
      // Nobody is logged in by a foreign page; programs send no origin.
      if (request.headers.origin !== undefined) checkOrigin(request, config.api.origins);
      const { session, identity } = await auth.login(request.body.token, request.ip);
      request.log.info({ name: identity.name, role: identity.role, address: request.ip }, 'logged in');
      return reply.setCookie(sessionCookie, session, { ...cookie, secure: request.protocol === 'https', maxAge: Math.max(1, Math.floor((identity.expiresAt - Date.now()) / 1000)) }).send(sessionOf(identity));
    });

  app.get('/session', { config: { role: 'viewer' }, schema: { tags, summary: 'Who is logged in', response: answers({ 200: SessionSchema }) } },
    (request) => {
      if (request.identity === null) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
      return sessionOf(request.identity);
    });

  app.delete('/session', { config: { role: 'viewer' }, schema: { tags, summary: 'Log out', response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      if (request.identity !== null) await auth.logout(request.identity);
      return reply.clearCookie(sessionCookie, cookie).code(204).send(null);
    });
};
