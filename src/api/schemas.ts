/**
 * The shapes of every answer, as schemas. An answer holds what its schema names and nothing else: the schemas are the
 * last filter against credentials. `protocol.ts` has the same shapes as types; the compiler holds them equal (below).
 */
import Type, { type Static, type TSchema } from 'typebox';
import { failureClasses } from '../errors.ts';
import type { FramesAccessView, PacketsAccessView } from './attach-protocol.ts';
import type { AvailabilityView, CameraView, EventView, ExplanationView, ExportView, IncidentView, ProbeReport, FlightView, RecordingView, SfuView, SfuWorkerView, SystemView, TokenView, TrendView, FleetTrendView } from './protocol.ts';

/** As a list of types, not as a union: the serialiser compiles and runs unions through a validator, ten times slower. */
const nullable = <T extends TSchema>(schema: T) => {
  const { type, enum: values } = schema as { type?: string; enum?: readonly string[] };
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [type, 'null'], ...(values === undefined ? {} : { enum: [...values, null] }) });
};
const text = Type.String();
const number = Type.Number();
const maybeNumber = nullable(Type.Number());
const maybeText = nullable(Type.String());
const oneOf = <const T extends readonly string[]>(...values: T) => Type.Unsafe<T[number]>({ type: 'string', enum: values });
const failureClass = oneOf(...failureClasses);
const codec = oneOf('H264', 'H265');
const kind = oneOf('video', 'audio');

/** A failure as it is shown. */
export const LastErrorSchema = Type.Object({ class: failureClass, code: text, message: text, at: text });

const HostSchema = nullable(Type.Object({ pid: Type.Integer(), rssBytes: number }));
const VerdictSchema = Type.Object({ ok: Type.Boolean(), why: text });

const MediaSchema = Type.Object({
  codec, profile: maybeText, profileLevelId: maybeText, width: maybeNumber, height: maybeNumber, fps: maybeNumber, bitrate: maybeNumber,
  keyframeIntervalMs: maybeNumber, audio: nullable(Type.Object({ codec: text, rate: number, channels: number })),
});

const output = { state: text, lastError: nullable(LastErrorSchema), host: HostSchema };

const frameForm = { width: number, height: number, fps: number, format: oneOf('RGB', 'I420', 'NV12', 'GRAY8') };
const readers = Type.Object({ tcp: number, sharedMemory: number });
const SoundVerdictsSchema = Type.Object({ webrtc: VerdictSchema, hls: VerdictSchema, recording: VerdictSchema });

const streamName = oneOf('main', 'sub');

/** What both streams of a camera show of themselves. */
const health = {
  state: oneOf('stopped', 'idle', 'connecting', 'streaming', 'backoff', 'teardown', 'quarantined'),
  substate: nullable(oneOf('admitting', 'probing', 'starting', 'live', 'stalled')),
  since: text, attempt: number, nextRetryAt: maybeText, lastError: nullable(LastErrorSchema), restarts: number,
  media: nullable(MediaSchema),
  freshness: Type.Object({ packetAgeMs: maybeNumber, keyframeAgeMs: maybeNumber }),
  viewers: number, host: HostSchema, worker: nullable(Type.Object({ pid: Type.Integer() })),
};
const live = Type.Object({ ...output, verdict: nullable(VerdictSchema), transcode: Type.Optional(oneOf('never', 'on-demand')), carriage: Type.Optional(nullable(oneOf('plain', 'transcode', 'none'))) });

/** {@link CameraView}. */
export const CameraSchema = Type.Object({
  id: text, name: text, url: text, enabled: Type.Boolean(), transport: oneOf('auto', 'tcp', 'udp'), declared: Type.Optional(Type.Boolean()), desired: oneOf('running', 'stopped'),
  ...health,
  sub: Type.Optional(Type.Object({ url: text, ...health, live }, { description: 'The second stream; what stands beside it is main' })),
  outputs: Type.Object({
    live,
    hls: Type.Object({ ...output, mode: oneOf('off', 'on-demand', 'always'), since: text, segments: number }),
    record: Type.Object({ ...output, mode: oneOf('off', 'continuous', 'scheduled', 'manual'), schedule: Type.Optional(Type.Array(Type.Object({ days: Type.Array(oneOf('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')), from: text, to: text }))), since: text, file: maybeText, bytes: number }),
    frames: Type.Object({ ...output, mode: oneOf('off', 'always'), since: text, ...frameForm, readers, missed: number, behindMs: maybeNumber }),
    sound: Type.Optional(Type.Object({ ...output, verdicts: nullable(SoundVerdictsSchema) })),
    transcode: Type.Optional(Type.Object({ ...output, width: maybeNumber, height: maybeNumber, cores: maybeNumber })),
    snapshot: Type.Object(output),
  }),
}, { title: 'Camera' });

/** {@link FramesAccessView}. */
export const FramesAccessSchema = Type.Object({
  camera: text, state: text, lastError: nullable(LastErrorSchema), ...frameForm, frameBytes: number, protocol: oneOf('gdp-1.0'),
  tcp: nullable(Type.Object({ host: text, port: number })), sharedMemory: Type.Object({ socket: text }), readers,
  commands: Type.Object({ tcp: maybeText, sharedMemory: text }),
}, { title: 'FramesAccess' });

/** {@link PacketsAccessView}. */
export const PacketsAccessSchema = Type.Object({
  camera: text, codec, width: maybeNumber, height: maybeNumber, protocol: oneOf('rtp-rfc4571', 'matroska'), host: text, port: number, caps: maybeText, command: text,
}, { title: 'PacketsAccess' });

/** {@link RecordingView}. */
export const RecordingSchema = Type.Object({
  id: text, camera: text, path: text, startAt: text, endAt: maybeText, durationMs: number, bytes: number, frames: number, codec: maybeText, width: maybeNumber, height: maybeNumber, sound: maybeText, closed: Type.Boolean(),
  gapBefore: nullable(Type.Object({ from: text, to: text, durationMs: number, class: maybeText, code: maybeText, message: maybeText })),
}, { title: 'Recording' });

/** The id of a recording, and of an export: the camera's and a moment. */
export const recordingId = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}-[0-9]{1,15}$' });

/** {@link ExportView}. */
export const ExportSchema = Type.Object({
  id: text, camera: text, format: oneOf('mp4', 'mkv'), state: oneOf('waiting', 'running', 'done', 'failed'), progress: number, from: text, to: text,
  startAt: maybeText, endAt: maybeText, durationMs: maybeNumber, frames: maybeNumber, bytes: maybeNumber, codec: maybeText, width: maybeNumber, height: maybeNumber,
  sound: nullable(Type.Object({ codec: text, included: Type.Boolean(), reason: maybeText })),
  gaps: Type.Array(Type.Object({ from: text, to: text, durationMs: number, atMs: number })),
  error: nullable(Type.Object({ code: text, message: text })), createdAt: text, expiresAt: maybeText,
}, { title: 'Export' });

/** {@link EventView}. */
export const EventSchema = Type.Object({
  seq: Type.Integer(), at: text, camera: text, stream: Type.Optional(streamName), type: text, from: maybeText, to: maybeText, class: nullable(failureClass), code: maybeText,
  message: text, evidence: maybeText, attempt: maybeNumber, delayMs: maybeNumber,
  recording: Type.Boolean({ description: 'There is a flight recording of it' }),
}, { title: 'Event' });

/** {@link FlightView}. */
export const FlightSchema = Type.Object({
  camera: text, seq: Type.Integer(), class: text, code: text, from: text, to: text,
  dialogue: Type.Array(Type.Object({ at: number, by: oneOf('probe', 'source'), direction: oneOf('sent', 'received'), text })),
  rtp: Type.Array(Type.Object({
    at: number, ms: number, track: oneOf('video', 'audio'), ssrc: number, payloadType: number, sequence: number, timestamp: number, step: number,
    count: number, marker: Type.Boolean(), keyframe: Type.Boolean(), bytes: number, missing: number,
  })),
}, { title: 'FlightRecording' });

const availability = {
  camera: text, from: text, to: text, uptime: maybeNumber, liveSeconds: number, gapSeconds: number, gapMinutes: number, restingSeconds: number, unknownSeconds: number, losses: number,
  recovery: nullable(Type.Object({ count: number, medianSeconds: number, p95Seconds: number, maxSeconds: number })),
  byClass: Type.Array(Type.Object({ class: text, losses: number, gapSeconds: number })),
};

/** {@link AvailabilityView}. */
export const AvailabilitySchema = Type.Object({ ...availability, sub: Type.Optional(Type.Object(availability, { description: 'The same of the second stream' })) }, { title: 'Availability' });

const figures = Type.Array(number);
const maybeFigures = Type.Array(maybeNumber);

/** {@link TrendView}. */
export const TrendSchema = Type.Object({
  camera: text, from: text, stepMs: number, bitrate: maybeFigures, fps: maybeFigures, packetAgeMs: maybeFigures, restarts: figures,
  state: Type.Array(nullable(oneOf('live', 'stalled', 'connecting', 'backoff', 'quarantined', 'off'))),
}, { title: 'Trend' });

/** {@link FleetTrendView}. */
export const FleetTrendSchema = Type.Object({ from: text, stepMs: number, cameras: figures, live: figures, bitrate: figures, restarts: figures }, { title: 'FleetTrend' });

/** {@link IncidentView}. */
export const IncidentSchema = Type.Object({
  id: text, openedAt: text, closedAt: maybeText, cause: oneOf('machine', 'address', 'network', 'class', 'mixed'), message: text,
  cameras: Type.Array(Type.Object({ camera: text, class: failureClass, lostAt: text, backAt: maybeText })),
}, { title: 'Incident' });

const explanation = {
  camera: text, state: CameraSchema.properties.state, substate: CameraSchema.properties.substate, since: text, downSince: maybeText, why: text,
  lastError: nullable(LastErrorSchema), evidence: maybeText, nextRetryAt: maybeText, attempts: number, incident: maybeText,
  before: Type.Array(EventSchema),
};

/** {@link ExplanationView}. */
export const ExplanationSchema = Type.Object({ ...explanation, availability: AvailabilitySchema, sub: Type.Optional(Type.Object(explanation, { description: 'The same of the second stream' })) }, { title: 'Explanation' });

/** {@link SfuWorkerView}. */
export const WorkerSchema = Type.Object({
  index: Type.Integer(), pid: nullable(Type.Integer()), state: text, restarts: number, routers: number, port: maybeNumber, cpu: maybeNumber, rssBytes: maybeNumber,
}, { title: 'Worker' });

const mediaRole = Type.Optional(oneOf('ingest', 'viewer', 'edge', 'primer'));

/** {@link SfuView}. */
export const SfuSchema = Type.Object({
  workers: Type.Array(WorkerSchema),
  routers: Type.Array(Type.Object({ id: text, camera: text, stream: Type.Optional(streamName), worker: number, role: mediaRole })),
  transports: Type.Array(Type.Object({ id: text, kind: oneOf('plain', 'webrtc', 'pipe'), camera: text, stream: Type.Optional(streamName), viewer: maybeText, role: mediaRole, recvBufferBytes: Type.Optional(maybeNumber) })),
  producers: Type.Array(Type.Object({ id: text, camera: text, stream: Type.Optional(streamName), role: mediaRole, kind, paused: Type.Boolean(), packetCount: number, byteCount: number, keyframeCount: number, packetsLost: number })),
  consumers: Type.Array(Type.Object({ id: text, camera: text, stream: Type.Optional(streamName), viewer: maybeText, role: mediaRole, kind, paused: Type.Boolean() })),
  primers: Type.Array(Type.Object({ camera: Type.String(), stream: Type.Optional(streamName), viewer: Type.String(), live: Type.Boolean() })),
}, { title: 'Sfu' });

/** {@link SystemView}. */
export const SystemSchema = Type.Object({
  version: text, startedAt: text, instance: text, demo: Type.Boolean(), grpcPort: Type.Optional(maybeNumber), cameras: number, live: number, viewers: number, hosts: number, orphans: number,
  cpu: number, rssBytes: number, heapBytes: Type.Optional(number), eventLoopDelayMs: number, passed: Type.Optional(Type.Array(oneOf('delay', 'memory'))),
}, { title: 'System' });

/** {@link ProbeReport}. */
export const ProbeSchema = Type.Object({
  url: text, server: maybeText, media: nullable(MediaSchema), gopMs: maybeNumber, bFrames: nullable(Type.Boolean()),
  verdicts: Type.Object({ webrtc: VerdictSchema, hls: VerdictSchema, recording: VerdictSchema, frames: VerdictSchema, transcode: Type.Optional(VerdictSchema) }),
  sound: Type.Optional(nullable(SoundVerdictsSchema)),
  picture: nullable(Type.Object({ jpeg: Type.String({ description: 'A small JPEG in Base64' }), width: Type.Integer(), height: Type.Integer() })),
}, { title: 'ProbeReport' });

/** The three roles. */
export const roleSchema = oneOf('admin', 'operator', 'viewer');
const cameraIds = nullable(Type.Array(text, { description: 'What a limited viewer may see; null: all' }));

/** Who is logged in. */
export const SessionSchema = Type.Object({ name: text, role: roleSchema, cameras: cameraIds }, { title: 'Session' });

/** {@link TokenView}. */
export const TokenSchema = Type.Object({ id: text, name: text, role: roleSchema, cameras: cameraIds, createdAt: text, expiresAt: maybeText }, { title: 'Token' });

/** A token with its text: the answer that made it. */
export const NewTokenSchema = Type.Object({ ...TokenSchema.properties, token: Type.String({ description: 'Keep it; it is not told again' }) }, { title: 'NewToken' });

/** Every error of every route. */
export const ErrorSchema = Type.Object({
  statusCode: Type.Integer(),
  code: Type.String({ description: 'From the catalogue in docs/api.md' }),
  error: text,
  message: text,
  details: Type.Optional(Type.Array(Type.Object({ path: text, message: text }), { description: 'What is wrong with the request, field by field' })),
  failure: Type.Optional(LastErrorSchema),
  lastPictureAgeMs: Type.Optional(nullable(Type.Number({ description: 'Age of the last picture taken of the camera, with `snapshot.jpg`' }))),
}, { title: 'Error' });
export type ErrorBody = Static<typeof ErrorSchema>;

/** The answers of a route: its own, and errors. */
export const answers = <T extends Record<number, unknown>>(own: T) => ({ ...own, '4xx': ErrorSchema, '5xx': ErrorSchema });

/** Answer of a route that only confirms. */
export const NoContent = Type.Null({ description: 'Done' });

// A field of one that the other lacks, or of another type, does not compile.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type Held = [
  Same<Static<typeof CameraSchema>, CameraView>, Same<Static<typeof EventSchema>, EventView>, Same<Static<typeof WorkerSchema>, SfuWorkerView>,
  Same<Static<typeof SfuSchema>, SfuView>, Same<Static<typeof ProbeSchema>, ProbeReport>,
  Same<Static<typeof SystemSchema>, SystemView>, Same<Static<typeof AvailabilitySchema>, AvailabilityView>, Same<Static<typeof IncidentSchema>, IncidentView>,
  Same<Static<typeof ExplanationSchema>, ExplanationView>, Same<Static<typeof FlightSchema>, FlightView>, Same<Static<typeof TokenSchema>, TokenView>, Same<Static<typeof RecordingSchema>, RecordingView>,
  Same<Static<typeof ExportSchema>, ExportView>, Same<Static<typeof FramesAccessSchema>, FramesAccessView>, Same<Static<typeof PacketsAccessSchema>, PacketsAccessView>,
  Same<Static<typeof TrendSchema>, TrendView>, Same<Static<typeof FleetTrendSchema>, FleetTrendView>,
];
[true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true] satisfies Held;
