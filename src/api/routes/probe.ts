/** `POST /api/v1/probe`: what a camera sends, before it is added. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { CameraUrl } from '../../camera-url.ts';
import { FailureError, LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import { answers, ProbeSchema } from '../schemas.ts';

const defaultSeconds = 5;
/** Connecting, asking and releasing come on top of the seconds of play. */
const overheadMs = 20_000;
/** Every probe is a pipeline: no more than this at the same time. */
const probesAtOnce = 4;

const body = Type.Object({
  url: Type.String({ minLength: 8, maxLength: 2048 }),
  seconds: Type.Optional(Type.Number({ minimum: 0.5, maximum: 30, default: defaultSeconds, description: 'How long it plays' })),
}, { additionalProperties: false });

/** The route of probes. */
export const probeRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  let running = 0;
  app.post('/probe', {
    config: { role: 'operator' },
    schema: { tags: ['cameras'], summary: 'Plays an address for a moment and tells what it sends and what can carry it', body, response: answers({ 200: ProbeSchema }) },
  }, async (request) => {
    const url = CameraUrl.parse(request.body.url);
    const seconds = request.body.seconds ?? defaultSeconds;
    if (running >= probesAtOnce) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: `${probesAtOnce} probes are running already. Try again in a moment.` });
    running += 1;
    const gone = new AbortController();
    const abandon = () => gone.abort();
    request.raw.socket.once('close', abandon);
    try {
      return await control.probe(url, seconds, AbortSignal.any([gone.signal, AbortSignal.timeout(Math.ceil(seconds * 1000) + overheadMs)]));
    } catch (error) {
      throw error instanceof FailureError ? new LookoutError('LOOKOUT_PROBE_FAILED', { message: error.failure.message, failure: error.failure, cause: error }) : error;
    } finally {
      running -= 1;
      request.raw.socket.off('close', abandon);
    }
  });
};
