/** `/api/v1/exports`: a span of a camera's recordings as one file, made beside everything else and fetched when it is done. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import { checkSpan, momentOf, momentSchema, mostSpanHours } from '../moments.ts';
import type { ExportView } from '../protocol.ts';
import { answers, ExportSchema, NoContent, recordingId } from '../schemas.ts';
import { sendFile } from '../send-file.ts';
import { maySee, noSuchCamera, type Looker } from '../visible.ts';

const params = Type.Object({ id: recordingId });
const input = Type.Object({
  camera: Type.String({ pattern: cameraIdPattern }),
  from: momentSchema('The file begins with the keyframe at or before this'),
  to: momentSchema(`What begins later is not in it; at most ${mostSpanHours} hours after \`from\``),
  format: Type.Optional(Type.Unsafe<'mp4' | 'mkv'>({ type: 'string', enum: ['mp4', 'mkv'], default: 'mp4' })),
}, { additionalProperties: false });
const stream = { schema: Type.Unsafe<ReadableStream>({ type: 'string', format: 'binary' }) };
const bytes = { description: 'The file', content: { 'video/mp4': stream, 'video/x-matroska': stream } };
const types = { mp4: 'video/mp4', mkv: 'video/x-matroska' };

/** Routes of exports. */
export const exportRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  const tags = ['recordings'];
  const { exports } = control;
  /** One that may not be seen does not exist. */
  const visible = ({ identity, params: { id } }: { identity: Looker; params: { id: string } }): ExportView => {
    const found = exports.get(id);
    if (!maySee(identity, found.camera)) throw new LookoutError('LOOKOUT_EXPORT_NOT_FOUND', { message: `There is no export "${id}".` });
    return found;
  };

  app.get('/exports', { config: { role: 'viewer' }, schema: { tags, summary: 'Exports, newest first', response: answers({ 200: Type.Object({ exports: Type.Array(ExportSchema) }) }) } },
    (request) => ({ exports: exports.list().filter(({ camera }) => maySee(request.identity, camera)) }));

  app.post('/exports', {
    config: { role: 'operator' },
    schema: { tags, summary: 'Make one file of everything recorded between two moments, without encoding; gaps are left out, and told', body: input, response: answers({ 202: ExportSchema }) },
  }, async (request, reply) => {
    const { camera, format = 'mp4' } = request.body;
    if (!maySee(request.identity, camera)) throw noSuchCamera(camera);
    const span = checkSpan({ from: momentOf(request.body.from), to: momentOf(request.body.to) });
    return reply.code(202).send(await exports.create({ camera, ...span, format }));
  });

  app.get('/exports/:id', { config: { role: 'viewer' }, schema: { tags, summary: 'How far it is, what it holds and what is missing', params, response: answers({ 200: ExportSchema }) } },
    (request) => visible(request));

  app.delete('/exports/:id', { config: { role: 'operator' }, schema: { tags, summary: 'Remove an export, or end it', params, response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      visible(request);
      await exports.remove(request.params.id);
      return reply.code(204).send(null);
    });

  app.get('/exports/:id/file', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'The file, whole or a range of it', params, response: answers({ 200: bytes, 206: bytes }) },
  }, async (request, reply) => {
    const { format } = visible(request);
    return sendFile(request, reply, { ...exports.file(request.params.id), type: types[format] });
  });
};
