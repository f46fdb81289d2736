/** Why a camera is down, how available it was, and what was lost together. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import type { ControlPlane } from '../control.ts';
import { answers, AvailabilitySchema, ExplanationSchema, IncidentSchema } from '../schemas.ts';
import { visibleIncidents } from '../visible.ts';
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

  app.get('/incidents', { config: { role: 'viewer' }, schema: { tags: ['cameras'], summary: 'Cameras that were lost together, newest first', response: answers({ 200: Type.Object({ incidents: Type.Array(IncidentSchema) }) }) } },
    (request) => ({ incidents: visibleIncidents(request.identity, control.incidents()) }));
};
