/** The flight recorder: what passed between each camera and Lookout in the last 30 s, ready to be kept when it fails. */
import type { CameraUrl } from '../camera-url.ts';
import type { Failure } from '../errors.ts';
import type { FlightMessage, FlightRecording } from '../media.ts';
import { redactMessage } from '../rtsp/redact.ts';
import { boxMessages, boxRuns, boxStart, readRuns } from './flight-box.ts';
import type { Host } from './host.ts';

/** A recording as it is stored: `head` is JSON, `runs` what `flight-box.ts` reads. Free of credentials. */
export type FlightCopy = { head: string; runs: Uint8Array };

/** One message of a dialogue, whole, as a connection hands it over. */
export type DialogueListener = (direction: FlightMessage['direction'], text: string) => void;

/** One recorder for all cameras. */
export type FlightRecorder = {
  /** A camera begins an attempt: what it says from here on. Beside a source that runs it is its successor's. */
  probing(camera: string, url: CameraUrl): DialogueListener;
  /** The newest attempt has a host; its box goes on from here. */
  boarding(camera: string, host: Pick<Host, 'flight' | 'exited'>): void;
  /** The successor took over from the source that ran. */
  succeeded(camera: string): void;
  /** What is known at this moment of the source that runs, or of its successor; undefined where there is none, or where nothing was said yet. */
  copy(camera: string, failure: Pick<Failure, 'class' | 'code'>, whose?: 'running' | 'successor'): FlightCopy | undefined;
  /** The attempt is over; nothing of it is needed any more. */
  forget(camera: string): void;
};

type Head = Omit<FlightRecording, 'camera' | 'seq' | 'rtp' | 'from' | 'to'> & { from: number; to: number; /** What brings the runs' times to `from`. */ shiftMs: number };
type Attempt = { url: CameraUrl; probed: FlightMessage[]; probedBytes: number; host: Pick<Host, 'flight'> | undefined; over: boolean };
type Attempts = { running: Attempt; successor?: Attempt | undefined };
/** `now` is the wall clock, `monotonic` that of `process.hrtime`, both in ms. */
type Clock = { now: () => number; monotonic: () => number };

const windowMs = 30_000;
/** Of the probe's own dialogue; the box bounds the rest. */
const probedBytesLimit = 16_384;
const realClock: Clock = { now: Date.now, monotonic: () => Number(process.hrtime.bigint() / 1_000_000n) };

/** Makes an empty recorder. */
export function createFlightRecorder(clock: Clock = realClock): FlightRecorder {
  const attempts = new Map<string, Attempts>();
  return {
    probing(camera, url) {
      const attempt: Attempt = { url, probed: [], probedBytes: 0, host: undefined, over: false };
      const running = attempts.get(camera)?.running;
      attempts.set(camera, running?.host && !running.over ? { running, successor: attempt } : { running: attempt });
      return (direction, text) => {
        // Cut afterwards: half a password would not be recognised.
        const safe = redactMessage(text, url.credentials).slice(0, Math.max(0, probedBytesLimit - attempt.probedBytes));
        if (safe === '') return;
        attempt.probedBytes += safe.length;
        attempt.probed.push({ at: clock.now(), by: 'probe', direction, text: safe });
      };
    },
    boarding(camera, host) {
      const { running, successor } = attempts.get(camera) ?? {};
      const attempt = successor ?? running;
      if (!attempt) return;
      attempt.host = host;
      void host.exited.then(() => (attempt.over = true));
    },
    succeeded(camera) {
      const successor = attempts.get(camera)?.successor;
      if (successor) attempts.set(camera, { running: successor });
    },
    copy(camera, failure, whose = 'running') {
      const attempt = attempts.get(camera)?.[whose];
      return attempt && copyOf(attempt, failure, clock);
    },
    forget: (camera) => void attempts.delete(camera),
  };
}

/** A stored recording, readable. */
export function readFlight({ head, runs }: FlightCopy, { camera, seq }: { camera: string; seq: number }): FlightRecording {
  const { from, to, shiftMs, ...rest } = JSON.parse(head) as Head;
  return { camera, seq, ...rest, from: new Date(from).toISOString(), to: new Date(to).toISOString(), rtp: readRuns(runs, shiftMs) };
}

function copyOf({ url, probed, host }: Attempt, failure: Pick<Failure, 'class' | 'code'>, clock: Clock): FlightCopy | undefined {
  const to = clock.now();
  const source = sourceOf(host?.flight(), { to, url, clock });
  const dialogue = [...probed, ...source.dialogue].filter(({ at }) => at <= to);
  const first = dialogue[0]?.at ?? source.firstRunAt;
  if (first === undefined) return undefined;
  const from = Math.min(first, source.firstRunAt ?? first);
  const head: Head = { class: failure.class, code: failure.code, from, to, shiftMs: source.began - from, dialogue: dialogue.map((message) => ({ ...message, at: message.at - from })) };
  return { head: JSON.stringify(head), runs: source.runs };
}

type SourcePart = { began: number; firstRunAt: number | undefined; dialogue: FlightMessage[]; runs: Buffer };

/** What the box holds: the start of its session whatever its age, and of the rest the last 30 s. Times are wall clock. */
function sourceOf(box: Buffer | undefined, { to, url, clock }: { to: number; url: CameraUrl; clock: Clock }): SourcePart {
  const start = box && boxStart(box);
  if (box === undefined || start === undefined) return { began: to, firstRunAt: undefined, dialogue: [], runs: Buffer.alloc(0) };
  const began = to - (clock.monotonic() - start);
  const messages = boxMessages(box);
  const since = to - windowMs - began;
  const kept = [...messages.start, ...messages.later.filter(({ at }) => at >= since)];
  const runs = boxRuns(box, since);
  return {
    began, runs,
    firstRunAt: runs.length === 0 ? undefined : began + runs.readUInt32LE(4),
    dialogue: kept.map(({ at, direction, text }) => ({ at: began + at, by: 'source', direction, text: redactMessage(text, url.credentials) })),
  };
}
