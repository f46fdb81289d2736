/** The whole protocol between the supervisor and the store's thread: one discriminated union, one answer each. */
import type { EventView } from '../api/protocol.ts';
import type { SegmentRequest } from './segments.ts';
import type { EventQuery, Role, Segment, SegmentUsage, StoredCamera, StoredFlight, StoredSession, StoredToken, Transition } from './types.ts';

/** A recording on its way to the disk: of the row with the same number. */
export type FlightRow = StoredFlight & { camera: string; seq: number };

/** What the thread is asked to do. */
export type StoreRequest =
  | { type: 'cameras.list' }
  | { type: 'cameras.put'; camera: StoredCamera }
  | { type: 'cameras.remove'; id: string }
  | { type: 'journal.append'; rows: EventView[]; flights: FlightRow[] }
  | { type: 'journal.list'; cameras: string[] | null; query: EventQuery }
  | { type: 'journal.transitions'; camera: string; since: number }
  | SegmentRequest
  | { type: 'flights.find'; camera: string; seq: number }
  | { type: 'flights.remove'; camera: string }
  | { type: 'tokens.put'; name: string; role: Role; hash: string }
  | { type: 'tokens.find'; hash: string }
  | { type: 'tokens.add'; token: StoredToken & { hash: string } }
  | { type: 'tokens.list' }
  | { type: 'tokens.has'; id: string }
  | { type: 'tokens.remove'; id: string }
  | { type: 'sessions.put'; session: StoredSession & { hash: string } }
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
  'flights.find': StoredFlight | undefined;
  'tokens.add': boolean;
  'tokens.find': StoredToken | undefined;
  'tokens.list': StoredToken[];
  'tokens.has': boolean;
  'tokens.remove': { token: StoredToken; hashes: string[] } | undefined;
  'sessions.find': StoredSession | undefined;
  'settings.get': string | undefined;
};

/** The answer to a request of type `T`. */
export type StoreValue<T extends StoreRequest['type']> = T extends keyof StoreValues ? StoreValues[T] : null;

/** What the thread is started with. */
export type StoreThreadInput = { dir: string; secretFile: string; rowsPerCamera: number; flightsPerCamera: number };

/** Thread → supervisor. `opened` comes first and once, or `refused`, after which the thread ends. */
export type StoreThreadMessage =
  | { type: 'opened'; lastSeq: number; notices: string[] }
  | { type: 'refused'; reason: string }
  | { type: 'answer'; id: number; ok: true; value: unknown }
  | { type: 'answer'; id: number; ok: false; reason: string };
