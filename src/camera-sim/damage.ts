/** What happens to packets on their way to a client: lost, damaged, swapped. */
import { headerBytes, prefixBytes } from '../rtp/packet.ts';
import type { Behaviour } from './types.ts';

/** Changes the packets of an access unit when they are stamped: each has its interleaved prefix. They may be changed in place. */
export type Alteration = (packets: Buffer[], stream: { ssrc: number; channel: number }) => Buffer[];

/** What a behaviour does to packets; undefined where it does nothing. */
export function damageOf({ drop, corrupt, reorder }: Pick<Behaviour, 'drop' | 'corrupt' | 'reorder'>): Alteration | undefined {
  if (drop + corrupt + reorder === 0) return undefined;
  return (packets) => {
    const kept = packets.filter(() => Math.random() >= drop);
    for (const packet of kept) if (Math.random() < corrupt) spoil(packet, Math.random);
    return swapped(kept, () => Math.random() < reorder);
  };
}

/** Overwrites a tenth of the payload, at least one byte; the framing stays whole. */
export function spoil(packet: Buffer, fraction: () => number): void {
  const start = prefixBytes + headerBytes;
  const size = packet.length - start;
  for (let left = Math.ceil(size / 10); left > 0; left -= 1) packet[start + Math.floor(fraction() * size)] = Math.floor(fraction() * 256);
}

/** Swaps a packet with the next one where `chosen` says so. */
export function swapped(packets: readonly Buffer[], chosen: () => boolean): Buffer[] {
  const result = [...packets];
  for (let index = 0; index + 1 < result.length; index += 1) {
    if (!chosen()) continue;
    result.splice(index, 2, result[index + 1]!, result[index]!);
    index += 1;
  }
  return result;
}
