/** `/whep/:camera`: WebRTC for players that are not ours (draft-ietf-wish-whep): an SDP offer in, an answer out. */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import type { Config } from '../../config.ts';
import { LookoutError } from '../../errors.ts';
import { queryToken } from '../access.ts';
import { longestToken, type Auth, type Identity } from '../auth.ts';
import type { ControlPlane } from '../control.ts';
import type { StreamName } from '../protocol.ts';
import { cameraOr404 } from '../routes/cameras.ts';
import { answers, NoContent } from '../schemas.ts';
import { writeAnswer } from './answer.ts';
import { readOffer } from './offer.ts';
import { createWhepSessions } from './sessions.ts';

const camera = Type.String({ pattern: cameraIdPattern });
const sessionParams = Type.Object({ camera, session: Type.String({ pattern: '^[0-9a-f-]{36}$' }) });
const query = Type.Object({ token: Type.Optional(Type.String({ maxLength: longestToken, description: 'A token, for players that cannot set headers; the `Location` of the answer then carries it' })) });
/** Players that ask for sub get main where there is none. */
const postQuery = Type.Object({ ...query.properties, stream: Type.Optional(Type.Enum(['main', 'sub'], { description: 'The stream; main where none is named, and where the camera has no second one' })) });
const sdp = { description: 'The SDP answer; `Location` is the session, `Link` what else there is of the camera', content: { 'application/sdp': { schema: Type.String() } } };
const offerType = 'application/sdp';
const tags = ['whep'];

/** Routes of WHEP. */
export const whepRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane; auth: Auth; config: Config }> = async (app, { control, auth, config }) => {
  const sessions = createWhepSessions({ viewers: control.viewers, auth, most: config.api.viewersPerSocket, requestMs: config.api.requestMs });
  app.addHook('onClose', () => sessions.stop());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(offerType, { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));

  app.options('/whep/:camera', { config: { role: 'public' }, schema: { tags, summary: 'What may be posted here', params: Type.Object({ camera }), querystring: query, response: answers({ 204: NoContent }) } },
    async (_, reply) => reply.headers({ allow: 'POST, OPTIONS', 'accept-post': offerType }).code(204).send(null));

  app.post('/whep/:camera', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'Watch a camera over WebRTC; the body is an SDP offer', consumes: [offerType], params: Type.Object({ camera }), querystring: postQuery, response: answers({ 201: sdp }) },
  }, async (request, reply) => {
    const { camera: id } = request.params;
    const { stream = 'main' } = request.query;
    const links = linksOf(control, id, stream);
    if (typeof request.body !== 'string') throw mediaType();
    const offer = readOffer(request.body);
    const { id: session, answer } = await sessions.open({ camera: id, stream, offer, identity: identityOf(request.identity), address: request.ip });
    const given = queryToken(request);
    const location = `/whep/${id}/${session}${given === undefined ? '' : `?token=${encodeURIComponent(given)}`}`;
    return reply.code(201).type(offerType).headers({ location, etag: `"${randomBytes(12).toString('base64url')}"`, link: links, 'cache-control': 'no-store' })
      .send(writeAnswer(offer, answer, Date.now()));
  });

  app.delete('/whep/:camera/:session', { config: { role: 'viewer' }, schema: { tags, summary: 'Stop watching', params: sessionParams, querystring: query, response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      const { camera: id, session } = request.params;
      await sessions.close({ camera: id, id: session, identity: identityOf(request.identity) });
      return reply.code(204).send(null);
    });

  app.patch('/whep/:camera/:session', { config: { role: 'viewer' }, schema: { tags, summary: 'Refused: candidates of clients are not needed', params: sessionParams, querystring: query, response: answers({ 204: NoContent }) } },
    (request, reply) => {
      sessions.must({ camera: request.params.camera, id: request.params.session, identity: identityOf(request.identity) });
      void reply.header('allow', 'DELETE');
      throw new LookoutError('LOOKOUT_METHOD');
    });
};

const mediaType = () => new LookoutError('LOOKOUT_MEDIA_TYPE', { message: 'Send the offer as application/sdp.' });

function identityOf(identity: Identity | null): Identity {
  if (identity === null) throw new LookoutError('LOOKOUT_UNAUTHENTICATED');
  return identity;
}

/** What else there is of a camera that can be watched. Throws where it cannot. */
function linksOf(control: ControlPlane, id: string, stream: StreamName): string {
  const view = cameraOr404(control, id);
  if (view.desired === 'stopped') throw new LookoutError('LOOKOUT_CAMERA_STOPPED', { cameraId: id });
  const { hls } = view.outputs;
  const { verdict } = stream === 'sub' && view.sub ? view.sub.live : view.outputs.live;
  if (verdict?.ok === false) throw new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { cameraId: id, message: `WebRTC cannot carry what this camera sends: ${verdict.why}` });
  const described = `</api/v1/cameras/${id}>; rel="describedby"; type="application/json"`;
  return hls.mode === 'off' ? described : `${described}, </hls/${id}/index.m3u8>; rel="alternate"; type="application/vnd.apple.mpegurl"`;
}
