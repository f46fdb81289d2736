/** What a camera is made from (design §6): the TypeBox schema, its defaults and the parsed, branded form. */
import Type, { type Static } from 'typebox';
import { CameraUrl } from './camera-url.ts';

/** An id that can never be a path, an element name or a launch fragment. */
export type CameraId = string & { readonly __brand: 'CameraId' };

/** The one pattern of ids (design §7). */
export const cameraIdPattern = '^[a-z0-9][a-z0-9_-]{0,63}$';

const strict = { additionalProperties: false } as const;
const url = Type.String({ minLength: 8, maxLength: 2048, description: 'rtsp:// or rtsps:// address; credentials are kept encrypted and never shown' });

/** One window of a week, in the local time of the machine; `to` before `from` ends on the next day. */
const Window = Type.Object({
  days: Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), { minItems: 1, maxItems: 7 }),
  from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
  to: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
}, strict);
const RecordInput = Type.Object({
  mode: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('continuous'), Type.Literal('scheduled'), Type.Literal('manual')], { default: 'off' })),
  segmentSeconds: Type.Optional(Type.Integer({ minimum: 2, maximum: 3600, default: 300, description: 'Length of a file; it ends at the keyframe nearest to it' })),
  retention: Type.Optional(Type.Object({
    maxAgeHours: Type.Optional(Type.Number({ minimum: 0.01, maximum: 87_600, description: 'Older files are removed' })),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1_000_000, maximum: Number.MAX_SAFE_INTEGER, description: 'The oldest files of this camera are removed beyond this' })),
  }, strict)),
  schedule: Type.Optional(Type.Array(Window, { maxItems: 64, description: 'When mode `scheduled` records' })),
}, strict);

/** Widths and heights whose planes have no padding in any of the formats: rows are what they look like. */
const FramesInput = Type.Object({
  mode: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('always')], { default: 'off', description: '`always` decodes the camera for programs, for as long as it runs' })),
  width: Type.Optional(Type.Integer({ minimum: 16, maximum: 7680, multipleOf: 8, default: 640, description: 'Pixels, a multiple of 8; what the picture does not fill is black' })),
  height: Type.Optional(Type.Integer({ minimum: 16, maximum: 4320, multipleOf: 2, default: 360, description: 'Lines, an even number' })),
  fps: Type.Optional(Type.Integer({ minimum: 1, maximum: 120, default: 5, description: 'Frames a second at most; no frame comes twice' })),
  format: Type.Optional(Type.Union([Type.Literal('RGB'), Type.Literal('I420'), Type.Literal('NV12'), Type.Literal('GRAY8')], { default: 'RGB', description: "Pixels, as GStreamer's video/x-raw names them" })),
}, strict);

/** Camera as it is sent to `POST /api/v1/cameras` and stored; only `url` is required. */
export const CameraInput = Type.Object({
  id: Type.Optional(Type.String({ pattern: cameraIdPattern, description: 'Chosen by Lookout from the name where absent' })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  url,
  sub: Type.Optional(Type.Object({ url }, { ...strict, description: 'The second, smaller stream of the camera: walls play it. It is pulled while somebody watches it' })),
  transport: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('tcp'), Type.Literal('udp')], { default: 'auto' })),
  tls: Type.Optional(Type.Object({
    verify: Type.Optional(Type.Boolean({ default: true })),
    fingerprint: Type.Optional(Type.String({ pattern: '^([0-9a-fA-F]{2}:?){32}$', description: 'SHA-256 of the certificate' })),
  }, strict)),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  source: Type.Optional(Type.Object({
    mode: Type.Optional(Type.Union([Type.Literal('always'), Type.Literal('on-demand')], { default: 'always' })),
    closeAfterSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, default: 10 })),
  }, strict)),
  outputs: Type.Optional(Type.Object({
    live: Type.Optional(Type.Object({
      feed: Type.Optional(Type.Union([Type.Literal('on-demand'), Type.Literal('always')], { default: 'on-demand' })),
      transcode: Type.Optional(Type.Union([Type.Literal('never'), Type.Literal('on-demand')], { default: 'never', description: '`on-demand` turns what WebRTC cannot carry (H.265, B-frames, 4:2:2 …) into H.264 while somebody watches' })),
    }, strict)),
    hls: Type.Optional(Type.Object({
      mode: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('on-demand'), Type.Literal('always')], { default: 'on-demand', description: '`on-demand` begins with the first request and ends when nobody asks any more' })),
    }, strict)),
    record: Type.Optional(RecordInput),
    frames: Type.Optional(FramesInput),
  }, strict)),
}, strict);
export type CameraInput = Static<typeof CameraInput>;

/** A camera as `lookout.yaml` declares it: with an id, and its addresses there, in a file or in the environment. */
const declaredUrl = Type.Optional(Type.String({ minLength: 1, maxLength: 2048, description: 'rtsp:// or rtsps:// address; ${NAME} stands for an environment variable' }));
const declaredFile = Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'File that holds the address, instead of `url`' }));
export const DeclaredCamera = Type.Object({
  ...CameraInput.properties,
  id: Type.String({ pattern: cameraIdPattern, description: 'Identifies the camera for good' }),
  url: declaredUrl,
  urlFile: declaredFile,
  sub: Type.Optional(Type.Object({ url: declaredUrl, urlFile: declaredFile }, strict)),
}, { ...strict, description: 'A camera' });
export type DeclaredCamera = Static<typeof DeclaredCamera>;

/** Changes of `PATCH /api/v1/cameras/:id`: any field but the id; `sub: null` takes the second stream away. */
export const CameraPatch = Type.Partial(Type.Object({
  ...Type.Omit(CameraInput, ['id', 'sub']).properties,
  sub: Type.Union([Type.Object({ url }, strict), Type.Null()], { description: 'The second stream; null takes it away' }),
}, strict), strict);
export type CameraPatch = Static<typeof CameraPatch>;

/** What a camera shall be, whether it is there already or not; `sub: null`: without a second stream. */
export type CameraSetup = Omit<CameraInput, 'sub'> & Pick<CameraPatch, 'sub'> & { id: string };

/** A camera after parsing: every default filled in, addresses redacted by their type. */
export type CameraConfig = {
  id: CameraId;
  name: string;
  url: CameraUrl;
  sub: CameraUrl | undefined;
  transport: 'auto' | 'tcp' | 'udp';
  tls: { verify: boolean; fingerprint: string | undefined };
  enabled: boolean;
  source: { mode: 'always' | 'on-demand'; closeAfterSeconds: number };
  outputs: { live: LiveConfig; hls: { mode: 'off' | 'on-demand' | 'always' }; record: RecordConfig; frames: FramesConfig };
};

/** When the feed of WebRTC viewers runs, and whether they get a transcode of what WebRTC cannot carry. */
export type LiveConfig = { feed: 'on-demand' | 'always'; transcode: 'never' | 'on-demand' };

/** One window of a weekly schedule. */
export type RecordWindow = Static<typeof Window>;

/** How a camera is recorded. */
export type RecordConfig = {
  mode: 'off' | 'continuous' | 'scheduled' | 'manual';
  segmentSeconds: number;
  retention: { maxAgeHours?: number; maxBytes?: number };
  schedule: readonly RecordWindow[];
};

/** The form of raw frames: pixels, frames a second at most, and GStreamer's name of the format. */
export type FrameForm = { width: number; height: number; fps: number; format: 'RGB' | 'I420' | 'NV12' | 'GRAY8' };

/** Whether programs get decoded frames of a camera, and in which form. */
export type FramesConfig = FrameForm & { mode: 'off' | 'always' };

/** Fills in the defaults. Throws `LOOKOUT_CAMERA_URL` for a bad address; the shape was checked by the schema before. */
export function parseCamera(input: CameraInput & { id: string }): CameraConfig {
  return {
    id: input.id as CameraId,
    name: input.name ?? input.id,
    url: CameraUrl.parse(input.url),
    sub: input.sub && parseSub(input.sub.url),
    transport: input.transport ?? 'auto',
    tls: { verify: input.tls?.verify ?? true, fingerprint: input.tls?.fingerprint },
    enabled: input.enabled ?? true,
    source: { mode: input.source?.mode ?? 'always', closeAfterSeconds: input.source?.closeAfterSeconds ?? 10 },
    outputs: { live: { feed: input.outputs?.live?.feed ?? 'on-demand', transcode: input.outputs?.live?.transcode ?? 'never' }, hls: { mode: input.outputs?.hls?.mode ?? 'on-demand' }, record: parseRecord(input.outputs?.record), frames: parseFrames(input.outputs?.frames) },
  };
}

/** What is wrong with it is told of its own field. */
function parseSub(url: string): CameraUrl {
  try {
    return CameraUrl.parse(url);
  } catch (error) {
    throw Object.assign(error as Error, { path: 'sub.url' });
  }
}

function parseRecord(input: Static<typeof RecordInput> = {}): RecordConfig {
  return { mode: input.mode ?? 'off', segmentSeconds: input.segmentSeconds ?? 300, retention: input.retention ?? {}, schedule: input.schedule ?? [] };
}

function parseFrames({ mode = 'off', width = 640, height = 360, fps = 5, format = 'RGB' }: Static<typeof FramesInput> = {}): FramesConfig {
  return { mode, width, height, fps, format };
}

/** The stored form of a parsed camera: credentials included, so only the store may see it. */
export function cameraToInput(camera: CameraConfig): CameraInput & { id: string } {
  return {
    id: camera.id,
    name: camera.name,
    url: camera.url.reveal(),
    ...(camera.sub ? { sub: { url: camera.sub.reveal() } } : {}),
    transport: camera.transport,
    tls: { verify: camera.tls.verify, ...(camera.tls.fingerprint ? { fingerprint: camera.tls.fingerprint } : {}) },
    enabled: camera.enabled,
    source: camera.source,
    outputs: { live: camera.outputs.live, hls: camera.outputs.hls, record: { ...camera.outputs.record, schedule: [...camera.outputs.record.schedule] }, frames: camera.outputs.frames },
  };
}

/** Makes an id from a name: lower case, everything foreign to the pattern becomes "-"; `taken` gets a number behind it. */
export function idFromName(name: string, taken: (id: string) => boolean): CameraId {
  const stem = name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/gu, '-').replace(/^-+|-+$/gu, '').slice(0, 56) || 'camera';
  if (!taken(stem)) return stem as CameraId;
  let n = 2;
  while (taken(`${stem}-${n}`)) n += 1;
  return `${stem}-${n}` as CameraId;
}
