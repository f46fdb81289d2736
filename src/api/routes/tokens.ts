/** `/api/v1/tokens`: credentials of programs and people, made once, listed without their text, revoked at once. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { Store, StoredToken } from '../../store/types.ts';
import type { Auth } from '../auth.ts';
import type { TokenView } from '../protocol.ts';
import { answers, NewTokenSchema, NoContent, roleSchema, TokenSchema } from '../schemas.ts';

const isoTime = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)$';

/** Body of `POST /api/v1/tokens`. */
const body = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$', description: 'Whose it is; tells in logs who did what' }),
  role: roleSchema,
  cameras: Type.Optional(Type.Array(Type.String({ pattern: cameraIdPattern }), { minItems: 1, maxItems: 1000, uniqueItems: true, description: 'All a viewer sees; every camera where absent' })),
  expiresAt: Type.Optional(Type.String({ pattern: isoTime, maxLength: 40, description: 'ISO 8601 with time zone; never where absent' })),
}, { additionalProperties: false });
const params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });

/** Routes of tokens. */
export const tokenRoutes: FastifyPluginAsyncTypebox<{ auth: Auth; store: Store }> = async (app, { auth, store }) => {
  const tags = ['session'];
  /** The journal keeps who let whom in; no camera is concerned, so no page of a camera shows it. */
  const note = (type: string, message: string) =>
    void store.journal.append({ at: Date.now(), camera: '', type, message, from: null, to: null, class: null, code: null, evidence: null, attempt: null, delayMs: null });

  app.get('/tokens', { config: { role: 'admin' }, schema: { tags, summary: 'All tokens, without their text', response: answers({ 200: Type.Object({ tokens: Type.Array(TokenSchema) }) }) } },
    async () => ({ tokens: (await auth.tokens()).map(tokenView) }));

  app.post('/tokens', { config: { role: 'admin' }, schema: { tags, summary: 'Make a token; its text is in this answer and nowhere else', body, response: answers({ 201: NewTokenSchema }) } },
    async (request, reply) => {
      const { name, role, cameras = null, expiresAt } = request.body;
      if (cameras !== null && role !== 'viewer') throw new LookoutError('LOOKOUT_VALIDATION', { message: 'Only a viewer can be limited to cameras.' });
      const made = await auth.createToken({ name, role, cameras, expiresAt: futureOf(expiresAt) });
      note('token.created', `The token "${name}" (${role}) was made by ${request.identity?.name ?? 'nobody'}.`);
      return reply.code(201).header('cache-control', 'no-store').header('location', `/api/v1/tokens/${made.token.id}`).send({ ...tokenView(made.token), token: made.text });
    });

  app.delete('/tokens/:id', { config: { role: 'admin' }, schema: { tags, summary: 'Revoke a token; its sessions and sockets end at once', params, response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      const { name, role } = await auth.revokeToken(request.params.id);
      note('token.revoked', `The token "${name}" (${role}) was revoked by ${request.identity?.name ?? 'nobody'}.`);
      return reply.code(204).send(null);
    });
};

function futureOf(expiresAt: string | undefined): number | null {
  if (expiresAt === undefined) return null;
  const at = Date.parse(expiresAt);
  if (!(at > Date.now())) throw new LookoutError('LOOKOUT_VALIDATION', { message: `"expiresAt" must be a moment in the future, not ${expiresAt}.` });
  return at;
}

function tokenView({ id, name, role, cameras, createdAt, expiresAt }: StoredToken): TokenView {
  return { id, name, role, cameras: cameras === null ? null : [...cameras], createdAt: new Date(createdAt).toISOString(), expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}
