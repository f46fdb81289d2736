/** The whole protocol between the supervisor and the store's thread: one discriminated union, one answer each. */
import type { EventView } from '../api/protocol.ts';
import type { SegmentRequest } from './segments.ts';
import type { Role, Segment, SegmentUsage, StoredCamera, Transition } from './types.ts';

/** What the thread is asked to do. */
export type StoreRequest =
  | { type: 'cameras.list' }
  | { type: 'cameras.put'; camera: StoredCamera }
  | { type: 'cameras.remove'; id: string }
  | { type: 'journal.append'; rows: EventView[] }
  | { type: 'journal.list'; camera: string; limit: number; before: number | null }
  | { type: 'journal.transitions'; camera: string; since: number }
  | SegmentRequest
  | { type: 'tokens.put'; name: string; role: Role; hash: string }
  | { type: 'tokens.find'; hash: string }
  | { type: 'sessions.put'; hash: string; role: Role; name: string; expiresAt: number }
  | { type: 'sessions.find'; hash: string }
  | { type: 'sessions.remove'; hash: string }
  | { type: 'settings.get'; key: string }
  | { type: 'settings.put'; key: string; value: string }
  | { type: 'close' };

/** What each request is answered with; every other one with null. */
export type StoreValues = {
  'cameras.list': StoredCamera[];
  'journal.list': EventView[];
  'journal.transitions': Transition[];
  'segments.list': Segment[];
  'segments.get': Segment | undefined;
  'segments.before': Segment | undefined;
  'segments.oldest': Segment[];
  'segments.usage': SegmentUsage[];
  'tokens.find': { name: string; role: Role } | undefined;
  'sessions.find': { role: Role; name: string; expiresAt: number } | undefined;
  'settings.get': string | undefined;
};

/** The answer to a request of type `T`. */
export type StoreValue<T extends StoreRequest['type']> = T extends keyof StoreValues ? StoreValues[T] : null;

/** What the thread is started with. */
export type StoreThreadInput = { dir: string; secretFile: string; rowsPerCamera: number };

/** Thread → supervisor. `opened` comes first and once, or `refused`, after which the thread ends. */
export type StoreThreadMessage =
  | { type: 'opened'; lastSeq: number; notices: string[] }
  | { type: 'refused'; reason: string }
  | { type: 'answer'; id: number; ok: true; value: unknown }
  | { type: 'answer'; id: number; ok: false; reason: string };
