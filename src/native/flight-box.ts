/** The file a host notes its counters, its dialogue and its RTP headers in: made and read here, mapped and written by `plugin/*.c`. */
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { FlightRun } from '../media.ts';

/** An open box. It has no name: it is gone with the last process that holds it. */
export type FlightBox = {
  /** For the host to inherit. */
  readonly fd: number;
  /** A copy, whole as of the last packet even where the host was killed. */
  read(): Buffer;
  /** What is counted by now; undefined before the host made its pipeline. Costs one system call and wakes nobody. */
  counters(): BoxCounters | undefined;
  /** Empties it for another source, once nobody writes in it. */
  clear(): void;
  close(): void;
};

/** What a source counted. Times are ms on `process.hrtime`'s clock; null before there was any. */
export type BoxCounters = {
  /** Video as it was received, and its newest RTP timestamp at 90 kHz. */
  packets: number;
  bytes: number;
  packetAt: number | null;
  timestamp: number;
  /** As they left the depayloader, or came while it rests. */
  frames: number;
  keyframes: number;
  keyframeAt: number | null;
  audioPackets: number;
  /** Video packets whose timestamp lies before that of the packet before: RTP carries presentation times in decoding order (RFC 6184 §5.1). */
  reordered: number;
  /** The parameter sets (`codec_data`); `serial` counts their changes, null while they are being written. */
  format: { serial: number; data: Uint8Array } | null;
};

/** A message as the box has it, credentials not removed yet. `at` counts ms from the box's start. */
export type BoxMessage = { at: number; direction: 'sent' | 'received'; text: string };

/** Byte offsets and sizes of `Box`, `Counters`, `Run` and `Message` in `plugin/box.h`. */
const layout = {
  bytes: 65_536, magic: 'LKFLGHT2', started: 8, runsWritten: 16, startLength: 20, packets: 64, videoBytes: 72, packetAt: 80, timestamp: 84, frames: 88, keyframes: 92,
  keyframeAt: 96, audioPackets: 100, formatSerial: 104, formatLength: 108, reordered: 112, format: 128, formatBytes: 896, start: 1024, startBytes: 12_288, messageHead: 12,
  later: 13_312, laterSlots: 8, laterBytes: 512, runs: 17_408, runCount: 1504, runBytes: 32,
} as const;

/** Memory without a disk behind it, where there is some: the kernel would write a mapped file back again and again. */
const home = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Makes a box; undefined where this machine has no room for one: a camera without recorder is better than no camera. */
export function openFlightBox(): FlightBox | undefined {
  const path = join(home, `lookout-flight-${randomUUID()}`);
  let fd: number | undefined;
  try {
    fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    // Written, not truncated to size: a page that cannot be had must show here, not as SIGBUS in the host.
    if (writeSync(fd, Buffer.alloc(layout.bytes), 0, layout.bytes, 0) < layout.bytes) throw new Error('no room');
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
  const open = fd;
  const head = Buffer.alloc(layout.start);
  return {
    fd: open,
    clear: () => void writeSync(open, Buffer.alloc(layout.bytes), 0, layout.bytes, 0),
    counters: () => (readSync(open, head, 0, layout.start, 0) < layout.start ? undefined : countersOf(head)),
    read() {
      const copy = Buffer.allocUnsafe(layout.bytes);
      return copy.subarray(0, readSync(open, copy, 0, layout.bytes, 0));
    },
    close: () => closeSync(open),
  };
}

function countersOf(head: Buffer): BoxCounters | undefined {
  if (!hasMagic(head)) return undefined;
  const began = Number(head.readBigUInt64LE(layout.started));
  const [packets, keyframes] = [Number(head.readBigUInt64LE(layout.packets)), head.readUInt32LE(layout.keyframes)];
  const [serial, length] = [head.readUInt32LE(layout.formatSerial), head.readUInt32LE(layout.formatLength)];
  // Odd while it is written.
  const whole = serial > 0 && serial % 2 === 0 && length <= layout.formatBytes;
  return {
    packets, bytes: Number(head.readBigUInt64LE(layout.videoBytes)), timestamp: head.readUInt32LE(layout.timestamp),
    packetAt: packets === 0 ? null : began + head.readUInt32LE(layout.packetAt),
    frames: head.readUInt32LE(layout.frames), keyframes,
    keyframeAt: keyframes === 0 ? null : began + head.readUInt32LE(layout.keyframeAt),
    audioPackets: head.readUInt32LE(layout.audioPackets), reordered: head.readUInt32LE(layout.reordered),
    // Only looked at when the serial is a new one: no copy.
    format: whole ? { serial, data: head.subarray(layout.format, layout.format + length) } : null,
  };
}

function hasMagic(box: Buffer): boolean {
  return box.toString('latin1', 0, layout.magic.length) === layout.magic;
}

/** When the box's clock began, on `process.hrtime`'s clock, ms; undefined where no pipeline ran yet. */
export function boxStart(box: Buffer): number | undefined {
  if (box.length < layout.bytes || !hasMagic(box)) return undefined;
  return Number(box.readBigUInt64LE(layout.started));
}

/** The messages up to the answer to PLAY, then the newest of those after it. */
export function boxMessages(box: Buffer): { start: BoxMessage[]; later: BoxMessage[] } {
  const start: BoxMessage[] = [];
  const end = layout.start + Math.min(box.readUInt32LE(layout.startLength), layout.startBytes);
  for (let at = layout.start; at + layout.messageHead <= end;) {
    const message = messageAt(box, at, layout.later - at);
    if (message === undefined) break;
    start.push(message.message);
    at += Math.ceil((layout.messageHead + message.length) / 4) * 4;
  }
  const slots = Array.from({ length: layout.laterSlots }, (_, slot) => messageAt(box, layout.later + slot * layout.laterBytes, layout.laterBytes));
  const later = slots.filter((slot) => slot !== undefined).sort((a, b) => a.serial - b.serial);
  return { start, later: later.map(({ message }) => message) };
}

/** The bytes of the runs that ended after `since` (ms of the box's clock), oldest first. */
export function boxRuns(box: Buffer, since: number): Buffer {
  const written = box.readUInt32LE(layout.runsWritten);
  const chosen: Buffer[] = [];
  for (let index = Math.max(0, written - layout.runCount); index < written; index += 1) {
    const at = layout.runs + (index % layout.runCount) * layout.runBytes;
    const run = box.subarray(at, at + layout.runBytes);
    // One that is being written while it is read may be of another round, or empty.
    if (run.readUInt32LE(0) !== index + 1 || run.readUInt16LE(26) === 0) continue;
    if (run.readUInt32LE(4) + run.readUInt16LE(28) >= since) chosen.push(run);
  }
  return Buffer.concat(chosen);
}

/** The runs of {@link boxRuns}, readable. `shiftMs` is added to their times. */
export function readRuns(bytes: Uint8Array, shiftMs: number): FlightRun[] {
  const runs = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const next = new Map<string, number>();
  const read: FlightRun[] = [];
  for (let at = 0; at + layout.runBytes <= runs.length; at += layout.runBytes) {
    const [sequence, count] = [runs.readUInt16LE(at + 24), runs.readUInt16LE(at + 26)];
    const [type, track] = [runs.readUInt8(at + 30), runs.readUInt8(at + 31)];
    const ssrc = runs.readUInt32LE(at + 8);
    const stream = `${track & 0x7f} ${ssrc}`;
    const missing = (sequence - (next.get(stream) ?? sequence)) & 0xffff;
    next.set(stream, sequence + count);
    read.push({
      at: runs.readUInt32LE(at + 4) + shiftMs, ms: runs.readUInt16LE(at + 28), track: (track & 0x7f) === 0 ? 'video' : 'audio', ssrc,
      payloadType: type & 0x7f, sequence, timestamp: runs.readUInt32LE(at + 12), step: runs.readUInt32LE(at + 16), count,
      marker: type >= 0x80, keyframe: track >= 0x80, bytes: runs.readUInt32LE(at + 20),
      // Behind by less than half the circle: a packet that came out of order, not 65,000 lost ones.
      missing: missing < 0x8000 ? missing : 0,
    });
  }
  return read;
}

function messageAt(box: Buffer, at: number, room: number): { message: BoxMessage; serial: number; length: number } | undefined {
  const serial = box.readUInt32LE(at);
  const length = box.readUInt16LE(at + 8);
  if (serial === 0 || layout.messageHead + length > room) return undefined;
  const text = box.toString('utf8', at + layout.messageHead, at + layout.messageHead + length);
  // One that filled its room was cut: its last line goes, half a password would not be recognised.
  const whole = layout.messageHead + length < room ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  return { serial, length, message: { at: box.readUInt32LE(at + 4), direction: box.readUInt8(at + 10) === 1 ? 'received' : 'sent', text: whole } };
}
