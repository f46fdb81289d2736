/** The closed catalogues of what can go wrong: failure classes of a camera, and error codes of every interface. */

/**
 * Why a camera, one of its outputs or its ingest failed. The class alone decides the policy (`machines/policy.ts`);
 * nobody branches on a message. Kept equal to `docs/failures.md` by a test.
 */
export const failureClasses = [
  'auth', 'not-found', 'busy', 'reset', 'eos', 'refused', 'unreachable', 'timeout', 'booting', 'server-error', 'dns',
  'silent', 'no-keyframe', 'video-missing', 'timestamps', 'local', 'media-changed', 'unsupported', 'host-crash',
  'native-frozen', 'sfu', 'storage',
] as const;

/** One of {@link failureClasses}. */
export type FailureClass = (typeof failureClasses)[number];

/** A failure as it is stored, shown and explained. Plain data, already free of credentials. */
export type Failure = {
  class: FailureClass;
  /** Stable machine-readable detail below the class, for instance `rtsp-401`, `econnrefused`, `heartbeat-missed`. */
  code: string;
  /** One sentence for a person, naming the thing and the value. */
  message: string;
  /** What proved it: the RTSP status line, the bus message, the exit signal. */
  evidence?: string;
  /** Wall clock, ms since the epoch. */
  at: number;
};

/** Error codes of REST, Socket.IO and the CLI: HTTP status and a printf-free default message. */
export const errorCatalogue = {
  LOOKOUT_VALIDATION: [400, 'The request does not have the expected form.'],
  LOOKOUT_CAMERA_URL: [400, 'A camera URL must be rtsp:// or rtsps:// with a host.'],
  LOOKOUT_CAMERA_ID: [400, 'A camera id is 1 to 64 characters of a-z, 0-9, "-" and "_", and starts with a letter or digit.'],
  LOOKOUT_UNAUTHENTICATED: [401, 'Log in first: send a bearer token, or open the login link printed at start.'],
  LOOKOUT_FORBIDDEN: [403, 'Your role does not allow this.'],
  LOOKOUT_FAULTS_DISABLED: [403, 'Fault injection is switched off. Set "faults: {enabled: true}" in lookout.yaml and start again; never in production.'],
  LOOKOUT_CAMERA_NOT_FOUND: [404, 'There is no camera with this id.'],
  LOOKOUT_RECORDING_NOT_FOUND: [404, 'There is no recording with this id.'],
  LOOKOUT_FLIGHT_NOT_FOUND: [404, 'There is no recording of this journal row: only failures have one, and only the newest are kept.'],
  LOOKOUT_SEGMENT_NOT_FOUND: [404, 'There is no such segment, or not any more. Fetch the playlist again.'],
  LOOKOUT_EXPORT_NOT_FOUND: [404, 'There is no export with this id, or not any more: they are kept for a day.'],
  LOOKOUT_TOKEN_NOT_FOUND: [404, 'There is no token with this id.'],
  LOOKOUT_ACTOR_NOT_FOUND: [404, 'There is no actor with this id; it may have ended.'],
  LOOKOUT_VIEWER_NOT_FOUND: [404, 'There is no such viewer on this connection.'],
  LOOKOUT_ROUTE_NOT_FOUND: [404, 'There is no such route. The interface is described at /docs.'],
  LOOKOUT_METHOD: [405, 'This cannot be changed. Candidates of clients are not needed: the connection is made to ours.'],
  LOOKOUT_CAMERA_EXISTS: [409, 'A camera with this id exists already.'],
  LOOKOUT_CAMERA_DECLARED: [409, 'This camera is declared in lookout.yaml. Change it there.'],
  LOOKOUT_TOKEN_EXISTS: [409, 'A token with this name exists already.'],
  LOOKOUT_CAMERA_STOPPED: [409, 'The camera is stopped. Start it first.'],
  LOOKOUT_RECORDING_OPEN: [409, 'The recording is still being written.'],
  LOOKOUT_EXPORT_OPEN: [409, 'The export is not finished.'],
  LOOKOUT_RECORDING_MODE: [409, 'The camera is not recorded by hand. Set "outputs: {record: {mode: manual}}" first.'],
  LOOKOUT_HLS_OFF: [409, 'HLS is switched off for this camera. Set "outputs: {hls: {mode: on-demand}}" first.'],
  LOOKOUT_FRAMES_OFF: [409, 'Raw frames are switched off for this camera. Set "outputs: {frames: {mode: always}}" first.'],
  LOOKOUT_TOO_LARGE: [413, 'The request is too large.'],
  LOOKOUT_MEDIA_TYPE: [415, 'Send the body as application/json.'],
  LOOKOUT_RANGE: [416, 'The recording has no such bytes.'],
  LOOKOUT_EVENT_REFUSED: [422, 'This event cannot be sent by hand.'],
  LOOKOUT_EXPORT_FORMAT: [422, 'The camera changed its picture within this time: one file cannot hold both.'],
  LOOKOUT_EXPORT_LIMIT: [429, 'There are too many exports. Delete one first.'],
  LOOKOUT_RATE_LIMITED: [429, 'Too many requests. Try again later.'],
  LOOKOUT_UNSUPPORTED_MEDIA: [422, 'WebRTC cannot carry what this camera sends.'],
  LOOKOUT_INTERNAL: [500, 'Lookout made a mistake. The log has the details under this request id.'],
  LOOKOUT_PROBE_FAILED: [502, 'The camera could not be probed.'],
  LOOKOUT_NOT_LIVE: [503, 'The camera is not live at the moment.'],
  LOOKOUT_SHUTTING_DOWN: [503, 'Lookout is shutting down.'],
  LOOKOUT_STORE_UNAVAILABLE: [503, 'The store cannot be read or written at the moment. The log says why.'],
  LOOKOUT_ISSUER_UNAVAILABLE: [503, 'The keys of the token issuer cannot be fetched at the moment. The log says why.'],
  LOOKOUT_STORAGE: [503, 'The disk of recordings cannot be used at the moment.'],
  LOOKOUT_SFU_UNAVAILABLE: [503, 'No media worker is available at the moment.'],
  LOOKOUT_TRANSCODE_BUDGET: [503, 'The cores for transcodes are in use. HLS and still pictures go on.'],
  LOOKOUT_DEADLINE: [504, 'It did not answer in time.'],
} as const satisfies Record<string, readonly [number, string]>;

/** One of the codes of {@link errorCatalogue}. */
export type ErrorCode = keyof typeof errorCatalogue;

/** An error that may be shown to the caller. `message` never holds a credential. */
export class LookoutError extends Error {
  override readonly name = 'LookoutError';
  readonly code: ErrorCode;
  readonly statusCode: number;
  /** The camera the error is about, if any. */
  readonly cameraId: string | undefined;
  /** The failure of the camera that explains it, if any. */
  readonly failure: Failure | undefined;

  constructor(code: ErrorCode, options: { message?: string; cameraId?: string; failure?: Failure; cause?: unknown } = {}) {
    super(options.message ?? errorCatalogue[code][1], options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.statusCode = errorCatalogue[code][0];
    this.cameraId = options.cameraId;
    this.failure = options.failure;
  }
}

/** A failure on its way through a promise: actors throw it, machines read `.failure`. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

/** Makes a {@link Failure} stamped now. */
export function failure(cls: FailureClass, code: string, message: string, evidence?: string): Failure {
  return { class: cls, code, message, at: Date.now(), ...(evidence === undefined ? {} : { evidence }) };
}

/** What an unknown thrown value says of itself; a {@link FailureError} is unwrapped, anything else becomes `fallback`. */
export function failureOf(error: unknown, fallback: FailureClass): Failure {
  if (error instanceof FailureError) return error.failure;
  const message = error instanceof Error ? error.message : String(error);
  return failure(fallback, 'unexpected', message);
}
