/** Rates from counters: exact over a window although the looks are coarse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGopMeter, createMeter } from '../../src/native/meter.ts';

test('a GOP of 2 s reads as 2 s although it is looked at every 400 ms', () => {
  const meter = createGopMeter();
  assert.equal(meter.read(), null);
  for (let at = 0; at <= 24_000; at += 400) meter.add({ at, keyframes: Math.floor(at / 2_000) });
  assert.ok(Math.abs((meter.read() ?? 0) - 2_000) <= 50, `${meter.read()}`);
});

test('one keyframe tells no interval; several between two looks are shared out', () => {
  const meter = createGopMeter();
  meter.add({ at: 0, keyframes: 1 });
  assert.equal(meter.read(), null);
  meter.add({ at: 1_000, keyframes: 5 });
  assert.equal(meter.read(), 250);
});

test('frame rate and bitrate follow the last seconds and forget the ones before', () => {
  const meter = createMeter();
  assert.deepEqual(meter.read(), { fps: null, bitrate: null });
  for (let second = 0; second <= 10; second += 1) meter.add({ at: second * 1_000, frames: second * 25, bytes: second * 250_000 });
  for (let second = 11; second <= 20; second += 1) meter.add({ at: second * 1_000, frames: 250 + (second - 10) * 10, bytes: 2_500_000 + (second - 10) * 125_000 });
  assert.deepEqual(meter.read(), { fps: 10, bitrate: 1_000_000 });
});
