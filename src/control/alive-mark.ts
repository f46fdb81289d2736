/** Remembers on disk when the program was last alive, so that the next start can say how long it had been away. */
import type { Log } from '../log.ts';
import { durationText } from '../machines/duration.ts';
import type { Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';

/** The mark. */
export type AliveMark = {
  /** When the last run was last alive, ms since the epoch; null for the first run. */
  readonly before: number | null;
  /** A last mark, for an orderly end. */
  stop(): Promise<void>;
};

const key = 'alive.at';
const everyMs = 10_000;

/** Reads the mark of the last run and begins this one's. A store that cannot be written costs precision, nothing else. */
export async function startAliveMark(settings: Store['settings'], log: Log): Promise<AliveMark> {
  const read = Number(await settings.get(key));
  const mark = (): Promise<void> => settings.put(key, String(Date.now())).catch((error: unknown) => log.debug({ err: error }, 'the time of being alive cannot be kept'));
  await mark();
  const timer = setInterval(() => void mark(), everyMs).unref();
  return {
    before: Number.isFinite(read) && read > 0 ? read : null,
    async stop() {
      clearInterval(timer);
      await mark();
    },
  };
}

/** The row for a camera that nobody could watch since then, ms since the epoch: availability counts it as a gap. */
export function awayRow(camera: string, since: number): Parameters<Observer['note']>[0] {
  const iso = new Date(since).toISOString();
  return { ...plainEvent(camera, 'lookout.started', `Lookout started; it had not run since ${iso} (${durationText(Date.now() - since)}).`), evidence: iso };
}
