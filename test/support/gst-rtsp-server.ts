/** Starts an RTSP server that is not ours, as a child that ends with the test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a mount plays; the list is in `gst-rtsp-server.py`. */
export type MountKind = 'h264' | 'h264-high' | 'h264-still' | 'h264-pcma' | 'h265' | 'pcma';

/** A running server. */
export type GstRtspServer = {
  /** Address of a mount; credentials only where given. */
  url(path: string, credentials?: { user: string; password: string }): string;
  port: number;
  pid: number;
  close(): Promise<void>;
};

/** Starts it on a free port of 127.0.0.1. Needs Debian's python3-gi, so it asks for /usr/bin/python3 by name. */
export async function startGstRtspServer(options: { mounts: Record<string, MountKind>; auth?: { user: string; password: string; digest: boolean } }): Promise<GstRtspServer> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'gst-rtsp-server.py'), JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, 'line'), exited.then(() => { throw new Error('gst-rtsp-server ended before it listened.'); })]) as [string];
  lines.close();
  const { port } = JSON.parse(line) as { port: number };
  return {
    port,
    pid: child.pid!,
    url(path, credentials) {
      const userinfo = credentials === undefined ? '' : `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`;
      return `rtsp://${userinfo}127.0.0.1:${port}${path}`;
    },
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
