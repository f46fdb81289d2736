/** What `lookout.yaml` may say: every setting, its default, its limits, and the flag or environment variable that overrides it. */
import Type, { type Static, type TSchema } from 'typebox';
import { DeclaredCamera } from './camera-config.ts';
import { type FailureClass, failureClasses } from './errors.ts';
import { logLevels } from './log.ts';

/** Keywords of ours on a setting: where else it may come from, and whether its value must never be shown. */
export type SettingSource = { env?: string; flag?: string; secret?: boolean };

const section = <P extends Record<string, TSchema>>(description: string, properties: P) =>
  Type.Object(properties, { description, additionalProperties: false, default: {} });
const whole = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description });
const day = 86_400_000;
const ms = (fallback: number, minimum: number, maximum: number, description: string) => whole(fallback, minimum, maximum, `${description}, ms`);
const text = (description: string, options: SettingSource & { default?: string; minLength?: number; pattern?: string } = {}) =>
  Type.String({ minLength: 1, maxLength: 4096, description, ...options });

/** Waiting times before the next attempt after a failure of one class; `control/settings.ts` makes the policy of them. */
const backoff = (cls: FailureClass, minMs: number, maxMs: number, factor: number) => Type.Object({
  minMs: ms(minMs, 0, day, 'First delay'),
  maxMs: ms(maxMs, 0, day, 'Longest delay'),
  factor: Type.Number({ default: factor, minimum: 1, maximum: 10, description: 'Growth from one attempt to the next' }),
}, { description: `After \`${cls}\``, additionalProperties: false, default: {} });

/** Defaults of design §3: first delay, longest delay, factor. A test holds every class against `failureClasses`. */
const backoffDefaults: Record<FailureClass, readonly [number, number, number]> = {
  'auth': [30_000, 600_000, 3],
  'not-found': [30_000, 300_000, 2],
  'busy': [10_000, 120_000, 2],
  'reset': [500, 30_000, 2],
  'eos': [500, 30_000, 2],
  'refused': [500, 30_000, 2],
  'unreachable': [500, 30_000, 2],
  'timeout': [500, 30_000, 2],
  'booting': [1000, 1000, 1],
  'server-error': [1000, 30_000, 2],
  'dns': [500, 30_000, 2],
  'silent': [500, 30_000, 2],
  'no-keyframe': [500, 30_000, 2],
  'video-missing': [500, 30_000, 2],
  'timestamps': [500, 30_000, 2],
  'local': [5000, 5000, 1],
  'media-changed': [500, 30_000, 2],
  'unsupported': [300_000, 300_000, 1],
  'host-crash': [500, 30_000, 2],
  'native-frozen': [500, 30_000, 2],
  'sfu': [500, 30_000, 2],
  'storage': [5000, 60_000, 2],
};

const backoffTable = Type.Object(
  Object.fromEntries(failureClasses.map((cls) => [cls, backoff(cls, ...backoffDefaults[cls])])) as Record<FailureClass, ReturnType<typeof backoff>>,
  { description: 'Delays before the next attempt, by failure class', additionalProperties: false, default: {} },
);

const supervision = section('When a camera counts as failed, and how it is retried', {
  health: section('Limits of freshness', {
    stallMs: ms(1000, 100, 60_000, '`stalled` after this long without a packet'),
    silentMs: ms(2500, 200, 600_000, '`silent` after this long without a packet, at least 5 frame intervals'),
    keyframeMs: ms(15_000, 1000, 600_000, '`no-keyframe` after this long without one, at least 3 of the longest GOP seen'),
    ptsJumpMs: ms(10_000, 1000, 600_000, '`timestamps` when they stand still or jump for longer'),
    checkMs: ms(250, 50, 10_000, 'How often the counters are read'),
    firstPacketMs: ms(5000, 500, 120_000, 'First packet after PLAY must come within this'),
  }),
  backoff: backoffTable,
  resetAfterMs: ms(30_000, 0, day, 'Attempts are forgotten after the stream was fresh this long'),
  bootingMs: ms(60_000, 0, 3_600_000, '404, 454 and 5xx count as `booting` this long after a camera came back'),
  authLimit: whole(3, 1, 100, 'This many `auth` failures in a row quarantine a camera; cameras lock accounts'),
  intensity: section('More failures than this within the window quarantine a camera', {
    failures: whole(10, 1, 10_000, 'Failures allowed in the window'),
    windowMs: ms(300_000, 1000, day, 'The window'),
  }),
  quarantineProbeMs: ms(300_000, 1000, day, 'Time between two probes of a quarantined camera'),
  admission: section('Connection attempts at the same time', {
    fleet: whole(16, 1, 10_000, 'For all cameras together'),
    perAddress: whole(4, 1, 1000, 'For one address, for instance a recorder with many channels'),
  }),
  presence: section('Knocking on the port of a camera that is away', {
    intervalMs: ms(500, 50, 60_000, 'Time between two knocks, jittered'),
  }),
  actors: section('Restarts of crashed actors within the window before their supervisor gives up', {
    restarts: whole(5, 0, 1000, 'Restarts allowed in the window'),
    windowMs: ms(10_000, 100, 3_600_000, 'The window'),
  }),
});

const hosts = section('Child processes that run GStreamer pipelines', {
  warm: whole(1, 0, 1, 'Spare processes kept ready'),
  sourcesPerHost: whole(1, 1, 64, 'Cameras, or their second streams, that one process pulls. More saves memory; what shares a process shares its end'),
  outputsPerHost: whole(1, 1, 64, 'Recordings, HLS outputs and live sound that one process writes; what decodes pictures has a process of its own. More saves memory; what shares a process shares its end'),
  heartbeatMs: ms(1300, 50, 60_000, 'A host that said nothing this long is asked for a sign of life; a playing one tells its counters every 1.2 s, which is one'),
  frozenMs: ms(1000, 200, 120_000, 'A host that does not answer this long is killed'),
  stopMs: ms(300, 0, 10_000, 'Time for an orderly end (RTSP TEARDOWN) before SIGKILL'),
  recycleRssBytes: whole(268_435_456, 0, 1_099_511_627_776, 'A host whose resident memory grew to this is replaced by a fresh one without a gap; 0 means never. A process of several may have 16 MB more for each further one'),
  pictures: whole(8, 1, 256, 'Processes that decode `snapshot.jpg`, one for each camera of which pictures are asked: of more cameras at once, the one that rested longest serves the next one'),
  pictureIdleMs: ms(30_000, 0, 3_600_000, 'Such a process waits this long for the next picture of its camera'),
});

const viewers = section('Browsers that watch: what does not come this far in time is closed, and leaves nothing behind', {
  joinMs: ms(20_000, 500, 600_000, 'From joining to asking for a transport'),
  negotiateMs: ms(20_000, 500, 600_000, 'From the transport to the connection (ICE and DTLS)'),
  lostMs: ms(15_000, 500, 600_000, 'From losing the connection to giving the viewer up'),
});

const primers = section('Instant start: a joining browser is shown what the camera sent since its last keyframe, instead of waiting for the next', {
  most: whole(64, 0, 10_000, 'Browsers that are started so at the same time; the others wait for a keyframe. 0 switches it off'),
  maxBytes: whole(8_388_608, 65_536, 268_435_456, 'Most that may wait to be sent to one of them; with more it ends, and the browser waits for a keyframe'),
  catchUpBytes: whole(1_048_576, 0, 268_435_456, 'A browser that would have to decode more than this first, which takes it half a second and more, is shown the keyframe, and then the present by a process that decodes the rest in several threads and encodes until the next keyframe. 0 switches that off'),
  catchUps: whole(0, 0, 256, 'Cameras for which such a process runs at the same time; for the others the browser decodes. 0 means half of the cores, 1 at least'),
  holdMs: ms(2_000, 100, 60_000, 'A keyframe is shown alone for so long at most'),
  lifeMs: ms(30_000, 1000, 600_000, 'A start that has not found the next keyframe after this ends'),
});

const sfu = section('mediasoup', {
  workers: whole(0, 0, 256, 'Worker processes; 0 means one per core'),
  portMin: whole(40_000, 1024, 65_535, 'First port for WebRTC, UDP and TCP'),
  portMax: whole(49_999, 1024, 65_535, 'Last port for WebRTC'),
  listenIp: Type.Optional(text('Address WebRTC listens on; where absent, the one of `host`')),
  announcedAddress: Type.Optional(text('Address browsers are told; where absent, the listening one, or this machine\'s first address if that is a wildcard', { env: 'LOOKOUT_ANNOUNCED_ADDRESS' })),
  internalPortMin: whole(20_000, 1024, 65_535, 'First port between hosts and workers, on loopback'),
  internalPortMax: whole(29_999, 1024, 65_535, 'Last port between hosts and workers'),
  recvBufferBytes: whole(8_388_608, 65_536, 268_435_456, 'Receive buffer of an ingest'),
  requestMs: ms(2000, 100, 60_000, 'A worker that does not answer a request this long has failed'),
});

/** The whole of `lookout.yaml`. */
export const ConfigSchema = section('Lookout', {
  host: text('Address the page and the API listen on', { default: '127.0.0.1', env: 'LOOKOUT_HOST', flag: 'host' }),
  port: Type.Integer({ default: 8085, minimum: 0, maximum: 65_535, description: 'Port of the page and the API; 0 takes a free one', env: 'LOOKOUT_PORT', flag: 'port' }),
  data: text('Directory of everything that is kept', { default: './data', env: 'LOOKOUT_DATA', flag: 'data' }),
  demo: Type.Boolean({ default: true, description: 'Simulated cameras while none is configured', env: 'LOOKOUT_DEMO', flag: 'demo' }),
  token: Type.Optional(text('Admin token; where absent, one is made at first start', { env: 'LOOKOUT_TOKEN', secret: true })),
  tokenFile: Type.Optional(text('File with the admin token, instead of `token`', { env: 'LOOKOUT_TOKEN_FILE' })),
  internalSecret: Type.Optional(text('What `/stats` asks for in `X-Internal-Auth`; where absent, `/stats` does not exist', { env: 'LOOKOUT_INTERNAL_SECRET', secret: true })),
  internalSecretFile: Type.Optional(text('File with it, instead of `internalSecret`', { env: 'LOOKOUT_INTERNAL_SECRET_FILE' })),
  secretFile: Type.Optional(text('File with the key of stored camera credentials; where absent, `secret.key` in the data directory, made with mode 0600', { env: 'LOOKOUT_SECRET_FILE' })),
  cameras: Type.Array(DeclaredCamera, { default: [], maxItems: 10_000, description: 'Cameras that are declared here, see below' }),
  log: section('Log lines on standard output, and files of them when asked', {
    level: Type.Enum([...logLevels], { default: 'info', description: 'From `silent` to `trace`', env: 'LOOKOUT_LOG_LEVEL' }),
    directory: Type.Optional(text('Directory of log files, one for each plane (control, media, sfu) and one with the errors of all; where absent, none are written', { env: 'LOOKOUT_LOG_DIR' })),
    maxBytes: whole(16_777_216, 65_536, 4_294_967_296, 'A file that grows past it becomes `….log.1`'),
    keep: whole(5, 0, 1000, 'Old files kept of each'),
  }),
  api: section('Limits of the interfaces', {
    origins: Type.Array(Type.String({ pattern: '^https?://[^/\\s]+$' }), { default: [], maxItems: 32, description: 'Other origins whose pages may use the API (CORS, Socket.IO)' }),
    requestsPerMinute: whole(6000, 10, 1_000_000, 'Requests of one address in a minute'),
    loginsPerMinute: whole(10, 1, 10_000, 'Wrong tokens of one address in a minute before it has to wait'),
    sessionHours: whole(168, 1, 8760, 'How long a login in a browser lasts'),
    viewersPerSocket: whole(64, 1, 1000, 'Viewers of one browser connection; over WHEP, of one address with one credential'),
    requestMs: ms(10_000, 500, 120_000, 'Deadline of one signalling request of a viewer'),
  }),
  auth: section('Who is let in beside the tokens of Lookout', {
    jwt: section('JWTs of an outside issuer; issuer, audience and jwksUrl together switch it on', {
      issuer: Type.Optional(text('What the claim `iss` must be')),
      audience: Type.Optional(text('What the claim `aud` must hold')),
      jwksUrl: Type.Optional(text('Where the issuer publishes its keys (JWKS); https, or http on this machine', { pattern: '^https?://[^\\s]+$' })),
      roleClaim: text('Claim with the role (admin, operator, viewer), a text or a list; a path with dots reaches into objects', { default: 'role' }),
      camerasClaim: text('Claim with the list of cameras that a viewer may see; where a token has none, all', { default: 'cameras' }),
    }),
  }),
  tls: section('HTTPS for everything that is served, gRPC and `metrics.port` included; certificate and key together switch it on, and are read again when the files change', {
    cert: Type.Optional(text('File with the certificate and its chain (PEM), the server\'s own first', { env: 'LOOKOUT_TLS_CERT' })),
    key: Type.Optional(text('File with its private key (PEM, not encrypted)', { env: 'LOOKOUT_TLS_KEY' })),
  }),
  grpc: section('gRPC for programs (`vms.media.v1.MediaPlane`)', {
    enabled: Type.Boolean({ default: true, description: 'Whether it is served' }),
    port: Type.Integer({ default: 50_051, minimum: 0, maximum: 65_535, description: 'Its port; 0 takes a free one', env: 'LOOKOUT_GRPC_PORT' }),
    host: Type.Optional(text('Address it listens on; where absent, the one of `host`')),
  }),
  metrics: section('Prometheus', {
    port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'Serves `/metrics` without login on a port of its own', env: 'LOOKOUT_METRICS_PORT' })),
  }),
  rtsp: section('Pulling cameras', {
    connectMs: ms(3000, 100, 60_000, 'Deadline of name resolution and TCP connect'),
    answerMs: ms(5000, 100, 60_000, 'Deadline of one RTSP answer'),
    startMs: ms(10_000, 500, 120_000, 'Deadline from starting a pipeline to PLAYING'),
    latencyMs: ms(100, 0, 10_000, 'Jitter buffer'),
  }),
  supervision,
  hosts,
  sfu,
  viewers,
  primers,
  guardian: section('The process that starts Lookout again when it died', {
    restarts: whole(5, 0, 1000, 'Restarts allowed in the window; with one more death the guardian gives up, with the exit code of the last'),
    windowMs: ms(60_000, 1000, day, 'The window'),
    frozenMs: ms(20_000, 2000, 3_600_000, 'Lookout is killed and started again when its event loop stands still this long'),
  standby: Type.Boolean({ default: true, description: 'A second process (about 60 MB) has the code loaded, so that a restart is two seconds faster' }),
  }),
  watchdog: section('Lookout over its own control process. A limit counts when it was passed for `sustainMs`; 0 switches it off. What is passed is in `/readyz` (503), the log and `vms_media_watchdog_passed`; past the `exit` limits the process ends in order and the guardian starts another', {
    sustainMs: ms(30_000, 0, 3_600_000, 'How long a limit must be passed without a break'),
    delayMs: ms(500, 0, 600_000, 'Delay of the event loop, 99th percentile of two seconds'),
    exitDelayMs: ms(10_000, 0, 600_000, 'Delay of the event loop that ends the process'),
    rssBytes: whole(1_073_741_824, 0, Number.MAX_SAFE_INTEGER, 'Resident memory'),
    exitRssBytes: whole(2_147_483_648, 0, Number.MAX_SAFE_INTEGER, 'Resident memory that ends the process'),
    heapPercent: whole(80, 0, 100, 'Heap, percent of what V8 lets it become'),
    exitHeapPercent: whole(95, 0, 100, 'Heap that ends the process, before V8 ends it without a word'),
  }),
  recordings: section('Recordings on the disk', {
    dir: Type.Optional(text('Directory of recordings; where absent, `recordings` in the data directory', { env: 'LOOKOUT_RECORDINGS' })),
    minFreeBytes: whole(1_073_741_824, 0, Number.MAX_SAFE_INTEGER, 'The oldest recordings of all cameras are removed while the disk has less free'),
    segmentBytes: whole(4_000_000_000, 1_000_000, 1_000_000_000_000, 'A file ends before it is larger, whatever its time'),
    checkMs: ms(30_000, 200, 3_600_000, 'Time between two looks at what can be removed'),
  }),
  hls: section('HLS, for players that have no WebRTC', {
    segmentSeconds: whole(2, 1, 10, 'Length of a segment; it ends at the keyframe nearest to it, so a camera with rarer keyframes has longer ones'),
    segments: whole(6, 3, 60, 'Segments in a playlist; as many more stay on the disk for players that are late'),
    idleSeconds: whole(30, 5, 3600, 'An output on demand ends when nobody fetched anything for so long'),
  }),
  transcode: section('H.264 for WebRTC viewers of what WebRTC cannot carry, of cameras with `outputs.live.transcode: on-demand`', {
    cores: Type.Number({ default: 0, minimum: 0, maximum: 1024, description: 'Cores that all transcodes together may take, by estimate (1080p with 25 fps takes about 0.7); beyond it viewers are refused, and the page shows HLS or still pictures. 0 means half of the machine, 1 at least' }),
    maxHeight: whole(1080, 120, 4320, 'Lines of a transcode at most; what is higher is made smaller'),
    idleSeconds: whole(10, 1, 3600, 'A transcode ends so long after its last viewer'),
  }),
  journal: section('Why each transition happened', {
    rowsPerCamera: whole(5000, 100, 1_000_000, 'Rows kept for each camera'),
    flightsPerCamera: whole(20, 0, 10_000, 'Flight recordings kept for each camera: what passed in the 30 s before a failure, 5 to 40 kB each'),
  }),
  faults: section('Fault injection', {
    enabled: Type.Boolean({ default: false, description: 'Allows `POST /api/v1/cameras/:id/faults`; never on in production' }),
  }),
});

/** Settings after loading, before what depends on the machine is filled in. */
export type Settings = Static<typeof ConfigSchema>;
