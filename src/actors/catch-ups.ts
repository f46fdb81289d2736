/** Catch-ups: processes that decode what a camera's hub has cached, for joining viewers who would take too long over it, and go on from the present. */
import { availableParallelism } from 'node:os';
import type { TranscodeForm } from '../carriage.ts';
import type { Host, HostPool } from '../native/host.ts';

/** What one is made of: a hub of H.264, and the form of what it makes. */
export type CatchUpInput = { camera: string; hubPort: number; form: Pick<TranscodeForm, 'kbps' | 'keyframeEvery'> };

/** A share in one, until `release`, which may be called again. `port`: where its hub can be read; null where there is none. */
export type CatchUpShare = { port: Promise<number | null>; release(): void };

/** The catch-ups of the program. */
export type CatchUps = {
  /** The camera's, which starts for the first one who asks and ends behind the last. Undefined where as many run as may. */
  join(input: CatchUpInput): CatchUpShare | undefined;
  figures(): CatchUpFigures;
};

/** `active` at the moment, the others since the program began. `refused`: as many ran as may. */
export type CatchUpFigures = { active: number; started: number; refused: number; failed: number };

const spareOwner = 'pool/catch-up';

type Entry = { hubPort: number; shares: number; host: Host | undefined; port: PromiseWithResolvers<number | null> };

/** Each further thread holds a frame back. */
const mostThreads = 3;

/** What they need. `most` run at once; behind the last one a process waits, prepared, for the next one, `spareMs` long (0: none does). */
export type CatchUpOptions = { pool: HostPool; most: number; threads?: number; spareMs?: number };

/** Makes the book. */
export function createCatchUps({ pool, most, threads = Math.min(mostThreads, availableParallelism()), spareMs = 60_000 }: CatchUpOptions): CatchUps {
  const entries = new Map<string, Entry>();
  const counts = { started: 0, refused: 0, failed: 0 };
  const spare = createSpare(pool, spareMs);

  const forget = (camera: string, entry: Entry): boolean => {
    entry.port.resolve(null);
    return entries.get(camera) === entry && entries.delete(camera);
  };
  const start = async (entry: Entry, { camera, hubPort, form }: CatchUpInput): Promise<void> => {
    const host = await spare.take(`camera:${camera}/catch-up`);
    entry.host = host;
    if (entry.shares === 0) return void host.kill();
    counts.started += 1;
    // Its readers find its hub closed.
    void host.exited.then(() => forget(camera, entry) && (counts.failed += 1));
    host.listen((event) => {
      if (event.type === 'catch-up.listening') entry.port.resolve(event.hubPort);
      if (event.type === 'output.failed' || event.type === 'output.finished') void host.kill();
    });
    host.send({ type: 'output.start', spec: { output: 'catch-up', camera, hub: { port: hubPort, codec: 'H264' }, form, threads } });
  };
  const open = (input: CatchUpInput): Entry => {
    const entry: Entry = { hubPort: input.hubPort, shares: 0, host: undefined, port: Promise.withResolvers() };
    entries.set(input.camera, entry);
    start(entry, input).catch(() => forget(input.camera, entry) && (counts.failed += 1));
    return entry;
  };

  return {
    join(input) {
      const { camera, hubPort } = input;
      const known = entries.get(camera);
      const usable = known?.hubPort === hubPort ? known : undefined;
      if (usable === undefined && entries.size >= most) {
        counts.refused += 1;
        return undefined;
      }
      const entry = usable ?? open(input);
      entry.shares += 1;
      let held = true;
      return {
        port: entry.port.promise,
        release() {
          if (!held) return;
          held = false;
          entry.shares -= 1;
          if (entry.shares > 0) return;
          forget(camera, entry);
          void entry.host?.kill();
          if (entries.size === 0) spare.prepare();
        },
      };
    },
    figures: () => ({ active: entries.size, ...counts }),
  };
}

/** A process that has loaded all that a catch-up needs: made behind one, for the next. */
function createSpare(pool: HostPool, spareMs: number): { prepare(): void; take(owner: string): Promise<Host> } {
  let waiting: Host | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isMaking = false;
  const end = (host: Host): void => {
    if (waiting === host) waiting = undefined;
    void host.kill();
  };
  const make = async (): Promise<void> => {
    const host = await pool.take(spareOwner);
    waiting = host;
    void host.exited.then(() => waiting === host && (waiting = undefined));
    host.send({ type: 'catch-up.prepare' });
  };
  return {
    prepare() {
      if (spareMs === 0) return;
      clearTimeout(timer);
      timer = setTimeout(() => waiting && end(waiting), spareMs).unref();
      if (waiting !== undefined || isMaking) return;
      isMaking = true;
      make().catch(() => undefined).finally(() => (isMaking = false));
    },
    async take(owner) {
      const host = waiting;
      if (host === undefined) return pool.take(owner);
      waiting = undefined;
      host.handTo(owner);
      return host;
    },
  };
}
