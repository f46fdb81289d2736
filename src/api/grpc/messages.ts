/** Between the messages of `media_plane.proto` and what the supervisor understands. */
import Value from 'typebox/value';
import { cameraIdPattern, CameraInput, type CameraSetup } from '../../camera-config.ts';
import { LookoutError } from '../../errors.ts';
import type { CameraView, LastError, OutputView, SubView, Verdict } from '../protocol.ts';
import { CameraSchema } from '../schemas.ts';
import { shown } from '../shown.ts';

/** Enumerations of a request by field: what their values begin with. Theirs is the rest, as REST writes it. */
const prefixes: Record<string, string[]> = { transport: ['TRANSPORT_'], mode: ['SOURCE_MODE_', 'RECORD_MODE_', 'HLS_MODE_', 'FRAMES_MODE_'], feed: ['FEED_MODE_'], transcode: ['TRANSCODE_MODE_'], format: ['FRAME_FORMAT_'] };
const idPattern = new RegExp(cameraIdPattern, 'u');

/** A message as it was decoded. */
export type Message = Readonly<Record<string, unknown>>;

/** The id of a request. Throws `LOOKOUT_CAMERA_ID`. */
export function idOf(request: Message): string {
  const { id } = request;
  if (typeof id !== 'string' || !idPattern.test(id)) throw new LookoutError('LOOKOUT_CAMERA_ID');
  return id;
}

/** What a `SetupStreamRequest` asks for, checked by the schema of REST. Throws what REST would answer. */
export function cameraOf(request: Message): CameraSetup {
  const id = idOf(request);
  const { sub, ...rest } = plain({ ...request, id }) as CameraInput & { id: string };
  // A message has no null: a second stream without an address is none.
  const noSub = sub?.url === '';
  const input = { ...rest, ...(sub && !noSub && { sub }) };
  const problems = [...Value.Errors(CameraInput, input)];
  if (problems.length > 0) throw Object.assign(new Error('validation'), { validation: problems, validationContext: 'body' });
  return noSub ? { ...input, sub: null } : input;
}

function plain(message: Message): Message {
  return Object.fromEntries(Object.entries(message).flatMap(([key, value]): [string, unknown][] => {
    // The loader names optional fields that are there, as `_name: "name"`.
    if (key.startsWith('_')) return [];
    const prefix = typeof value === 'string' ? prefixes[key]?.find((begin) => value.startsWith(begin)) : undefined;
    if (prefix !== undefined) return value === `${prefix}UNSPECIFIED` ? [] : [[key, restWord(key, String(value).slice(prefix.length))]];
    // A list that is not said and an empty one look alike.
    if (Array.isArray(value)) return value.length === 0 ? [] : [[key, value.map((entry: unknown) => (typeof entry === 'object' && entry !== null ? plain(entry as Message) : entry))]];
    return [[key, typeof value === 'object' && value !== null ? plain(value as Message) : value]];
  }));
}

/** Formats of pixels are written the same everywhere. */
function restWord(field: string, word: string): string {
  return field === 'format' ? word : word.toLowerCase().replaceAll('_', '-');
}

/** A `Stream`. What the view does not know is left out. */
export function streamOf(view: CameraView): Message {
  const { outputs, desired, transport, sub, ...own } = shown(CameraSchema, view);
  return {
    ...healthOf(own),
    transport: `TRANSPORT_${transport.toUpperCase()}`,
    desired: `DESIRED_STATE_${desired.toUpperCase()}`,
    sub: sub && subOf(sub),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, outputOf(output)])),
  };
}

function subOf({ live, ...own }: SubView): Message {
  return { ...healthOf(own), live: outputOf(live) };
}

/** What both streams of a camera show of themselves, beside what is the same in message and view. */
function healthOf({ since, nextRetryAt, lastError, media, freshness, worker, state, host, ...same }: Omit<SubView, 'live'>): Message {
  return {
    ...withoutNulls(same),
    state: `STREAM_STATE_${state.toUpperCase()}`,
    since: timestampOf(since),
    nextRetryAt: nextRetryAt === null ? undefined : timestampOf(nextRetryAt),
    lastError: failureOf(lastError),
    media: media === null ? undefined : { ...withoutNulls(media), audio: media.audio ?? undefined },
    ...withoutNulls(freshness),
    host: host ?? undefined,
    workerPid: worker?.pid,
  };
}

function outputOf({ state, lastError, host, verdict }: OutputView & { verdict?: Verdict | null }): Message {
  return { state, lastError: failureOf(lastError), host: host ?? undefined, verdict: verdict ?? undefined };
}

function failureOf(error: LastError | null): Message | undefined {
  return error === null ? undefined : { failureClass: error.class, code: error.code, message: error.message, at: timestampOf(error.at) };
}

/** A `google.protobuf.Timestamp`. */
export function timestampOf(iso: string): { seconds: number; nanos: number } {
  const ms = Date.parse(iso);
  return { seconds: Math.floor(ms / 1000), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
}

const withoutNulls = (value: object): Message => Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
