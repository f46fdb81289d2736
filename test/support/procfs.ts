/** What the operating system says of processes: private memory, descendants. Linux. */
import { readdirSync, readFileSync } from 'node:fs';

export { cpuSeconds } from '../../src/native/proc.ts';

/** Memory that only this process uses, bytes. */
export function privateBytes(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return ['Private_Clean', 'Private_Dirty'].reduce((sum, key) => sum + Number(new RegExp(`${key}:\\s+(\\d+)`, 'u').exec(rollup)?.[1] ?? 0) * 1_024, 0);
}

/** All descendants of a process, itself included. */
export function tree(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(tree)];
}

/** The command line of a process, words separated by blanks. */
export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** The UDP sockets of this machine (IPv4): port, inode, and the datagrams that the kernel threw away because it was full. */
export function udpSockets(): { port: number; inode: string; drops: number }[] {
  const rows = read('/proc/net/udp').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/u));
  return rows.map((row) => ({ port: Number.parseInt(row[1]?.split(':')[1] ?? '', 16), inode: row[9] ?? '', drops: Number(row.at(-1)) }));
}

/** CPU time of a process' threads, seconds, by their names; those that ended are not in it. */
export function threadSeconds(pid: number): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const thread of threadsOf(pid)) {
    const name = read(`/proc/${pid}/task/${thread}/comm`).trim().replace(/\d+$/u, '');
    seconds[name] = (seconds[name] ?? 0) + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0) / 1e9;
  }
  return seconds;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
