/** Spans over several recordings: where they begin and end, what is between them, and the Matroska they are written to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readFrames, type Frame } from '../../src/recordings/frames.ts';
import { mkvPieces } from '../../src/recordings/mkv.ts';
import { FormatChange, spanOf, type SpanFile } from '../../src/recordings/span.ts';

const frameMs = 40;
const noon = Date.parse('2026-11-25T12:00:00Z');
const form = { codec: 'V_MPEG4/ISO/AVC', codecPrivate: Uint8Array.of(1, 2, 3), width: 320, height: 180 };

/** A recording of so many frames, a keyframe every second; its first frame is not at 0. */
function file(startAt: number, count: number, changes: Partial<typeof form> = {}): SpanFile {
  const frames = Array.from({ length: count }, (_, n): Frame => ({ timeMs: 20 + n * frameMs, key: n % 25 === 0, offset: n * 100, length: 100 }));
  return { startAt, video: { ...form, ...changes, frames } };
}
const whole = { from: noon, to: noon + 3_600_000 };

describe('a span', () => {
  test('begins with the keyframe at or before the moment asked for, and ends before the other', () => {
    const span = spanOf([file(noon, 250)], { from: noon + 2_500, to: noon + 4_000 })!;
    assert.deepEqual([span.startAt, span.frames.length, span.frames[0]!.timeMs, span.frames[0]!.key, span.durationMs, span.endAt], [noon + 2_000, 50, 0, true, 2_000, noon + 4_000]);
    assert.deepEqual(span.gaps, []);
  });

  test('goes over from one file to the next as the clock did', () => {
    const span = spanOf([file(noon, 50), file(noon + 2_003, 50), file(noon + 3_990, 50)], { from: noon, to: noon + 5_990 })!;
    const steps = span.frames.slice(1).map(({ timeMs }, index) => timeMs - span.frames[index]!.timeMs);
    assert.equal(span.frames.length, 150);
    assert.deepEqual([...new Set(steps)].sort(), [27, 40, 43].sort());
    assert.deepEqual(span.gaps, []);
  });

  test('leaves gaps out and tells them, those at its ends too', () => {
    const span = spanOf([file(noon + 1_000, 50), file(noon + 10_000, 50)], { from: noon, to: noon + 20_000 })!;
    assert.deepEqual(span.gaps, [{ from: noon, to: noon + 1_000, atMs: 0 }, { from: noon + 3_000, to: noon + 10_000, atMs: 2_000 }, { from: noon + 12_000, to: noon + 20_000, atMs: 4_000 }]);
    assert.deepEqual([span.durationMs, span.frames[50]!.timeMs, span.frames[50]!.file], [4_000, 2_000, 1]);
  });

  test('holds nothing twice where a recorder that came anew began with what the one before had written', () => {
    const span = spanOf([file(noon, 60), file(noon + 2_000, 50)], { from: noon, to: noon + 4_000 })!;
    assert.equal(span.frames.length, 100);
    assert.deepEqual([span.durationMs, span.gaps], [4_000, []]);
  });

  test('of which nothing is recorded is none, whatever lies before', () => {
    assert.equal(spanOf([file(noon - 60_000, 50)], whole), null);
    assert.equal(spanOf([], whole), null);
  });

  test('in which the picture changes its form is refused with the moment', () => {
    for (const changes of [{ width: 640 }, { codecPrivate: Uint8Array.of(9) }, { codec: 'V_MPEGH/ISO/HEVC' }]) {
      assert.throws(() => spanOf([file(noon, 50), file(noon + 2_000, 50, changes)], whole), (error) => error instanceof FormatChange && error.at === noon + 2_000);
    }
  });

  test('never goes back in time, whatever the clocks of its files said', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: 1, max: 80 })), { minLength: 1, maxLength: 6 }), (parts) => {
      let at = noon;
      const files = parts.map(([step, count]) => {
        const made = file(at, count);
        at += Math.max(1, count * frameMs + step);
        return made;
      });
      const span = spanOf(files, whole)!;
      assert.ok(span.frames[0]!.key);
      for (const [index, { timeMs }] of span.frames.slice(1).entries()) assert.ok(timeMs > span.frames[index]!.timeMs);
      assert.ok(span.durationMs > span.frames.at(-1)!.timeMs || span.frames.length === 1);
    }));
  });
});

test('a Matroska file that is written is read as the same frames, without those that hold nothing', () => {
  fc.assert(fc.property(fc.array(fc.record({ step: fc.integer({ min: 1, max: 30_000 }), key: fc.boolean(), length: fc.integer({ min: 0, max: 300 }) }), { minLength: 1, maxLength: 60 }), (parts) => {
    let timeMs = -1;
    const frames = parts.map(({ step, key, length }, index) => ({ timeMs: (timeMs += step), key: key || index === 0, length: index === 0 ? length + 1 : length }));
    const bytes = Buffer.concat([...mkvPieces(form, frames, timeMs + 40)].map((piece) => (typeof piece === 'number' ? Buffer.alloc(frames[piece]!.length, piece) : piece)));
    const read = readFrames((offset, length) => bytes.subarray(offset, offset + length), bytes.length)!;
    assert.deepEqual([read.codec, Buffer.from(read.codecPrivate), read.width, read.height], [form.codec, Buffer.from(form.codecPrivate), form.width, form.height]);
    assert.deepEqual(read.frames.map(({ timeMs: at, key, length }) => ({ timeMs: at, key, length })), frames.filter(({ length }) => length > 0));
    const kept = frames.flatMap(({ length }, index) => (length > 0 ? [index] : []));
    for (const [at, { offset, length }] of read.frames.entries()) assert.ok(bytes.subarray(offset, offset + length).every((byte) => byte === kept[at]));
  }));
});
