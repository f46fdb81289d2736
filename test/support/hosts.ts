/** A host pool for tests, RTP sockets to receive feeds with, and a list of what a host said. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { createHostPool, type HostPoolOptions } from '../../src/native/host-pool.ts';
import { createPorts } from '../../src/native/ports.ts';
import { createRegistry } from '../../src/native/registry.ts';
import type { Host } from '../../src/native/host.ts';
import type { HealthLimits, HostEvent, SourceSpec } from '../../src/native/protocol.ts';
import { eventually } from './eventually.ts';

/** A pool with its registry and ports; `close()` it in `after`. */
export function startPool(options: Partial<HostPoolOptions> = {}) {
  const registry = createRegistry();
  const instance = `test-${randomUUID()}`;
  const stderr: string[] = [];
  const pool = createHostPool({ registry, instance, spares: 0, onStderr: (line) => void stderr.push(line), ...options });
  return { registry, instance, stderr, pool, ports: createPorts({ registry }), close: () => pool.close() };
}

/** Default limits, short enough for tests where `changes` says so. */
export function healthLimits(changes: Partial<HealthLimits> = {}): HealthLimits {
  return { stallMs: 1000, silentMs: 2500, keyframeMs: 15_000, ptsJumpMs: 10_000, checkMs: 250, firstPacketMs: 5000, ...changes };
}

/** A source over TCP without a feed. */
export function sourceSpec(url: string, changes: Partial<SourceSpec> = {}): SourceSpec {
  return { url, transport: 'tcp', tls: { verify: true, fingerprint: undefined }, video: { codec: 'H264' }, feed: null, latencyMs: 0, health: healthLimits(), ...changes };
}

/** Everything a host said, and a way to wait for it. */
export function record(host: Host) {
  const events: HostEvent[] = [];
  host.listen((event) => void events.push(event));
  return {
    events,
    /** The next event of a type, those already there included; fails with what came instead. */
    async next<T extends HostEvent['type']>(type: T, timeoutMs = 8000): Promise<Extract<HostEvent, { type: T }>> {
      const find = (): HostEvent | undefined => events.find((event) => event.type === type);
      await eventually(() => find() ?? events.find((event) => event.type === 'source.failed' || event.type === 'snapshot.failed'), { timeoutMs, what: `${type}; came: ${events.map((event) => event.type).join(', ')}` });
      const found = find();
      if (found === undefined) throw new Error(`Instead of ${type}: ${JSON.stringify(events.at(-1))}`);
      return found as Extract<HostEvent, { type: T }>;
    },
  };
}

/** An RTP packet's fixed header. */
export type RtpHeader = { payloadType: number; sequence: number; timestamp: number; ssrc: number; marker: boolean; bytes: number };

/** A UDP socket on 127.0.0.1 that parses what it receives as RTP. */
export async function receiveRtp() {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const packets: (RtpHeader & { fromPort: number })[] = [];
  socket.on('message', (data, { port }) => packets.push({
    payloadType: data.readUInt8(1) & 0x7f, marker: (data.readUInt8(1) & 0x80) !== 0, sequence: data.readUInt16BE(2), timestamp: data.readUInt32BE(4), ssrc: data.readUInt32BE(8), bytes: data.length, fromPort: port,
  }));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, packets, send: (bytes: Buffer, port: number) => socket.send(bytes, port, '127.0.0.1'), close: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
}

/** How many sequence numbers are missing between the first and the last packet. */
export function sequenceGaps(packets: readonly Pick<RtpHeader, 'sequence'>[]): number {
  return packets.slice(1).reduce((gaps, packet, i) => gaps + ((packet.sequence - packets[i]!.sequence - 1) & 0xffff), 0);
}
