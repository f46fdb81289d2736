/** Who this program is: one name per data directory, and a lock so that two programs never share one. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The data directory is in use by another running program. */
export class InstanceLockedError extends Error {
  override readonly name = 'InstanceLockedError';
}

/** The claim on a data directory. */
export type Instance = {
  /** Marks every child process (`LOOKOUT_INSTANCE`). The same for every start on the same directory, so that leftovers are found. */
  readonly name: string;
  release(): void;
};

/** Claims a data directory, which is made where it is missing. Throws {@link InstanceLockedError} with the way out. */
export function claimInstance(dataDir: string): Instance {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 16);
  const lock = join(dataDir, 'lookout.pid');
  const holder = readHolder(lock);
  if (holder !== undefined && holder.pid !== process.pid && startOf(holder.pid) === holder.start) {
    throw new InstanceLockedError(`Another Lookout (pid ${holder.pid}) uses ${dataDir}. Stop it first, or choose another directory with --data.`);
  }
  writeFileSync(lock, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }), { mode: 0o600 });
  return { name, release: () => rmSync(lock, { force: true }) };
}

function readHolder(lock: string): { pid: number; start: string | undefined } | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; start: string };
  } catch {
    return undefined;
  }
}

/** Start time of a process in clock ticks: together with the pid it names a process even after pids wrapped around. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
