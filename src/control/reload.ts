/** The configuration while the program runs: read again when the file changes or on SIGHUP; applied, or refused as a whole. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError, settings, type Config } from '../config.ts';
import { setLogLevel, type Log } from '../log.ts';
import { watchFile } from '../watch-file.ts';
import type { Synced } from './declared.ts';
import type { Observer } from './observer.ts';
import { plainEvent } from './observer.ts';

/** What a reload reads and changes. */
export type ReloadDeps = {
  /** As at the start, from the same command line and environment. Throws `ConfigError`. */
  load: () => Config;
  /** What the program was started with. */
  running: Config;
  sync: (cameras: Config['cameras']) => Promise<Synced>;
  note: Observer['note'];
  log: Log;
};

/** The watch over the configuration. */
export type Reload = {
  /** Reads it now. Never throws: what is wrong is in the log and the journal. */
  now(reason: string): Promise<void>;
  stop(): void;
};

/** An editor writes a file in several steps. */
const settleMs = 200;
const applied = new Set(['log.level', 'cameras']);

/** Begins to watch the file, where there is one. */
export function createReload({ load, running, sync, note, log }: ReloadDeps): Reload {
  let level = running.log.level;
  let pending = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const reload = async (reason: string): Promise<void> => {
    let config: Config;
    try {
      config = load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error({ reason, mistakes: error.lines }, 'the configuration is refused; nothing was changed');
      note({ ...plainEvent('', 'config.refused', `${error.message} Nothing was changed.`), evidence: error.lines.join('\n').slice(0, 2000) });
      return;
    }
    if (config.log.level !== level) {
      level = config.log.level;
      setLogLevel(log, level);
    }
    const synced = await sync(config.cameras);
    const waiting = changedSettings(running, config);
    if (waiting.length > 0) log.warn({ settings: waiting }, 'settings were changed that need a restart');
    log.info({ reason, level, ...synced, waiting: waiting.length }, 'the configuration was read again');
    if (Object.values(synced).some((ids) => ids.length > 0)) note(plainEvent('', 'config.applied', `lookout.yaml was applied: ${summary(synced)}.`));
  };
  /** One after the other, in the order of their causes. */
  const now = (reason: string): Promise<void> => {
    pending = pending.then(() => reload(reason)).catch((error: unknown) => log.error({ err: error }, 'the configuration could not be applied'));
    return pending;
  };
  const changed = (): void => void (timer ??= setTimeout(() => {
    timer = undefined;
    void now('the file was changed');
  }, settleMs));
  const watcher = running.configFile === undefined ? undefined : watchFile(running.configFile, changed, { log, instead: 'SIGHUP reads it' });

  return {
    now,
    stop() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

function changedSettings(before: Config, after: Config): string[] {
  const at = (config: Config, path: string) => path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);
  return settings().map(({ path }) => path).filter((path) => !applied.has(path) && !isDeepStrictEqual(at(before, path), at(after, path)));
}

function summary(synced: Synced): string {
  return Object.entries(synced).filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${what} ${ids.slice(0, 20).join(', ')}${ids.length > 20 ? ' and others' : ''}`).join('; ');
}
