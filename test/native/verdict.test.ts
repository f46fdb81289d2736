/** The table of what each path does with a stream, entry by entry. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { carriageOf, transcodeForm } from '../../src/carriage.ts';
import type { VideoFormat } from '../../src/media.ts';
import { pathVerdicts, webrtcVerdict } from '../../src/native/verdict.ts';
import { hasBFrames } from '../../src/native/source-watch.ts';

const limits = { maxHeight: 1_080, cores: 1 };
const h264 = (profileLevelId: string | null, more: Partial<VideoFormat> = {}): VideoFormat => ({ codec: 'H264', profile: 'main', profileLevelId, width: 1_280, height: 720, fps: 25, ...more });
const h265: VideoFormat = { codec: 'H265', profile: 'main', profileLevelId: null, width: 1_920, height: 1_080, fps: 25 };

describe('the verdict', () => {
  for (const { what, video, bFrames, ok, why, carriage } of [
    { what: 'main without B-frames', video: h264('4d001f'), bFrames: false, ok: true, why: /4d001f, without B-frames/u, carriage: 'plain' },
    { what: 'an SPS that was not announced', video: h264(null), bFrames: null, ok: true, why: /first keyframe/u, carriage: 'plain' },
    { what: 'main with B-frames', video: h264('4d001f'), bFrames: true, ok: false, why: /B-frames.*Turn them off/u, carriage: 'transcode' },
    { what: 'high 10', video: h264('6e0028'), bFrames: false, ok: false, why: /high 10/u, carriage: 'transcode' },
    { what: 'high 4:2:2', video: h264('7a0028'), bFrames: null, ok: false, why: /high 4:2:2/u, carriage: 'transcode' },
    { what: 'H.265', video: h265, bFrames: false, ok: false, why: /H\.265.*HLS and recordings/u, carriage: 'transcode' },
  ] as const) {
    test(`on ${what} says what WebRTC does, and what a transcode would`, () => {
      const told = pathVerdicts({ video, bFrames, gopMs: 2_000 }, limits);
      assert.equal(told.webrtc.ok, ok);
      assert.match(told.webrtc.why, why);
      assert.deepEqual([told.hls.ok, told.recording.ok, told.frames.ok, told.transcode.ok], [true, true, true, true]);
      assert.match(told.transcode.why, ok ? /Not needed/u : /H\.264 of \d+ × \d+ for about [\d.]+ cores/u);
      assert.equal(carriageOf({ ...video, bFrames }, 'on-demand'), carriage);
      assert.equal(carriageOf({ ...video, bFrames }, 'never'), ok ? 'plain' : 'none');
      assert.equal(webrtcVerdict({ ...video, bFrames }, 'on-demand').ok, true);
    });
  }

  test('on no video is no everywhere; a long GOP is told where it is felt; a transcode beyond the budget is none', () => {
    for (const { ok } of Object.values(pathVerdicts({ video: null, bFrames: null, gopMs: null }, limits))) assert.equal(ok, false);
    const long = pathVerdicts({ video: h264('4d001f'), bFrames: false, gopMs: 10_000 }, limits);
    assert.match(long.hls.why, /every 10\.0 s: segments are as long/u);
    assert.match(long.recording.why, /every 10\.0 s/u);
    assert.match(pathVerdicts({ video: h264('7a0028'), bFrames: null, gopMs: null }, limits).hls.why, /Few browsers/u);
    const dear = pathVerdicts({ video: h265, bFrames: null, gopMs: null }, { ...limits, cores: 0.5 }).transcode;
    assert.equal(dear.ok, false);
    assert.match(dear.why, /0\.5 cores are allowed/u);
  });

  test('of a transcode: at most as high as allowed, a keyframe each second, even sides', () => {
    assert.deepEqual(transcodeForm({ ...h265, width: 3_840, height: 2_160 }, 1_080), { width: 1_920, height: 1_080, scaled: true, kbps: 4_147, keyframeEvery: 25, cores: 1.45 });
    assert.deepEqual(transcodeForm({ ...h265, fps: null }, 1_080), { width: 1_920, height: 1_080, scaled: false, kbps: 4_147, keyframeEvery: 25, cores: 0.67 });
  });

  test('of B-frames comes from many steps back in time, not from one', () => {
    assert.deepEqual([hasBFrames(10, 0), hasBFrames(50, 0), hasBFrames(50, 2), hasBFrames(50, 20), hasBFrames(5_000, 3)], [null, false, false, true, false]);
  });
});
