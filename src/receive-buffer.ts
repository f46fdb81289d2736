/** Receive buffers of ingest sockets: what the kernel grants, and what to say where a large keyframe would not fit. */
import { readFileSync } from 'node:fs';

/** Under this, single frames of 4K cameras overflow the socket (field notes §0). */
export const enoughReceiveBuffer = 4 * 1024 * 1024;

/** The kernel's cap of a socket's receive buffer, bytes. */
export function maxReceiveBuffer(): number {
  return Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
}

/** The command that lets sockets have `wanted` bytes at once, and the one that lets them for good; null where `cap` is enough. */
export function receiveBufferRemedy({ wanted, cap }: { wanted: number; cap: number }): { now: string; forGood: string } | null {
  // Who asks for less has decided so.
  if (cap >= Math.min(enoughReceiveBuffer, wanted)) return null;
  return { now: `sysctl -w net.core.rmem_max=${wanted}`, forGood: `echo net.core.rmem_max=${wanted} > /etc/sysctl.d/60-lookout.conf` };
}
