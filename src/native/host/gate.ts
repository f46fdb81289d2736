/**
 * A gate between a source's feed and the ingest, for the moment before the ingest lets it through. A keyframe that comes
 * earlier would be lost, and a picture is seen from a keyframe on. And where a source takes over from another, both feed
 * the same ingest from the same port with the same SSRC, so only one may be heard. The feed is aimed at the gate first; the
 * gate drops, then keeps what comes from the newest keyframe on, then lets it out. After that the feed is aimed at the
 * ingest itself, and what is still on its way through the gate arrives a moment late, which RTP bears.
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
  /** Let out what was kept, and all that follows. Resolves behind the end of an access unit: the moment to aim the feed elsewhere. */
  open(): Promise<void>;
  /** How many packets are kept. */
  kept(): number;
  close(): void;
};

/** Where the gate lets out: the ingest's port, from the port the ingest listens to. */
export type GateOptions = { port: number; bindPort: number; onReady: () => void };

const loopback = '127.0.0.1';
const rtpHeaderBytes = 12;
/** A keyframe and what follows until the old feed is shut, some ms later. More than this is kept by nobody: the next keyframe will do. */
const keptBytes = 16 * 1024 * 1024;
const marker = 0x80;
const accessUnitDelimiter = 9;
const receiveBytes = 4 * 1024 * 1024;

/** Makes a gate that drops everything. Rejects where a port cannot be bound. */
export async function createGate({ port, bindPort, onReady }: GateOptions): Promise<Gate> {
  const inlet = createSocket({ type: 'udp4', recvBufferSize: receiveBytes });
  const outlet = createSocket({ type: 'udp4', reusePort: true });
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    inlet.close();
    outlet.close();
  };
  try {
    await bound(inlet, 0);
    await bound(outlet, bindPort);
  } catch (error) {
    close();
    throw error;
  }
  let state: 'shut' | 'armed' | 'keeping' | 'open' = 'shut';
  let kept: Buffer[] = [];
  let bytes = 0;

  const keep = (packet: Buffer): void => {
    if (kept[0] && beginsKeyframe(packet) && timestampOf(packet) !== timestampOf(kept[0])) forget('keeping');
    kept.push(packet);
    bytes += packet.length;
    if (bytes > keptBytes) forget('armed');
  };
  const forget = (next: 'armed' | 'keeping' | 'open'): void => {
    state = next;
    kept = [];
    bytes = 0;
  };
  const between = Promise.withResolvers<void>();
  const letOut = (packet: Buffer): void => outlet.send(packet, port, loopback, () => undefined);
  /** Sending takes a turn: a feed that is aimed elsewhere before would overtake what is kept, and mediasoup would drop it. */
  const pass = (packet: Buffer): void => outlet.send(packet, port, loopback, () => (packet.readUInt8(1) & marker) !== 0 && between.resolve());
  let isAnnounced = false;
  const announce = (first: Buffer): void => {
    if (!isAnnounced) letOut(herald(first));
    isAnnounced = true;
  };
  inlet.on('message', (packet) => {
    if (state === 'open') {
      announce(packet);
      pass(packet);
    } else if (state === 'keeping') keep(packet);
    else if (state === 'armed' && beginsKeyframe(packet)) {
      state = 'keeping';
      keep(packet);
      onReady();
    }
  });

  return {
    port: inlet.address().port,
    arm: () => forget('armed'),
    open() {
      if (kept[0]) announce(kept[0]);
      for (const packet of kept) letOut(packet);
      forget('open');
      return between.promise;
    },
    kept: () => kept.length,
    close,
  };
}

const beginsKeyframe = (packet: Buffer): boolean => carriesParameterSets(packet.subarray(rtpHeaderBytes));
const timestampOf = (packet: Buffer): number => packet.readUInt32BE(4);

/**
 * A packet to be sent before the first one of a stream whose numbers begin anew. mediasoup 3.27 drops the first packet
 * after a jump and believes the second (`RtpStream::UpdateSeq`); the first of ours is the one that makes a keyframe. An
 * access unit delimiter says nothing to a decoder, should it arrive.
 */
function herald(first: Buffer): Buffer {
  const packet = Buffer.concat([first.subarray(0, rtpHeaderBytes), Buffer.of(accessUnitDelimiter, 0xf0)]);
  packet.writeUInt8(packet.readUInt8(1) & 0x7f, 1);
  packet.writeUInt16BE((first.readUInt16BE(2) - 1) & 0xffff, 2);
  return packet;
}

async function bound(socket: Socket, port: number): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind({ port, address: loopback });
  await listening;
  // What fails later is a packet that nobody hears; RTP bears that, an unhandled error would not be borne.
  socket.on('error', () => undefined);
}
