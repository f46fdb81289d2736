/**
 * Fault injection for disks: hosts of a record output that may write nothing more. A full disk of this machine would hit
 * everybody on it; a limit on the size of files hits one process. The kernel then answers write(2) with EFBIG where a
 * full disk says ENOSPC (Node ignores the signal), and from there on GStreamer and Lookout do the same in both cases.
 */
import { execFile } from 'node:child_process';

/** The injector. */
export type DiskFaults = {
  /** From now on and for `ms`, also for hosts that come meanwhile. */
  begin(fault: { camera: string; pid: number; ms: number }): void;
  /** Applied to a host before it writes anything. */
  afflict(camera: string, output: string, pid: number): Promise<void>;
};

/** Makes an injector that afflicts nobody yet. */
export function createDiskFaults(): DiskFaults {
  const afflicted = new Map<string, { until: number; pids: Set<number> }>();
  return {
    begin({ camera, pid, ms }) {
      afflicted.set(camera, { until: performance.now() + ms, pids: new Set([pid]) });
      void limit(pid, '0:');
      setTimeout(() => {
        const entry = afflicted.get(camera);
        if (!entry || entry.until > performance.now() + 1) return;
        afflicted.delete(camera);
        for (const host of entry.pids) void limit(host, 'unlimited:');
      }, ms).unref();
    },
    async afflict(camera, output, pid) {
      const entry = afflicted.get(camera);
      if (output !== 'record' || !entry) return;
      entry.pids.add(pid);
      await limit(pid, '0:');
    },
  };
}

/** The soft limit only, so that it can be lifted again. Resolves in any case: the process may be gone already. */
function limit(pid: number, fsize: string): Promise<void> {
  return new Promise((resolve) => execFile('prlimit', ['--pid', String(pid), `--fsize=${fsize}`], () => resolve()));
}
