/** What the kernel says of a process (proc(5)), read at once: for views and metrics. 0 once the process is gone. */
import { readFileSync } from 'node:fs';

const pageBytes = 4_096;
const ticksPerSecond = 100;

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  return Number(read(pid, 'statm').split(' ')[1] ?? 0) * pageBytes;
}

/** CPU time used so far, user and system, seconds. */
export function cpuSeconds(pid: number): number {
  const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

/** How long its first thread has been ready to run and had no processor, ms since it began; 0 where the kernel does not count it (no `CONFIG_SCHED_INFO`). */
export function starvedMs(pid: number): number {
  return Number(read(pid, 'schedstat').split(' ')[1] ?? 0) / 1e6;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
