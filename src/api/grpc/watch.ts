/** `WatchStreams`: every stream once, then the latest of what changed, as fast as the client reads and no faster. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { LookoutError } from '../../errors.ts';
import { createCoalescer } from '../coalescer.ts';
import type { ControlPlane } from '../control.ts';
import type { CameraView } from '../protocol.ts';
import { maySee, type Looker } from '../visible.ts';
import { streamOf, timestampOf, type Message } from './messages.ts';

/** All watches of one program. */
export type Watches = {
  /** Runs until `signal` aborts. Throws `LOOKOUT_RATE_LIMITED` where too many run. */
  watch(call: ServerWritableStream<Message, Message>, asked: { looker: Looker; ids: ReadonlySet<string>; signal: AbortSignal }): Promise<void>;
  close(): void;
};

type Change = { id: string; camera: CameraView | null };

const deltaMs = 200;
const watchesAtOnce = 200;

/** Subscribes once for all of them. */
export function createWatches(control: ControlPlane): Watches {
  const watchers = new Set<(change: Change) => void>();
  const changes = createCoalescer<CameraView | null>(deltaMs, (id, camera) => watchers.forEach((tell) => tell({ id, camera })));
  const unsubscribe = control.subscribe((delta) => {
    if (delta.type === 'camera') changes.push(delta.id, delta.camera);
  });
  return {
    async watch(call, { looker, ids, signal }) {
      if (watchers.size >= watchesAtOnce) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: `${watchesAtOnce} watches run already.` });
      const wanted = (id: string) => (ids.size === 0 || ids.has(id)) && maySee(looker, id);
      /** At most one entry for each stream: this is all that is kept for a client that does not read. */
      const waiting = new Map<string, CameraView | null>();
      const wake = createBell();
      const tell = ({ id, camera }: Change): void => {
        if (!wanted(id)) return;
        // What was not sent yet gives its place to what is newer, at the end of the line.
        waiting.delete(id);
        waiting.set(id, camera);
        wake.ring();
      };
      watchers.add(tell);
      signal.addEventListener('abort', wake.ring);
      call.on('drain', wake.ring);
      const send = (event: Message): boolean => call.write({ at: timestampOf(new Date().toISOString()), ...event });
      try {
        const first = control.cameras().filter(({ id }) => wanted(id));
        for (const camera of first) waiting.set(camera.id, camera);
        let toCome: number | undefined = first.length;
        let open = true;
        while (!signal.aborted) {
          while (open && !signal.aborted && waiting.size > 0) {
            const [id, camera] = waiting.entries().next().value ?? ['', null];
            waiting.delete(id);
            open = send(camera === null ? { removed: id } : { stream: streamOf(camera) });
          }
          if (waiting.size === 0 && toCome !== undefined && open) {
            open = send({ snapshotComplete: { streams: toCome } });
            toCome = undefined;
          }
          await wake.heard();
          open = !call.writableNeedDrain;
        }
      } finally {
        watchers.delete(tell);
        call.off('drain', wake.ring);
      }
    },
    close() {
      unsubscribe();
      changes.stop();
    },
  };
}

/** Wakes one sleeper; a ring that nobody waits for is kept. */
function createBell(): { ring: () => void; heard(): Promise<void> } {
  let next = Promise.withResolvers<void>();
  return {
    ring: () => next.resolve(),
    async heard() {
      await next.promise;
      next = Promise.withResolvers<void>();
    },
  };
}
