/** The supervisor's side of the primers' thread: it starts with the first primer, stays warm, and begins anew where it ended. */
import { Worker } from 'node:worker_threads';

/** What a primer plays, and where to: a hub on loopback, and the port of a transport. */
export type PrimerSpec = {
  hubPort: number; port: number; ssrc: number; payloadType: number;
  /** Most that may wait to be sent. */
  maxBytes: number;
  /** Only the keyframe is sent: a catch-up is to follow, or the word to play on. */
  held: boolean;
};

export type PrimerOrder =
  | { type: 'start'; id: string; spec: PrimerSpec }
  /** What begins in the present comes from this hub: from its first packet on that is what is played. */
  | { type: 'catch-up'; id: string; hubPort: number }
  /** Held no longer: all that is cached is played. */
  | { type: 'burst'; id: string }
  | { type: 'stop'; id: string };
export type PrimerWord =
  /** Since the last word of this kind about this primer. */
  | { type: 'sent'; id: string; bytes: number; repeats: number }
  | { type: 'bound'; port: number }
  /** All that the hub had cached is sent, or the present is played. */
  | { type: 'live'; id: string; packets: number; bytes: number }
  /** The hub of its catch-up closed before anything came. */
  | { type: 'late'; id: string }
  | { type: 'ended'; id: string; reason: string };

/** What one primer hears of its playing. */
export type PrimerListener = { live(sent: { packets: number; bytes: number }): void; late(): void; ended(reason: string): void };

/** One that plays; nothing is heard after `stop`. */
export type Playing = { catchUp(hubPort: number): void; burst(): void; stop(): void };

/** Plays primers. */
export type PrimerPump = {
  /** Where packets will come from. Starts the thread; rejects where it cannot start. */
  from(): Promise<number>;
  play(id: string, spec: PrimerSpec, listener: PrimerListener): Playing;
  /** Of all that ever played: bytes, counted when what was cached is sent and at the end; how often one began again because a keyframe was asked for. */
  totals(): { bytes: number; repeats: number };
  stop(): Promise<void>;
};

/** 36 cached GOPs at once, and what garbage collection leaves for a while. */
const heapMb = 256;

/** Makes a pump; nothing runs yet. */
export function createPrimerPump(): PrimerPump {
  const playing = new Map<string, PrimerListener>();
  const totals = { bytes: 0, repeats: 0 };
  let thread: { worker: Worker; bound: Promise<number> } | undefined;

  const start = (): { worker: Worker; bound: Promise<number> } => {
    const worker = new Worker(new URL('./primer-thread.ts', import.meta.url), { name: 'primers', resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    worker.unref();
    const bound = Promise.withResolvers<number>();
    bound.promise.catch(() => undefined);
    worker.on('message', (word: PrimerWord) => {
      if (word.type === 'bound') return bound.resolve(word.port);
      if (word.type === 'late') return playing.get(word.id)?.late();
      if (word.type === 'live') return playing.get(word.id)?.live(word);
      if (word.type === 'sent') {
        totals.bytes += word.bytes;
        totals.repeats += word.repeats;
        return;
      }
      end(word.id, word.reason);
    });
    const over = (reason: string): void => {
      bound.reject(new Error(reason));
      if (thread?.worker !== worker) return;
      thread = undefined;
      for (const id of [...playing.keys()]) end(id, reason);
    };
    worker.on('error', (error) => over(`the thread of the primers failed: ${error.message}`));
    worker.on('exit', () => over('the thread of the primers ended'));
    return { worker, bound: bound.promise };
  };
  const end = (id: string, reason: string): void => {
    const listener = playing.get(id);
    playing.delete(id);
    listener?.ended(reason);
  };

  return {
    from: () => (thread ??= start()).bound,
    play(id, spec, listener) {
      const order = (what: PrimerOrder): void => {
        if (playing.get(id) === listener) thread?.worker.postMessage(what);
      };
      playing.set(id, listener);
      thread ??= start();
      order({ type: 'start', id, spec });
      return {
        catchUp: (hubPort) => order({ type: 'catch-up', id, hubPort }),
        burst: () => order({ type: 'burst', id }),
        stop() {
          order({ type: 'stop', id });
          if (playing.get(id) === listener) playing.delete(id);
        },
      };
    },
    totals: () => ({ ...totals }),
    async stop() {
      await thread?.worker.terminate();
    },
  };
}
