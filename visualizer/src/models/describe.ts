/** What a camera's state means in words: one title, one reason, one tone. Pure; every view says the same. */
import type { CameraView, LastError, SubView } from '../../../src/api/protocol.ts';

export type Tone = 'live' | 'busy' | 'warn' | 'bad' | 'off';

export type Description = {
  tone: Tone;
  /** One or two words. */
  title: string;
  /** Why, without the countdown; null where there is nothing to explain. */
  reason: string | null;
  /** When it tries again: `next try in 3 s`; null where it does not. */
  next: string | null;
};

/** The failure classes as a person would say them. */
export const reasonWords: Record<LastError['class'], string> = {
  auth: 'login refused',
  'not-found': 'no such stream',
  busy: 'camera has no free session',
  reset: 'connection reset',
  eos: 'camera ended the stream',
  refused: 'connection refused',
  unreachable: 'camera unreachable',
  timeout: 'camera does not answer',
  booting: 'camera is booting',
  'server-error': 'camera reports an error',
  dns: 'host name does not resolve',
  silent: 'camera went silent',
  'no-keyframe': 'no keyframe',
  'video-missing': 'no video, only audio',
  timestamps: 'timestamps broken',
  local: 'out of local resources',
  'media-changed': 'video format changed',
  unsupported: 'format not supported',
  'host-crash': 'pipeline crashed',
  'native-frozen': 'pipeline froze',
  sfu: 'media worker lost',
  storage: 'storage not writable',
};

const connectingWords = { admitting: 'waiting for its turn', probing: 'asking the camera', starting: 'starting the stream' } as const;
const reconnectingWords = { ...connectingWords, probing: 'trying now' } as const;

/** What decides how a camera, or one of its streams, is described. */
type Health = Pick<CameraView, 'state' | 'substate' | 'attempt' | 'nextRetryAt' | 'lastError' | 'desired'>;

/** What can be said of any camera while the page hears nothing. */
export const unheard: Description = { tone: 'off', title: 'Unknown', reason: 'no connection to Lookout', next: null };

/** Describes a camera at `serverNow` (ms since the epoch on the server's clock). */
export function describe(camera: Health, serverNow: number): Description {
  const cause = camera.lastError ? reasonWords[camera.lastError.class] : null;
  switch (camera.state) {
    case 'streaming':
      return camera.substate === 'stalled'
        ? { tone: 'warn', title: 'Stalled', reason: 'no fresh picture', next: null }
        : { tone: 'live', title: 'Live', reason: null, next: null };
    case 'connecting': {
      const step = camera.substate && camera.substate in connectingWords ? (camera.substate as keyof typeof connectingWords) : 'probing';
      return camera.attempt > 0 && cause
        ? { tone: 'warn', title: 'Reconnecting', reason: cause, next: reconnectingWords[step] }
        : { tone: 'busy', title: 'Connecting', reason: connectingWords[step], next: null };
    }
    case 'backoff':
      return { tone: 'warn', title: 'Reconnecting', reason: cause ?? 'connection lost', next: countdown(camera.nextRetryAt, serverNow) };
    case 'teardown':
      return camera.desired === 'stopped'
        ? { tone: 'off', title: 'Stopping', reason: null, next: null }
        : { tone: 'warn', title: 'Reconnecting', reason: cause ?? 'closing the old connection', next: null };
    case 'quarantined':
      return { tone: 'bad', title: 'Quarantined', reason: cause ?? 'failed too often', next: countdown(camera.nextRetryAt, serverNow) };
    case 'idle':
      return { tone: 'off', title: 'Idle', reason: 'starts when somebody watches', next: null };
    case 'stopped':
      return { tone: 'off', title: 'Stopped', reason: null, next: null };
  }
}

/** The same of a camera's second stream. */
export function describeSub({ desired }: CameraView, sub: SubView, serverNow: number): Description {
  return describe({ ...sub, desired }, serverNow);
}

/** What fails of the second stream; null while it is well, or rests. */
export function subSentence(camera: CameraView, serverNow: number): string | null {
  if (!camera.sub || (camera.sub.state === 'idle' && camera.sub.attempt === 0)) return null;
  const failed = camera.sub.state === 'idle' ? { ...camera.sub, state: 'backoff' as const } : camera.sub;
  const description = describeSub(camera, failed, serverNow);
  if (description.tone !== 'warn' && description.tone !== 'bad') return null;
  const { reason, next } = description;
  return `Sub stream: ${[reason, next].filter((part) => part !== null).join(', ')}`;
}

/** `Connection reset, next try in 3 s`, or null. */
export function sentence({ reason, next }: Description): string | null {
  const text = [reason, next].filter((part) => part !== null).join(', ');
  return text === '' ? null : text[0]!.toUpperCase() + text.slice(1);
}

function countdown(at: string | null, serverNow: number): string | null {
  if (at === null) return null;
  const seconds = Math.ceil((Date.parse(at) - serverNow) / 1000);
  if (!Number.isFinite(seconds)) return null;
  return seconds <= 0 ? 'trying now' : `next try in ${duration(seconds * 1000)}`;
}

/** `850 ms` never: `0.9 s`, `12 s`, `4 min 05 s`, `3 h 12 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Age of a frame: tenths below ten seconds, then as {@link duration}. */
export function age(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : duration(ms);
}
