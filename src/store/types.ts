/** What the store offers to the rest of the program; `openStore` (index.ts) implements it on SQLite in a worker thread. */
import type { EventView } from '../api/protocol.ts';
import type { CameraInput } from '../camera-config.ts';

/** A camera as it is stored: complete, with credentials. */
export type StoredCamera = CameraInput & { id: string };

/** A journal row before it has a number. */
export type NewEvent = Omit<EventView, 'seq' | 'at'> & { at: number };

export type Role = 'admin' | 'operator' | 'viewer';

/** A transition as availability needs it; `awaySince` of `lookout.started` rows: when the program was last alive, ms. */
export type Transition = { at: number; type: string; to: string | null; class: string | null; awaySince: number | null };

/** Time without a recording before one begins, and what the journal knows of its cause. Times in ms. */
export type SegmentGap = { from: number; ms: number; class: string | null; code: string | null; message: string | null };

/** One file of a recording; times in ms since the epoch. While it is being written, `endAt` is null. */
export type Segment = {
  id: string;
  camera: string;
  /** Below the directory of recordings. */
  path: string;
  startAt: number;
  endAt: number | null;
  durationMs: number;
  bytes: number;
  frames: number;
  codec: string | null;
  width: number | null;
  height: number | null;
  closed: boolean;
  gapBefore: SegmentGap | null;
};

/** Segments that overlap `from` to `to`, newest first, behind the last one of the page before. */
export type SegmentQuery = { camera?: string; from?: number; to?: number; limit: number; after?: { id: string; startAt: number } };

/** Closed segments of a camera together. */
export type SegmentUsage = { camera: string; bytes: number; files: number; oldestAt: number };

/** `ok` is false from a failed write or a missed deadline until the next success. */
export type StoreStatus = { ok: boolean; reason: string | null; droppedEvents: number; pendingEvents: number };

export type Store = {
  cameras: {
    /** In the order of their creation. */
    list(): Promise<StoredCamera[]>;
    put(camera: StoredCamera): Promise<void>;
    remove(id: string): Promise<void>;
  };
  journal: {
    /** Never waits: batched (at most 200 ms), bounded per camera. Returns the row as it will be read, number included. */
    append(event: NewEvent): EventView;
    /** Newest first. */
    list(query: { camera: string; limit: number; before?: number }): Promise<EventView[]>;
    /** Transitions of a camera since a moment (ms), oldest first, with the last one before it. */
    transitions(query: { camera: string; since: number }): Promise<Transition[]>;
    /** Writes what is still in the batch. */
    flush(): Promise<void>;
  };
  segments: {
    put(...segments: Segment[]): Promise<void>;
    list(query: SegmentQuery): Promise<Segment[]>;
    get(id: string): Promise<Segment | undefined>;
    remove(...ids: string[]): Promise<void>;
    /** The last one of a camera that began before. */
    before(camera: string, at: number): Promise<Segment | undefined>;
    /** Closed ones, oldest first, of one camera or of all. */
    oldest(camera: string | null, limit: number): Promise<Segment[]>;
    usage(): Promise<SegmentUsage[]>;
  };
  tokens: {
    /** Stores SHA-256 of the token only. */
    put(token: { name: string; role: Role; hash: string }): Promise<void>;
    find(hash: string): Promise<{ name: string; role: Role } | undefined>;
  };
  sessions: {
    put(session: { hash: string; role: Role; name: string; expiresAt: number }): Promise<void>;
    find(hash: string): Promise<{ role: Role; name: string; expiresAt: number } | undefined>;
    remove(hash: string): Promise<void>;
  };
  settings: {
    get(key: string): Promise<string | undefined>;
    put(key: string, value: string): Promise<void>;
  };
  /** Whether writing works at the moment; for readiness and metrics. Never waits. */
  status(): StoreStatus;
  /** Writes what is still in the batch (it waits at most 3 s for that) and ends the thread. */
  close(): Promise<void>;
};
