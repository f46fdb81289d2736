/** Hears of changes of one file, also where it is replaced instead of written into. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Log } from './log.ts';

/**
 * Watches the directory: editors and deployment tools replace a file. `changed` may be called several times for one
 * change. Where watching is not possible the log says `instead`, what can be done.
 */
export function watchFile(file: string, changed: () => void, { log, instead }: { log: Log; instead: string }): { close(): void } {
  const name = basename(file);
  try {
    // A mounted file (Kubernetes) changes by a link whose name begins with two dots.
    const watcher = watch(dirname(file), (_, found) => (found === null || found === name || found.startsWith('..')) && changed());
    watcher.on('error', (error) => log.warn({ err: error, file, instead }, 'changes of a file are no longer noticed'));
    return watcher;
  } catch (error) {
    log.warn({ err: error, file, instead }, 'changes of a file are not noticed');
    return { close: () => undefined };
  }
}
