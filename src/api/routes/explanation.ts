/** Why a camera is down, how available it was, how its last hour went, and what was lost together. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import type { ControlPlane } from '../control.ts';
import { answers, AvailabilitySchema, ExplanationSchema, FleetTrendSchema, IncidentSchema, TrendSchema } from '../schemas.ts';
import { visibleCameras, visibleIncidents } from '../visible.ts';
import { cameraOr404 } from './cameras.ts';

const params = Type.Object({ id: Type.String({ pattern: cameraIdPattern }) });
const defaultDays = 30;
const query = Type.Object({ days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366, default: defaultDays, description: 'The period, up to now' })) }, { additionalProperties: false });

/** Routes of explanations. */
export const explanationRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  app.get('/cameras/:id/explanation', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'Why it is down, since when, what happened before, and when the next try is', params, response: answers({ 200: ExplanationSchema }) } },
    (request) => {
      cameraOr404(control, request.params.id);
      return control.explanation(request.params.id);
    });

  app.get('/cameras/:id/availability', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'Uptime, gaps by class and time to recover, from the journal', params, querystring: query, response: answers({ 200: AvailabilitySchema }) } },
    (request) => {
      cameraOr404(control, request.params.id);
      return control.availability(request.params.id, request.query.days ?? defaultDays);
    });

  app.get('/cameras/:id/trends', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'The last hour in points of 5 s: bitrate, frame rate, age of the last packet, restarts, state', params, response: answers({ 200: TrendSchema }) } },
    (request) => control.trend(cameraOr404(control, request.params.id).id));

  app.get('/trends', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'The last hour of all cameras together', response: answers({ 200: FleetTrendSchema }) } },
    (request) => control.fleetTrend(visibleCameras(request.identity, control.cameras()).map(({ id }) => id)));

  app.get('/incidents', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'Cameras that were lost together, newest first', response: answers({ 200: Type.Object({ incidents: Type.Array(IncidentSchema) }) }) } },
    (request) => ({ incidents: visibleIncidents(request.identity, control.incidents()) }));
};
