/** `GET /api/v1/cameras/:id/frames` and `…/packets`: how programs of this machine attach to a camera. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import type { ControlPlane } from '../control.ts';
import { answers, FramesAccessSchema, PacketsAccessSchema } from '../schemas.ts';
import { cameraOr404 } from './cameras.ts';

const params = Type.Object({ id: Type.String({ pattern: cameraIdPattern }) });
const tags = ['frames'];

/** Routes for programs that read frames or packets themselves. */
export const attachRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  app.get('/cameras/:id/frames', { config: { role: 'viewer' }, schema: { tags, summary: 'How to attach to decoded frames, over TCP or shared memory', params, response: answers({ 200: FramesAccessSchema }) } },
    (request) => control.frames(cameraOr404(control, request.params.id).id));

  app.get('/cameras/:id/packets', { config: { role: 'viewer' }, schema: { tags, summary: 'How to attach to the packets as the camera sends them', params, response: answers({ 200: PacketsAccessSchema }) } },
    (request) => control.packets(cameraOr404(control, request.params.id).id));
};
