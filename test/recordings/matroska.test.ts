/** The walk over Matroska files that end anywhere, and the names of recordings. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { durationBytes, measureMatroska } from '../../src/recordings/matroska.ts';
import { parseRecordingPath, recordingId, recordingPath } from '../../src/recordings/names.ts';

/** An element with its size in eight bytes, as muxers write that want to fill it in later; `open`: of unknown size. */
function element(id: string, content: Buffer | Buffer[], open = false): Buffer {
  const body = Array.isArray(content) ? Buffer.concat(content) : content;
  const size = Buffer.alloc(8);
  if (open) size.fill(0xff).writeUInt8(1, 0);
  else size.writeBigUInt64BE(0x0100_0000_0000_0000n | BigInt(body.length));
  return Buffer.concat([Buffer.from(id, 'hex'), size, body]);
}
const byte = (...values: number[]): Buffer => Buffer.from(values);
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};
const block = (ms: number, { key = false, bytes = 50 } = {}): Buffer => element('a3', [byte(0x81, ms >> 8, ms & 0xff, key ? 0x80 : 0), Buffer.alloc(bytes, 0xa3)]);

/** A film of 25 pictures a second, a cluster for each second. */
function film({ frames, duration = 0 }: { frames: number; duration?: number }): { bytes: Buffer; ends: number[] } {
  const head = Buffer.concat([
    element('1a45dfa3', element('4282', Buffer.from('matroska'))),
    element('18538067', [], true),
    element('1549a966', [element('2ad7b1', byte(0x0f, 0x42, 0x40)), element('4489', double(duration))]),
    element('1654ae6b', element('ae', [element('d7', byte(1)), element('83', byte(1)), element('86', Buffer.from('V_MPEG4/ISO/AVC\0')), element('e0', [element('b0', byte(1, 0x40)), element('ba', byte(0xb4))])])),
  ]);
  const parts = [head];
  const ends: number[] = [];
  let at = head.length;
  for (let frame = 0; frame < frames; frame += 1) {
    const inside = frame % 25;
    const second = Math.floor(frame / 25);
    const opening = inside === 0 ? [element('1f43b675', [], true), element('e7', byte((second * 1_000) >> 8, (second * 1_000) & 0xff))] : [];
    const made = Buffer.concat([...opening, block(inside * 40, { key: inside === 0 })]);
    parts.push(made);
    at += made.length;
    ends.push(at);
  }
  return { bytes: Buffer.concat(parts), ends };
}
const measure = (bytes: Buffer) => measureMatroska((offset, length) => bytes.subarray(offset, offset + length), bytes.length);

describe('a Matroska file', () => {
  test('tells frames, duration, size and that it begins with a keyframe', () => {
    const held = measure(film({ frames: 60, duration: 2_400 }).bytes)!;
    const { video, ...rest } = held;
    assert.deepEqual(video, { number: 1, type: 'video', codec: 'V_MPEG4/ISO/AVC', width: 320, height: 180, frames: 60 });
    assert.deepEqual([rest.frames, rest.firstMs, rest.lastMs, rest.durationMs, rest.startsWithKeyframe, rest.finished], [60, 0, 2_360, 2_400, true, true]);
  });

  test('cut off anywhere holds exactly the frames that are whole', () => {
    const { bytes, ends } = film({ frames: 60 });
    fc.assert(fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
      const held = measure(bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length);
      assert.equal(held?.frames ?? 0, whole.length);
      if (whole.length > 0) assert.equal(held!.end, whole.at(-1));
      if (held) assert.equal(held.finished, false);
    }), { numRuns: 500 });
  });

  test('whose last cluster was begun but got no frame ends with the frame before', () => {
    const { bytes, ends } = film({ frames: 25 });
    const more = Buffer.concat([bytes, element('1f43b675', [], true)]);
    assert.deepEqual([measure(more)?.frames, measure(more)?.end], [25, ends.at(-1)]);
  });

  test('without a frame, or of other kind, is told as such', () => {
    assert.equal(measure(film({ frames: 0 }).bytes)?.frames, 0);
    assert.equal(measure(Buffer.alloc(0)), null);
    assert.equal(measure(Buffer.from('RIFF')), null);
  });

  test('with any bytes damaged never throws', () => {
    const { bytes } = film({ frames: 30 });
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 }), (damages) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of damages) damaged.writeUInt8(value, at);
      measure(damaged);
    }), { numRuns: 500 });
  });

  test('gets a duration in the unit of its header', () => {
    const { bytes } = film({ frames: 50 });
    const { durationField, durationMs } = measure(bytes)!;
    bytes.set(durationBytes(durationField!, durationMs), durationField!.offset);
    assert.equal(bytes.readDoubleBE(durationField!.offset), 2_000);
    assert.equal(measure(bytes)?.finished, true);
  });
});

describe('the name of a recording', () => {
  test('says camera, start and whether it is open, and can be read again', () => {
    const startAt = Date.parse('2026-11-25T01:23:45.678Z');
    assert.equal(recordingPath({ camera: 'gate', startAt, open: false }), 'gate/2026/11/25/2026-11-25T01-23-45.678Z.mkv');
    assert.equal(recordingPath({ camera: 'gate', startAt, open: true }), 'gate/2026/11/25/2026-11-25T01-23-45.678Z.open.mkv');
    assert.equal(recordingId({ camera: 'gate', startAt }), 'gate-1795569825678');
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/), fc.integer({ min: 0, max: 4e12 }), fc.boolean(), (camera, at, open) => {
      assert.deepEqual(parseRecordingPath(recordingPath({ camera, startAt: at, open })), { camera, startAt: at, open });
    }));
  });

  test('is never made of anything else that lies in the folder', () => {
    for (const path of ['gate/2026/11/25/.new-12-00000.mkv', 'gate/notes.txt', '../2026/11/25/2026-11-25T01-23-45.678Z.mkv', 'gate/2026/11/25/2026-99-25T01-23-45.678Z.mkv', 'Gate/2026/11/25/2026-11-25T01-23-45.678Z.mkv']) {
      assert.equal(parseRecordingPath(path), null, path);
    }
  });
});
