/** Reads a hub outside GStreamer into access units as decoders take them, its latest keyframe first: RTP of H.264, Matroska of H.265. */
import { connect } from 'node:net';
import { readFrames } from '../recordings/frames.ts';
import { aggregated, createHubReader, type HubPacket } from './hub-reader.ts';

/** An access unit, and what a decoder is told of its form (GStreamer caps). */
export type AccessUnit = { caps: string; bytes: Buffer };

const stapA = 24;
const fuA = 28;
const startCode = Buffer.of(0, 0, 0, 1);

/** Joins the payloads of RTP packets (RFC 6184): feed it one by one, and it gives the NAL units of an access unit with the packet that ends it. */
export function createUnitJoiner(): (packet: Pick<HubPacket, 'payload' | 'marker'>) => Buffer[] | null {
  let units: Buffer[] = [];
  let parts: Buffer[] = [];
  const join = (payload: Buffer): void => {
    const first = payload[0] ?? 0;
    const kind = first & 0x1f;
    if (kind === stapA) units.push(...aggregated(payload));
    else if (kind !== fuA) units.push(payload);
    else {
      const header = payload[1] ?? 0;
      if ((header & 0x80) !== 0) parts = [Buffer.of((first & 0xe0) | (header & 0x1f))];
      parts.push(payload.subarray(2));
      if ((header & 0x40) === 0) return;
      units.push(Buffer.concat(parts));
      parts = [];
    }
  };
  return ({ payload, marker }) => {
    join(payload);
    if (!marker) return null;
    const whole = units.filter((unit) => unit.length > 0);
    units = [];
    return whole;
  };
}

/** A reader of one hub. */
export type HubUnits = { /** Reads no further until `resume`. */ pause(): void; resume(): void; close(): void };

/** Connects to a hub and hands out its access units from the latest keyframe on. `onEnd`, once, where it ends by itself. */
export function readHubUnits({ port, codec }: { port: number; codec: 'H264' | 'H265' }, { onUnit, onEnd }: { onUnit: (unit: AccessUnit) => void; onEnd: (reason: string) => void }): HubUnits {
  const read = codec === 'H264' ? rtpUnits(onUnit) : matroskaUnits(onUnit);
  const socket = connect(port, '127.0.0.1');
  let reason = 'the hub closed';
  socket.on('data', (chunk) => {
    try {
      read(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', (error) => (reason = error.message));
  socket.on('close', () => onEnd(reason));
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
}

function rtpUnits(onUnit: (unit: AccessUnit) => void): (chunk: Buffer) => void {
  const join = createUnitJoiner();
  return createHubReader((packet) => {
    const units = join(packet);
    if (units !== null && units.length > 0) onUnit({ caps: 'video/x-h264,stream-format=byte-stream,alignment=au', bytes: Buffer.concat(units.flatMap((unit) => [startCode, unit])) });
  });
}

/** The parameter sets stand in front of the stream; what was handed out stays in memory, since a reader closes soon. */
function matroskaUnits(onUnit: (unit: AccessUnit) => void): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0);
  let given = 0;
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    const video = readFrames((offset, length) => bytes.subarray(offset, offset + length), bytes.length);
    if (video === null) return;
    const caps = `video/x-h265,stream-format=hvc1,alignment=au,codec_data=(buffer)${Buffer.from(video.codecPrivate).toString('hex')}`;
    for (const { offset, length } of video.frames.slice(given)) {
      given += 1;
      onUnit({ caps, bytes: bytes.subarray(offset, offset + length) });
    }
  };
}
