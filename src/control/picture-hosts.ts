/**
 * Processes that take pictures: one for each camera of which pictures are asked, kept warm while that goes on, few in all. Of more cameras
 * than processes each takes over the one that rested longest: to start another costs ten times a picture.
 */
import { exitFailure } from '../actors/host-exit.ts';
import { failure, FailureError } from '../errors.ts';
import type { Host, HostPool } from '../native/host.ts';
import type { HostEvent } from '../native/protocol.ts';

/** What a picture is taken of, and how: `width` 0 keeps the camera's size, `quality` is that of JPEG, 1–100. */
export type PictureOrder = { camera: string; hubPort: number; codec: 'H264' | 'H265'; width: number; quality: number };

/** A picture as its host gives it. */
export type Shot = { jpeg: Uint8Array; width: number; height: number };

/** The processes. */
export type PictureHosts = {
  /** One at a time of a camera. Rejects with a `FailureError`. */
  shoot(order: PictureOrder): Promise<Shot>;
  /** The process that waits for the camera's next picture. */
  of(camera: string): { pid: number; rssBytes: number } | null;
  /** Ends the camera's. */
  end(camera: string): void;
};

/** `idleMs`: how long one waits for the next picture; `most`: how many there are, the one that rested longest makes room. */
export type PictureHostsOptions = { pool: HostPool; idleMs?: number; most?: number };

const deadlineMs = 5_000;
/** A decoder is 40 MB of private memory or so. */
const defaults = { idleMs: 30_000, most: 8 } as const;
/** A process that ends under a picture may have been ended from outside; one that follows it and ends too has a reason in the stream. */
const tries = 2;

const ownerOf = (camera: string): string => `camera:${camera}/snapshot`;

type Entry = { camera: string; host: Host; codec: PictureOrder['codec']; usedAt: number; busy: boolean; idle: NodeJS.Timeout | undefined };

/** Makes the book of them; none runs yet. */
export function createPictureHosts({ pool, idleMs = defaults.idleMs, most = defaults.most }: PictureHostsOptions): PictureHosts {
  const entries = new Map<string, Entry>();
  const end = (camera: string, entry = entries.get(camera)): void => {
    if (entry === undefined) return;
    clearTimeout(entry.idle);
    if (entries.get(camera) === entry) entries.delete(camera);
    // Nobody who waits for a picture waits for the end of a process.
    void entry.host.kill();
  };
  /** With the fewest that are in the way: one of the same codec takes the next order as it is. */
  const makeRoom = (codec: PictureOrder['codec']): Entry | undefined => {
    const surplus = entries.size + 1 - most;
    const resting = [...entries.values()].filter(({ busy }) => !busy).sort((a, b) => a.usedAt - b.usedAt);
    const heir = surplus > 0 ? resting.find((entry) => entry.codec === codec) : undefined;
    for (const { camera } of resting.filter((entry) => entry !== heir).slice(0, Math.max(0, surplus - (heir ? 1 : 0)))) end(camera);
    return heir;
  };
  const takeOver = (entry: Entry, camera: string): Entry => {
    entries.delete(entry.camera);
    clearTimeout(entry.idle);
    Object.assign(entry, { camera, busy: true });
    entry.host.handTo(ownerOf(camera));
    entries.set(camera, entry);
    return entry;
  };
  const start = async ({ camera, codec }: PictureOrder): Promise<Entry> => {
    end(camera);
    const heir = makeRoom(codec);
    if (heir !== undefined) return takeOver(heir, camera);
    const host = await pool.take(ownerOf(camera));
    const entry: Entry = { camera, host, codec, usedAt: performance.now(), busy: true, idle: undefined };
    entries.set(camera, entry);
    void host.exited.then(() => end(entry.camera, entry));
    return entry;
  };
  const rest = (camera: string, entry: Entry): void => {
    Object.assign(entry, { busy: false, usedAt: performance.now(), idle: setTimeout(() => end(camera, entry), idleMs) });
    entry.idle?.unref();
    // Whatever it says unasked is the end of its pipeline.
    entry.host.listen(() => end(camera, entry));
  };
  const attempt = async (order: PictureOrder): Promise<Shot> => {
    const { camera, codec } = order;
    const warm = entries.get(camera);
    const entry = warm?.codec === codec ? warm : await start(order);
    clearTimeout(entry.idle);
    entry.busy = true;
    try {
      const { spent, ...shot } = await ask(entry.host, order);
      if (spent || entries.get(camera) !== entry) end(camera, entry);
      else rest(camera, entry);
      return shot;
    } catch (error) {
      end(camera, entry);
      throw error;
    }
  };

  return {
    async shoot(order) {
      for (let nth = 1; ; nth += 1) {
        try {
          return await attempt(order);
        } catch (error) {
          if (nth === tries || !endedUnderIt(error)) throw error;
        }
      }
    },
    of(camera) {
      const pid = entries.get(camera)?.host.pid;
      const host = pid === undefined ? undefined : pool.hosts().find((each) => each.pid === pid);
      return host ? { pid: host.pid, rssBytes: host.rssBytes } : null;
    },
    end,
  };
}

/** True where a process ended under a picture, unasked. */
export function endedUnderIt(error: unknown): error is FailureError {
  return error instanceof FailureError && (error.failure.class === 'host-crash' || error.failure.class === 'native-frozen');
}

/** One picture of a hub by a process named `owner`, which ends with it. Rejects with a `FailureError`, or with the reason of `signal`. */
export async function shootOnce(pool: HostPool, owner: string, { signal, deadlineMs: within, ...order }: Omit<PictureOrder, 'camera'> & { deadlineMs: number; signal: AbortSignal }): Promise<Shot> {
  signal.throwIfAborted();
  const host = await pool.take(owner);
  const end = (): void => void host.kill();
  signal.addEventListener('abort', end);
  try {
    signal.throwIfAborted();
    const { jpeg, width, height } = await ask(host, order, within);
    return { jpeg, width, height };
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

async function ask(host: Host, { hubPort, codec, width, quality }: Omit<PictureOrder, 'camera'>, within: number = deadlineMs): Promise<Shot & { spent: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<Shot & { spent: boolean }>();
  const timer = setTimeout(() => reject(new FailureError(failure('timeout', 'snapshot-deadline', `No picture could be decoded within ${within} ms.`))), within);
  host.listen((event: HostEvent) => {
    if (event.type === 'snapshot.taken') resolve({ jpeg: event.jpeg, width: event.width, height: event.height, spent: event.spent });
    if (event.type === 'snapshot.failed') reject(new FailureError(event.failure));
  });
  void host.exited.then((exit) => reject(new FailureError(exitFailure(exit, { pid: host.pid, who: 'the picture' }) ?? failure('reset', 'snapshot-ended', 'The camera was stopped while the picture was taken.'))));
  host.send({ type: 'snapshot.take', hubPort, codec, width, quality });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
