/** `/api/v1/recordings`: the index, the bytes (with ranges), removal; and recording by hand. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import { momentOf, momentSchema } from '../moments.ts';
import type { RecordingView } from '../protocol.ts';
import { answers, CameraSchema, NoContent, recordingId, RecordingSchema } from '../schemas.ts';
import { sendFile } from '../send-file.ts';
import { maySee, noSuchCamera, type Looker } from '../visible.ts';
import { cameraOr404 } from './cameras.ts';

const defaultLimit = 100;
const params = Type.Object({ id: recordingId });
const query = Type.Object({
  camera: Type.Optional(Type.String({ pattern: cameraIdPattern })),
  from: Type.Optional(momentSchema('Only what ends after this')),
  to: Type.Optional(momentSchema('Only what begins before this')),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: defaultLimit })),
  after: Type.Optional(recordingId),
}, { additionalProperties: false });
const list = Type.Object({ recordings: Type.Array(RecordingSchema), next: Type.Union([Type.String(), Type.Null()], { description: '`after` of the next page' }) });
const bytes = { description: 'Matroska', content: { 'video/x-matroska': { schema: Type.Unsafe<ReadableStream>({ type: 'string', format: 'binary' }) } } };

/** Routes of recordings. */
export const recordingRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  const tags = ['recordings'];
  const { recordings } = control;
  /** One that may not be seen does not exist. */
  const visible = async ({ identity, params: { id } }: { identity: Looker; params: { id: string } }): Promise<RecordingView> => {
    const recording = await recordings.get(id);
    if (!maySee(identity, recording.camera)) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { message: `There is no recording "${id}".` });
    return recording;
  };

  app.get('/recordings', { config: { role: 'viewer' }, schema: { tags, summary: 'What was recorded, newest first; gaps with their cause', querystring: query, response: answers({ 200: list }) } },
    (request) => {
      const { camera, from, to, limit = defaultLimit, after } = request.query;
      const cameras = camerasFor(request.identity, camera);
      return recordings.list({ limit, ...(cameras === undefined ? {} : { cameras }), ...(from === undefined ? {} : { from: momentOf(from) }), ...(to === undefined ? {} : { to: momentOf(to) }), ...(after === undefined ? {} : { after }) });
    });

  app.get('/recordings/:id', { config: { role: 'viewer' }, schema: { tags, summary: 'One recording', params, response: answers({ 200: RecordingSchema }) } },
    (request) => visible(request));

  app.delete('/recordings/:id', { config: { role: 'admin' }, schema: { tags, summary: 'Remove a recording', params, response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      await visible(request);
      await recordings.remove(request.params.id);
      return reply.code(204).send(null);
    });

  app.get('/recordings/:id/file', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'The file, whole or a range of it; one that is being written is sent as far as it is', params, response: answers({ 200: bytes, 206: bytes }) },
  }, async (request, reply) => {
    await visible(request);
    return sendFile(request, reply, { ...await recordings.file(request.params.id), type: 'video/x-matroska' });
  });

  for (const verb of ['start', 'stop'] as const) {
    app.post(`/cameras/:id/recording/${verb}`, {
      config: { role: 'operator' },
      schema: { tags, summary: `${verb === 'start' ? 'Start' : 'Stop'} recording by hand (mode \`manual\`); survives a restart of the program`, params: Type.Object({ id: Type.String({ pattern: cameraIdPattern }) }), response: answers({ 202: CameraSchema }) },
    }, async (request, reply) => {
      cameraOr404(control, request.params.id);
      return reply.code(202).send(await control.record(request.params.id, verb === 'start'));
    });
  }
};

/** The cameras to list; undefined for all. */
function camerasFor(looker: Looker, asked: string | undefined): readonly string[] | undefined {
  if (asked === undefined) return looker?.cameras ?? undefined;
  if (!maySee(looker, asked)) throw noSuchCamera(asked);
  return [asked];
}
