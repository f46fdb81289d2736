/** How a viewer's first pictures are played: by what a browser would have to decode, and by when the next keyframe comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { primerWay, type OpeningFacts } from '../../src/control/primer-way.ts';

const media = { codec: 'H264', profile: 'main', profileLevelId: '4d001f', width: 1280, height: 720, fps: 25 } as const;
/** 2 Mbit/s with a keyframe each 10 s. */
const stats = { keyframeIntervalMs: 10_000, bitrate: 2_000_000 };
const way = (ageMs: number, changes: Partial<OpeningFacts> = {}) => primerWay({ media, stats, keyframeAt: 1_000, now: 1_000 + ageMs, catchUpBytes: 1_000_000, holdMs: 2_000, ...changes });

test('what a browser decodes in half a second it is given at once', () => {
  assert.deepEqual(way(0), { type: 'burst' });
  assert.deepEqual(way(4_000), { type: 'burst' });
  assert.deepEqual(way(9_000, { stats: { ...stats, bitrate: 300_000 } }), { type: 'burst' });
});

test('more than that is caught up with, in a form for the size and the bitrate of the camera', () => {
  assert.deepEqual(way(4_001), { type: 'catch-up', form: { kbps: 3_000, keyframeEvery: 25 } });
  assert.deepEqual(way(9_100, { stats: { ...stats, bitrate: 900_000 } }), { type: 'catch-up', form: { kbps: 1_843, keyframeEvery: 25 } });
});

test('where the next keyframe comes sooner than a catch-up would, none is started', () => {
  assert.deepEqual(way(9_101), { type: 'burst' });
  assert.deepEqual(way(9_999), { type: 'burst' });
});

test('what no catch-up would decode or encode in time is left to the browser', () => {
  assert.equal(way(8_000, { stats: { ...stats, bitrate: 4_900_000 } }).type, 'catch-up');
  assert.deepEqual(way(8_000, { stats: { ...stats, bitrate: 5_100_000 } }), { type: 'burst' });
  assert.equal(way(8_000, { media: { ...media, width: 1_920, height: 1_080, fps: 30 } }).type, 'catch-up');
  assert.deepEqual(way(8_000, { media: { ...media, width: 3_840, height: 2_160 } }), { type: 'burst' });
});

test('a keyframe that is older than the interval was followed by another one', () => {
  assert.deepEqual(way(10_500), { type: 'burst' });
  assert.deepEqual(way(15_000), way(5_000));
});

test('where nothing is known, or it is switched off, all that is cached is played', () => {
  for (const changes of [{ stats: null }, { stats: { ...stats, bitrate: null } }, { stats: { ...stats, keyframeIntervalMs: null } }, { keyframeAt: null }, { catchUpBytes: 0 }]) {
    assert.deepEqual(way(8_000, changes), { type: 'burst' });
  }
  assert.deepEqual(way(-50), { type: 'burst' });
});
