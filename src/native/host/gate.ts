/**
 * A gate between a source's feed and the ingest, for a source that takes over from another: both feed the same ingest from
 * the same port with the same SSRC, so only one may be heard, and the change must fall on a keyframe. The feed is aimed at
 * the gate first; the gate drops, then keeps from a keyframe on, then lets out. After that the feed is aimed at the ingest
 * itself, and what is still on its way through the gate arrives a moment late, which RTP bears.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { carriesParameterSets } from '../hub-reader.ts';

/** A gate. */
export type Gate = {
  /** Where the feed must be aimed. */
  readonly port: number;
  /** Keep from the next keyframe on; `onReady` is called with it. */
  arm(): void;
  /** Let out what was kept, and all that follows. */
  open(): void;
  close(): void;
};

/** Where the gate lets out: the ingest's port, from the port the ingest listens to. */
export type GateOptions = { port: number; bindPort: number; onReady: () => void };

const loopback = '127.0.0.1';
const rtpHeaderBytes = 12;
/** A keyframe and what follows until the old feed is shut, some ms later. More than this is kept by nobody: the next keyframe will do. */
const keptBytes = 16 * 1024 * 1024;
const receiveBytes = 4 * 1024 * 1024;

/** Makes a gate that drops everything. Rejects where a port cannot be bound. */
export async function createGate({ port, bindPort, onReady }: GateOptions): Promise<Gate> {
  const inlet = createSocket({ type: 'udp4', recvBufferSize: receiveBytes });
  const outlet = createSocket({ type: 'udp4', reusePort: true });
  await Promise.all([bound(inlet, 0), bound(outlet, bindPort)]);
  let state: 'shut' | 'armed' | 'keeping' | 'open' = 'shut';
  let kept: Buffer[] = [];
  let bytes = 0;

  const keep = (packet: Buffer): void => {
    kept.push(packet);
    bytes += packet.length;
    if (bytes > keptBytes) forget('armed');
  };
  const forget = (next: 'armed' | 'open'): void => {
    state = next;
    kept = [];
    bytes = 0;
  };
  const letOut = (packet: Buffer): void => outlet.send(packet, port, loopback, () => undefined);
  inlet.on('message', (packet) => {
    if (state === 'open') letOut(packet);
    else if (state === 'keeping') keep(packet);
    else if (state === 'armed' && carriesParameterSets(packet.subarray(rtpHeaderBytes))) {
      state = 'keeping';
      keep(packet);
      onReady();
    }
  });

  return {
    port: inlet.address().port,
    arm: () => forget('armed'),
    open() {
      for (const packet of kept) letOut(packet);
      forget('open');
    },
    close() {
      inlet.close();
      outlet.close();
    },
  };
}

async function bound(socket: Socket, port: number): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind({ port, address: loopback });
  await listening;
  // What fails later is a packet that nobody hears; RTP bears that, an unhandled error would not be borne.
  socket.on('error', () => undefined);
}
