/** `GET /api/v1/cameras/:id/snapshot.jpg`: a current picture, with validators, or why there is none. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import type { Pictures } from '../pictures.ts';
import { answers, NoContent } from '../schemas.ts';
import { cameraOr404 } from './cameras.ts';

const params = Type.Object({ id: Type.String({ pattern: cameraIdPattern }) });
const query = Type.Object({
  width: Type.Optional(Type.Integer({ minimum: 0, maximum: 3840, default: 0, description: '0 keeps the size of the camera' })),
}, { additionalProperties: false });
const jpeg = { description: 'The picture', content: { 'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } } };

/** The route of pictures. */
export const snapshotRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane; pictures: Pictures }> = async (app, { control, pictures }) => {
  app.get('/cameras/:id/snapshot.jpg', {
    config: { role: 'viewer' },
    schema: { tags: ['cameras'], summary: 'A current picture', params, querystring: query, response: answers({ 200: jpeg, 304: NoContent }) },
  }, async (request, reply) => {
    const { id } = request.params;
    cameraOr404(control, id);
    const picture = await pictures.take(id, request.query.width ?? 0).catch((error: unknown) => {
      throw error instanceof LookoutError && error.statusCode === 503 ? Object.assign(error, { lastPictureAgeMs: pictures.lastAgeMs(id) }) : error;
    });
    void reply.headers({
      'etag': picture.etag,
      'age': Math.max(0, Math.floor((Date.now() - picture.takenAt) / 1000)),
      'last-modified': new Date(picture.takenAt).toUTCString(),
      'cache-control': 'private, no-cache',
    });
    if (request.headers['if-none-match'] === picture.etag) return reply.code(304).send(null);
    return reply.type('image/jpeg').send(Buffer.from(picture.jpeg.buffer, picture.jpeg.byteOffset, picture.jpeg.byteLength));
  });
};
