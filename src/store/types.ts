/** What the store offers to the rest of the program; `openStore` (index.ts) implements it on SQLite in a worker thread. */
import type { EventView } from '../api/protocol.ts';
import type { CameraInput } from '../camera-config.ts';
import type { StreamName } from '../streams.ts';

/** A camera as it is stored: complete, with credentials. */
export type StoredCamera = CameraInput & { id: string };

/** What passed before a failure, opaque to the store: `head` is text, `runs` are bytes. */
export type StoredFlight = { head: string; runs: Uint8Array };

/** A journal row before it has a number, with the recording that is kept beside it. */
export type NewEvent = Omit<EventView, 'seq' | 'at' | 'recording'> & { at: number; recording?: StoredFlight };

export type Role = 'admin' | 'operator' | 'viewer';

/** Who a credential stands for; `cameras`: what a limited viewer may see, null for all. */
export type Grant = { name: string; role: Role; cameras: readonly string[] | null };

/** A token as it is listed: never the token itself, nor its hash. Times in ms since the epoch. */
export type StoredToken = Grant & { id: string; createdAt: number; expiresAt: number | null };

/** A session; `token` is the id of the token it was opened with. */
export type StoredSession = Grant & { token: string; expiresAt: number };

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
  /** Codec of the sound; null where none is in it, and where the row is older than this field. */
  sound: string | null;
  closed: boolean;
  gapBefore: SegmentGap | null;
};

/** Segments that overlap `from` to `to`, newest first, behind the last one of the page before. */
export type SegmentQuery = { cameras?: readonly string[]; from?: number; to?: number; limit: number; after?: { id: string; startAt: number } };

/** Closed segments of a camera together. */
export type SegmentUsage = { camera: string; bytes: number; files: number; oldestAt: number };

/** `ok` is false from a failed write or a missed deadline until the next success. */
export type StoreStatus = { ok: boolean; reason: string | null; droppedEvents: number; pendingEvents: number };

/** Which rows of the journal. */
export type EventQuery = {
  /** At most. */
  limit: number;
  /** Older than this number. */
  before?: number | undefined;
  /** Of a type, or of a group of types (`camera` has `camera.transition` and others). */
  kind?: string | undefined;
  /** Not before this moment, and before that one, in ms since the epoch. */
  from?: number | undefined;
  to?: number | undefined;
  /** Only those with a class. */
  failures?: boolean | undefined;
};

/** What is kept, and how it is read and written. */
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
    /** Newest first; of both streams of a camera where none is named. */
    list(query: EventQuery & { camera?: string; stream?: StreamName }): Promise<EventView[]>;
    /** Transitions of a stream, by its key (`streamKey`), since a moment (ms), oldest first, with the last one before it. */
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
  flights: {
    /** Of a journal row of a stream, by its key (`streamKey`); undefined where it has none, or where newer ones took its place. */
    find(query: { camera: string; seq: number }): Promise<StoredFlight | undefined>;
    /** All of a stream, by its key. They go with a stored camera; for one that never was stored. */
    remove(camera: string): Promise<void>;
  };
  /** Of tokens and sessions, SHA-256 alone is kept. */
  tokens: {
    /** Makes the token of this name, or replaces it; its sessions go on. */
    put(token: { name: string; role: Role; hash: string }): Promise<void>;
    /** False where the name is taken. */
    add(token: StoredToken & { hash: string }): Promise<boolean>;
    find(hash: string): Promise<StoredToken | undefined>;
    /** Whether there is a token of this id, expired or not. */
    has(id: string): Promise<boolean>;
    /** Oldest first, expired ones included. */
    list(): Promise<StoredToken[]>;
    /** Ends the token and every session that was opened with it; the hashes of all of them, or undefined where there is none. */
    remove(id: string): Promise<{ token: StoredToken; hashes: string[] } | undefined>;
  };
  sessions: {
    put(session: StoredSession & { hash: string }): Promise<void>;
    find(hash: string): Promise<StoredSession | undefined>;
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
