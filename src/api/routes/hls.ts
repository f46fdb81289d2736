/** `/hls/:camera/index.m3u8` and the segments in it, for players that have no WebRTC. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cameraIdPattern } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import { queryToken } from '../access.ts';
import { longestToken } from '../auth.ts';
import type { ControlPlane } from '../control.ts';
import { checkSpan, momentOf, momentSchema, mostSpanHours } from '../moments.ts';
import { answers, recordingId } from '../schemas.ts';
import { cameraOr404 } from './cameras.ts';

const camera = Type.String({ pattern: cameraIdPattern });
const segmentParams = Type.Object({ camera, session: Type.String({ pattern: '^[0-9a-f-]{36}$' }), segment: Type.String({ pattern: '^(init-)?[0-9]{1,12}[.](ts|m4s|mp4)$' }) });
const query = Type.Object({ token: Type.Optional(Type.String({ maxLength: longestToken, description: 'A token, for players that cannot set headers; every URI in the playlist then carries it' })) });
const text = { description: 'A media playlist (RFC 8216)', content: { 'application/vnd.apple.mpegurl': { schema: Type.String() } } };
const bytes = { description: 'A segment', content: { 'application/octet-stream': { schema: Type.Unsafe<ReadableStream>({ type: 'string', format: 'binary' }) } } };
const tags = ['hls'];
const span = Type.Object({ ...query.properties, from: Type.Optional(momentSchema('Begins with the segment that holds this; an hour before `to` where it is absent')), to: Type.Optional(momentSchema(`What begins later is left out, at most ${mostSpanHours} hours after \`from\`; now where it is absent`)) });
const partParams = Type.Object({ camera, recording: recordingId, segment: Type.String({ pattern: '^(init[.]mp4|([0-9]{1,8}-){2}[0-9]{1,8}[.]m4s)$' }) });

/** Routes of HLS, live and recorded. */
export const hlsRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  app.get('/hls/:camera/index.m3u8', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'Live video over HLS; the output begins with the first request where it is on demand', params: Type.Object({ camera }), querystring: query, response: answers({ 200: text }) },
  }, async (request, reply) => {
    const { camera: id } = request.params;
    cameraOr404(control, id);
    const playlist = await control.hls.playlist(id, queryToken(request));
    return reply.header('cache-control', 'no-cache').type('application/vnd.apple.mpegurl').send(playlist);
  });

  app.get('/hls/:camera/:session/:segment', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'A segment of a playlist, or what a player needs before it', params: segmentParams, querystring: query, response: answers({ 200: bytes }) },
  }, async (request, reply) => {
    const { camera: id, session, segment } = request.params;
    const { path, type } = control.hls.file(id, session, segment);
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw new LookoutError('LOOKOUT_SEGMENT_NOT_FOUND', { cameraId: id, cause });
    });
    const { size } = await file.stat();
    void reply.headers({ 'content-length': size, 'cache-control': 'private, max-age=60' }).type(type);
    return reply.send(createReadStream('', { fd: file }) as never);
  });

  app.get('/hls/:camera/recorded.m3u8', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'What was recorded between two moments, to be played and searched; nothing is encoded', params: Type.Object({ camera }), querystring: span, response: answers({ 200: text }) },
  }, async (request, reply) => {
    const to = request.query.to === undefined ? Date.now() : momentOf(request.query.to);
    const from = request.query.from === undefined ? to - 3_600_000 : momentOf(request.query.from);
    const playlist = await control.hls.recorded({ camera: request.params.camera, ...checkSpan({ from, to }) }, queryToken(request));
    return reply.header('cache-control', 'no-cache').type('application/vnd.apple.mpegurl').send(playlist);
  });

  app.get('/hls/:camera/recorded/:recording/:segment', {
    config: { role: 'viewer' },
    schema: { tags, summary: 'A segment of a recording, or what a player needs before it', params: partParams, querystring: query, response: answers({ 200: bytes }) },
  }, async (request, reply) => {
    const { camera: id, recording, segment } = request.params;
    const part = await control.hls.recordedSegment(id, recording, segment);
    return reply.header('cache-control', 'private, max-age=60').type(part.type).send(Buffer.from(part.bytes) as never);
  });
};
