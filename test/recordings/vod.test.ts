/** Parts of a recording: together they hold every frame once, wherever it is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../../src/recordings/frames.ts';
import { framesOf, timelineOf } from '../../src/recordings/vod.ts';

/** GOPs of so many frames, in decoding order: where there are three and more, each third one is shown before the one sent before it. */
function film(gops: number[], firstMs: number) {
  const frames: Frame[] = [];
  let at = firstMs;
  for (const count of gops) {
    for (let n = 0; n < count; n += 1) {
      const swapped = n > 0 && n % 3 === 1 && n + 1 < count ? n + 1 : n > 1 && n % 3 === 2 ? n - 1 : n;
      frames.push({ timeMs: at + swapped * 40, key: n === 0, offset: frames.length, length: 1 });
    }
    at += count * 40;
  }
  return { codec: 'V_MPEG4/ISO/AVC', codecPrivate: Uint8Array.of(1), width: 320, height: 180, frames };
}

test('parts between any keyframes hold every frame once, in the order of decoding', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 }), fc.nat({ max: 50 }), fc.infiniteStream(fc.boolean()), (gops, firstMs, keep) => {
    const video = film(gops, firstMs);
    const { keyframes, endMs } = timelineOf(video);
    assert.equal(keyframes.length, gops.length);
    const cuts = keyframes.filter((_, index) => index === 0 || keep.next().value);
    const parts = cuts.map((fromMs, index) => framesOf(video, { fromMs, toMs: cuts[index + 1] ?? endMs, baseMs: 0 }));
    assert.deepEqual(parts.flat(), video.frames);
    assert.ok(parts.every(([first]) => first!.key));
  }));
});

test('a part that begins with no keyframe is none', () => {
  assert.deepEqual(framesOf(film([5, 5], 0), { fromMs: 40, toMs: 400, baseMs: 0 }), []);
});
