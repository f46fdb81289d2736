/**
 * A link of a few Mbit/s between two network namespaces, for a browser that is far away: a veth pair, a token bucket on either end. Needs
 * root. Who wants one runs itself once more in namespaces of its own, so that nothing of the machine's network is touched.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** `address`: of this end; `chromium`: a program that starts the browser at the other. */
export type SlowLink = AsyncDisposable & { readonly address: string; readonly chromium: string };

const [near, far] = ['10.78.0.1', '10.78.0.2'];
/** What waits before the bottleneck, as in a small router. */
const queueMs = 100;

/** Whether this process is the one in the namespaces. */
export const isInside = process.env['LOOKOUT_IN_NAMESPACE'] === '1';

/** Runs a script again in fresh namespaces; its exit code. */
export function runInside(script: string, argv: string[]): number {
  const { status } = spawnSync('unshare', ['--net', '--mount', '--propagation', 'private', '--', process.execPath, script, ...argv], { env: { ...process.env, LOOKOUT_IN_NAMESPACE: '1' }, stdio: 'inherit' });
  return status ?? 1;
}

/** Makes the link; only where {@link isInside}. */
export async function openLink({ mbit }: { mbit: number }): Promise<SlowLink> {
  const holder = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  const there = ['-t', String(holder.pid), '-n', '--'];
  const dir = mkdtempSync(join(tmpdir(), 'lookout-link-'));
  // unshare execs sleep in the new namespace; before that, its own is still ours.
  await eventually(() => readlinkSync(`/proc/${holder.pid}/ns/net`) !== readlinkSync('/proc/self/ns/net'), { what: 'the other namespace' });
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  const shape = (device: string): string => `tc qdisc add dev ${device} root tbf rate ${mbit}mbit burst 16kb latency ${queueMs}ms`;
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'port', 'netns', String(holder.pid));
  ip('addr', 'add', `${near}/24`, 'dev', 'cable');
  ip('link', 'set', 'cable', 'up');
  execFileSync('sh', ['-c', shape('cable')]);
  execFileSync('nsenter', [...there, 'sh', '-c', `ip link set lo up; ip addr add ${far}/24 dev port; ip link set port up; ${shape('port')}`]);
  const chromium = join(dir, 'chromium');
  writeFileSync(chromium, `#!/bin/sh\nexec nsenter ${there.join(' ')} ${process.env['CHROMIUM'] ?? '/usr/bin/chromium'} "$@"\n`);
  chmodSync(chromium, 0o755);
  return {
    address: near, chromium,
    async [Symbol.asyncDispose]() {
      const ended = once(holder, 'exit');
      holder.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
