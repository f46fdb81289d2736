/**
 * Reads raw frames of a camera from Lookout, over TCP or through shared memory. One file without dependencies: copy it.
 * The wire format is in docs/frames.md. Run it for a line of JSON for each frame:
 *
 *   node clients/typescript/frames.ts http://127.0.0.1:8085 CAMERA [tcp|shm]     (LOOKOUT_TOKEN in the environment)
 */
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Where to connect: a port of 127.0.0.1, or the path of a socket that hands out shared memory. */
export type FramesAddress = { port: number } | { socket: string };

/** One frame. `takenAt` is ns since 1970; numbers begin at 0 with each `run`, and one that is left out was missed. */
export type Frame = { run: string; sequence: number; takenAt: bigint; format: string; width: number; height: number; data: Buffer };

type Format = { format: string; width: number; height: number };

const headerBytes = 62;
const payload = { buffer: 1, caps: 2 } as const;

/** Frames of one connection, until the server ends it. Throws where it cannot connect. */
export async function* readFrames(address: FramesAddress): AsyncGenerator<Frame> {
  const socket = 'port' in address ? connect(address.port, '127.0.0.1') : connect(address.socket);
  try {
    await once(socket, 'connect');
    const packets = new Packets();
    if ('port' in address) for await (const chunk of socket) yield* packets.take(chunk as Buffer);
    else for await (const block of sharedBlocks(socket)) yield* packets.take(block);
  } finally {
    socket.destroy();
  }
}

/** Frames for good: connects again when a connection ends, to wherever `find` says. */
export async function* followFrames(find: () => Promise<FramesAddress>, { retryMs = 250, onLoss = (_error: unknown): void => undefined } = {}): AsyncGenerator<Frame> {
  for (;;) {
    try {
      yield* readFrames(await find());
      onLoss(new Error('The connection ended.'));
    } catch (error) {
      onLoss(error);
    }
    await delay(retryMs);
  }
}

/** Asks Lookout where the frames of a camera are. */
export async function findFrames({ url, camera, token, transport }: { url: string; camera: string; token: string; transport: 'tcp' | 'shm' }): Promise<FramesAddress> {
  const answer = await fetch(`${url}/api/v1/cameras/${camera}/frames`, { headers: { authorization: `Bearer ${token}` } });
  const body = await answer.json() as { message?: string; tcp: { port: number } | null; sharedMemory: { socket: string } };
  if (!answer.ok) throw new Error(body.message ?? `HTTP ${answer.status}`);
  if (transport === 'shm') return { socket: body.sharedMemory.socket };
  if (body.tcp === null) throw new Error('No frames have been served yet.');
  return { port: body.tcp.port };
}

/** Packets of the GStreamer Data Protocol 1.0, out of pieces of any length. */
class Packets {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #run = '';
  #format: Format = { format: '', width: 0, height: 0 };

  *take(piece: Buffer): Generator<Frame> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    for (;;) {
      if (this.#bytes < headerBytes) return;
      const header = this.#join().subarray(0, headerBytes);
      const length = header.readUInt32BE(6);
      if (this.#bytes < headerBytes + length) return;
      const all = this.#join();
      this.#pieces = [all.subarray(headerBytes + length)];
      this.#bytes -= headerBytes + length;
      const frame = this.#read(header, all.subarray(headerBytes, headerBytes + length));
      if (frame !== null) yield frame;
    }
  }

  /** Joins only when a header or a whole packet is there: a frame comes in many pieces. */
  #join(): Buffer {
    if (this.#pieces.length > 1 && (this.#pieces[0]!.length < headerBytes || this.#bytes >= headerBytes + this.#pieces[0]!.readUInt32BE(6))) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }

  #read(header: Buffer, data: Buffer): Frame | null {
    const type = header.readUInt16BE(4);
    if (type === payload.buffer) return { run: this.#run, sequence: Number(header.readBigUInt64BE(26)), takenAt: header.readBigUInt64BE(10), ...this.#format, data };
    const text = data.toString('utf8');
    if (type === payload.caps) this.#format = { format: /format=\(string\)(\w+)/u.exec(text)?.[1] ?? '', width: Number(/width=\(int\)(\d+)/u.exec(text)?.[1]), height: Number(/height=\(int\)(\d+)/u.exec(text)?.[1]) };
    else this.#run = /stream-id=\(string\)([^,;]+)/u.exec(text)?.[1] ?? this.#run;
    return null;
  }
}

/** Commands of shmsink: 24 bytes in the machine's own order. */
const command = { bytes: 24, newArea: 1, closeArea: 2, newBuffer: 3, acknowledge: 4 } as const;

/**
 * Blocks of shared memory, copied (Node has no mmap) and given back at once. A program in a language that has it looks
 * at the frame where it lies, and gives it back when it is done (clients/python).
 */
async function* sharedBlocks(socket: Socket): AsyncGenerator<Buffer> {
  const areas = new Map<number, number>();
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= command.bytes) {
        const type = rest.readUInt32LE(0);
        const area = rest.readInt32LE(4);
        const pathBytes = type === command.newArea ? rest.readUInt32LE(16) : 0;
        if (rest.length < command.bytes + pathBytes) break;
        if (type === command.newArea) areas.set(area, openSync(`/dev/shm${rest.toString('utf8', command.bytes, command.bytes + pathBytes - 1)}`, 'r'));
        if (type === command.newBuffer) yield readBlock(socket, areas.get(area)!, { area, offset: rest.readBigUInt64LE(8), size: Number(rest.readBigUInt64LE(16)) });
        if (type === command.closeArea) {
          closeSync(areas.get(area)!);
          areas.delete(area);
        }
        rest = rest.subarray(command.bytes + pathBytes);
      }
    }
  } finally {
    for (const fd of areas.values()) closeSync(fd);
  }
}

function readBlock(socket: Socket, fd: number, { area, offset, size }: { area: number; offset: bigint; size: number }): Buffer {
  const block = Buffer.allocUnsafe(size);
  readSync(fd, block, 0, size, Number(offset));
  const answer = Buffer.alloc(command.bytes);
  answer.writeUInt32LE(command.acknowledge, 0);
  answer.writeInt32LE(area, 4);
  answer.writeBigUInt64LE(offset, 8);
  socket.write(answer);
  return block;
}

/** What `node frames.ts URL CAMERA [tcp|shm]` was called with, for this program and for others that read frames. */
export function addressFromArguments(): () => Promise<FramesAddress> {
  const [url, camera, transport = 'tcp'] = process.argv.slice(2);
  if (url === undefined || camera === undefined || (transport !== 'tcp' && transport !== 'shm')) {
    process.stderr.write('usage: LOOKOUT_TOKEN=… node FILE http://127.0.0.1:8085 CAMERA [tcp|shm]\n');
    process.exit(2);
  }
  return () => findFrames({ url, camera, token: process.env['LOOKOUT_TOKEN'] ?? '', transport });
}

if (import.meta.main) {
  const onLoss = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  for await (const { data, takenAt, ...frame } of followFrames(addressFromArguments(), { onLoss })) {
    process.stdout.write(`${JSON.stringify({ ...frame, takenAt: new Date(Number(takenAt / 1_000_000n)).toISOString(), bytes: data.length })}\n`);
  }
}
