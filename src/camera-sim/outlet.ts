/** Where the packets of one track of one session leave: interleaved in the RTSP connection, or two UDP sockets. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { packetEnd, prefixBytes } from '../rtp/packet.ts';
import type { PacketRun } from '../rtp/packet.ts';
import { interleave } from '../rtsp/message.ts';

/** A way out. */
export type Outlet = {
  /** Channel to stamp into interleaved prefixes. */
  readonly channel: number;
  /** The `Transport` value that answers SETUP, without SSRC. */
  readonly transport: string;
  /** True while the client reads too slowly for more. */
  congested(): boolean;
  /** Sends a stamped run; the buffer belongs to the outlet from here on. */
  send(run: PacketRun): void;
  sendControl(packet: Buffer): void;
  close(): void;
};

/** More than this unread by the client, and access units are dropped instead of queued. */
const maxQueuedBytes = 1_048_576;

/** Packets go into the RTSP connection, on `channel` and (RTCP) the next one. */
export function tcpOutlet(socket: Socket, channel: number): Outlet {
  return {
    channel,
    transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`,
    congested: () => socket.writableLength > maxQueuedBytes,
    send: ({ bytes }) => void (socket.writable && socket.write(bytes)),
    sendControl: (packet) => void (socket.writable && socket.write(interleave(channel + 1, packet))),
    close: () => undefined,
  };
}

/** A keyframe leaves at about 90 Mbit/s, as through a camera's network port: at once it would overflow a receiver's default buffer. */
const burst = { packets: 16, everyMs: 2 } as const;

/** Who gets the packets. `onLife` hears of every RTCP packet that comes back. */
export type UdpPeer = { localAddress: string; address: string; ports: readonly [rtp: number, rtcp: number]; onLife: () => void };

/** Binds a pair of neighbouring ports and connects it to the client's. */
export async function udpOutlet(peer: UdpPeer): Promise<Outlet> {
  const [rtp, rtcp, port] = await bindPair(peer.localAddress);
  rtcp.on('message', peer.onLife);
  // A client that is gone answers with ICMP, which a connected socket reports as an error: a camera does not care.
  for (const socket of [rtp, rtcp]) socket.on('error', () => undefined);
  rtp.connect(peer.ports[0], peer.address);
  rtcp.connect(peer.ports[1], peer.address);
  await Promise.all([once(rtp, 'connect'), once(rtcp, 'connect')]);
  let open = true;
  const packets: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const drain = (): void => {
    for (const packet of packets.splice(0, burst.packets)) rtp.send(packet);
    timer = packets.length > 0 ? setTimeout(drain, burst.everyMs) : undefined;
  };
  return {
    channel: 0,
    transport: `RTP/AVP;unicast;client_port=${peer.ports.join('-')};server_port=${port}-${port + 1}`,
    congested: () => false,
    send(run) {
      if (!open) return;
      run.offsets.forEach((start, index) => packets.push(run.bytes.subarray(start + prefixBytes, packetEnd(run, index))));
      if (timer === undefined) drain();
    },
    sendControl: (packet) => void (open && rtcp.send(packet)),
    close() {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      rtp.close();
      rtcp.close();
    },
  };
}

async function bindPair(address: string): Promise<[rtp: UdpSocket, rtcp: UdpSocket, port: number]> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 15_000 + 2 * Math.floor(Math.random() * 2500);
    const rtp = await bind(address, port);
    const rtcp = rtp && await bind(address, port + 1);
    if (rtp && rtcp) return [rtp, rtcp, port];
    rtp?.close();
  }
  throw new Error('No pair of UDP ports is free between 15000 and 19999');
}

async function bind(address: string, port: number): Promise<UdpSocket | undefined> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
  socket.bind({ address, port, exclusive: true });
  try {
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
