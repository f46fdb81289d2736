/** Knocks on a camera's port while it is away, and says when it comes back (design §3, presence). */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CameraUrl } from '../camera-url.ts';
import type { NameResolver } from './resolve.ts';

/** What is watched, and how. */
export type PresenceOptions = {
  url: CameraUrl;
  resolver: NameResolver;
  signal: AbortSignal;
  /** `closed` where the failure itself proved it (refused, no route): then the first open port counts. */
  before: 'closed' | 'unknown';
  /** Mean distance between knocks; each is drawn from ±20 % around it. */
  intervalMs?: number;
};

const defaultIntervalMs = 500;
const knockMs = 1000;

/**
 * Resolves when the port changes from closed to open. Edge-triggered: a frozen camera whose port was open all along
 * never resolves it. Rejects when `signal` aborts, and only then.
 */
export async function watchPresence({ url, resolver, signal, before, intervalMs = defaultIntervalMs }: PresenceOptions): Promise<void> {
  let closed = before === 'closed';
  for (;;) {
    await delay(intervalMs * (0.8 + 0.4 * Math.random()), undefined, { signal });
    const open = await isOpen(url, resolver, signal);
    signal.throwIfAborted();
    if (open && closed) return;
    closed = !open;
  }
}

async function isOpen(url: CameraUrl, resolver: NameResolver, signal: AbortSignal): Promise<boolean> {
  const [address] = await resolver.resolve(url.host, { deadlineMs: knockMs }).catch(() => []);
  if (address === undefined || signal.aborted) return false;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: url.port, timeout: knockMs });
    const finish = (open: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      // A reset instead of a FIN: no TIME_WAIT here, no half-open session there.
      if (open) socket.resetAndDestroy();
      else socket.destroy();
      resolve(open);
    };
    const onAbort = (): void => finish(false);
    signal.addEventListener('abort', onAbort);
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });
}
