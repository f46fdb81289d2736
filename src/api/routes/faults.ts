/** `POST /api/v1/cameras/:id/faults`: breaks something of one camera on purpose, where the configuration allows it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import type { ControlPlane } from '../control.ts';
import { FaultRequestSchema, FaultSchema } from '../faults.ts';
import { answers } from '../schemas.ts';
import { cameraOr404 } from './cameras.ts';

/** The route of faults. It is always there, so that its answer can say how to switch injection on. */
export const faultRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  app.post('/cameras/:id/faults', {
    config: { role: 'admin' },
    schema: {
      tags: ['cameras'], summary: 'Break something on purpose; only with `faults.enabled`',
      params: Type.Object({ id: Type.String({ pattern: cameraIdPattern }) }), body: FaultRequestSchema, response: answers({ 202: FaultSchema }),
    },
  }, async (request, reply) => {
    cameraOr404(control, request.params.id);
    return reply.code(202).send(await control.inject(request.params.id, request.body));
  });
};
