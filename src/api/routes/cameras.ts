/** `/api/v1/cameras`: create, list, read, change, remove, the four commands, and the journal. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { CameraInput, CameraPatch, cameraIdPattern } from '../../camera-config.ts';
import type { EventQuery } from '../../store/types.ts';
import type { ControlPlane } from '../control.ts';
import { momentOf, momentSchema } from '../moments.ts';
import type { CameraView } from '../protocol.ts';
import { answers, CameraSchema, EventSchema, NoContent, FlightSchema } from '../schemas.ts';
import { noSuchCamera, visibleCameras, visibleEvents } from '../visible.ts';

const params = Type.Object({ id: Type.String({ pattern: cameraIdPattern }) });
const verbs = ['start', 'stop', 'restart', 'retry'] as const;
const verbSummaries: Record<(typeof verbs)[number], string> = {
  start: 'Run the camera, and keep it running over restarts of the program',
  stop: 'Stop the camera, and keep it stopped over restarts of the program',
  restart: 'Take the camera down and up again',
  retry: 'Try again now instead of waiting; also ends a quarantine',
};
const defaultEvents = 100;

/** The camera, or `LOOKOUT_CAMERA_NOT_FOUND`. */
export function cameraOr404(control: ControlPlane, id: string): CameraView {
  const camera = control.camera(id);
  if (camera === undefined) throw noSuchCamera(id);
  return camera;
}

/** Routes of cameras. */
export const cameraRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  const tags = ['cameras'];

  app.get('/cameras', { config: { role: 'viewer' }, schema: { tags, summary: 'All cameras', response: answers({ 200: Type.Object({ cameras: Type.Array(CameraSchema) }) }) } },
    (request) => ({ cameras: visibleCameras(request.identity, control.cameras()) }));

  app.post('/cameras', { config: { role: 'admin' }, schema: { tags, summary: 'Add a camera; only `url` is required', body: CameraInput, response: answers({ 201: CameraSchema }) } },
    async (request, reply) => {
      const camera = await control.create(request.body);
      return reply.code(201).header('location', `/api/v1/cameras/${camera.id}`).send(camera);
    });

  app.get('/cameras/:id', { config: { role: 'viewer' }, schema: { tags, summary: 'One camera', params, response: answers({ 200: CameraSchema }) } },
    (request) => cameraOr404(control, request.params.id));

  app.patch('/cameras/:id', { config: { role: 'admin' }, schema: { tags, summary: 'Change a camera; what is not named stays', params, body: CameraPatch, response: answers({ 200: CameraSchema }) } },
    (request) => {
      cameraOr404(control, request.params.id);
      return control.patch(request.params.id, request.body);
    });

  app.delete('/cameras/:id', { config: { role: 'admin' }, schema: { tags, summary: 'Remove a camera; answers when everything it held is released', params, response: answers({ 204: NoContent }) } },
    async (request, reply) => {
      cameraOr404(control, request.params.id);
      await control.remove(request.params.id);
      return reply.code(204).send(null);
    });

  for (const verb of verbs) {
    app.post(`/cameras/:id/${verb}`, { config: { role: 'operator' }, schema: { tags, summary: verbSummaries[verb], params, response: answers({ 202: CameraSchema }) } },
      async (request, reply) => {
        cameraOr404(control, request.params.id);
        return reply.code(202).send(await control.command(request.params.id, verb));
      });
  }

  const eventsQuery = Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: defaultEvents })),
    before: Type.Optional(Type.Integer({ minimum: 1, description: '`seq` of the oldest row of the page before' })),
    kind: Type.Optional(Type.String({ pattern: '^[a-zA-Z]+(\\.[a-zA-Z]+)?$', maxLength: 64, description: 'Only rows of this type (`camera.transition`), or of this group of types (`output`)' })),
    from: Type.Optional(momentSchema('Only rows from this moment on')),
    to: Type.Optional(momentSchema('Only rows before this')),
    failures: Type.Optional(Type.Boolean({ description: 'Only rows with a failure class' })),
  }, { additionalProperties: false });
  const asked = ({ from, to, ...query }: Static<typeof eventsQuery>): EventQuery => ({ limit: defaultEvents, ...query, ...(from === undefined ? {} : { from: momentOf(from) }), ...(to === undefined ? {} : { to: momentOf(to) }) });
  app.get('/cameras/:id/events', { config: { role: 'viewer' }, schema: { tags, summary: 'The journal: why each transition happened, newest first', params, querystring: eventsQuery, response: answers({ 200: Type.Object({ events: Type.Array(EventSchema) }) }) } },
    async (request) => {
      cameraOr404(control, request.params.id);
      return { events: await control.events(request.params.id, asked(request.query)) };
    });
  app.get('/events', { config: { role: 'viewer' }, schema: { tags, summary: 'The journal of all cameras and of Lookout itself (rows without a camera), newest first', querystring: eventsQuery, response: answers({ 200: Type.Object({ events: Type.Array(EventSchema) }) }) } },
    async (request) => ({ events: await visibleEvents(request.identity, control, asked(request.query)) }));

  const rowParams = Type.Object({ id: Type.String({ pattern: cameraIdPattern }), seq: Type.Integer({ minimum: 1 }) });
  app.get('/cameras/:id/events/:seq/recording', { config: { role: 'viewer' }, schema: { tags, summary: 'What passed between the camera and Lookout in the 30 s before a failure: RTSP dialogue without credentials, RTP headers', params: rowParams, response: answers({ 200: FlightSchema }) } },
    (request) => {
      cameraOr404(control, request.params.id);
      return control.recording(request.params.id, request.params.seq);
    });
};
