/** Timelines: loops without seams, no drift, and clocks that jump, freeze and change pace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../src/camera-sim/timeline.ts';
import type { DueUnit } from '../../src/camera-sim/timeline.ts';
import { loadTrack } from '../../src/camera-sim/track.ts';

const frame = 3600;

function take(timeline: Timeline, untilMs: number): number[] {
  const ticks: number[] = [];
  for (let due = timeline.take(untilMs); due; due = timeline.take(untilMs)) ticks.push(due.ticks);
  return ticks;
}

const steps = (ticks: number[]): number[] => ticks.slice(1).map((tick, index) => tick - ticks[index]!);

test('timestamps go on over a loop of the clip in equal steps, and a keyframe begins every loop', () => {
  const track = loadTrack('entrance-360p-baseline');
  const timeline = new Timeline(track, { originMs: 1000, position: 0 });
  const units: DueUnit[] = [];
  for (let now = 1000; now < 1000 + 25_000; now += 10) for (let due = timeline.take(now); due; due = timeline.take(now)) units.push(due);
  assert.equal(units.length, 625);
  assert.ok(steps(units.map(({ ticks }) => ticks)).every((step) => step === frame));
  assert.ok([0, 250, 500].every((index) => units[index]?.unit.keyframe));
});

test('units are due exactly at their times after a day', () => {
  const day = 24 * 3600 * 1000;
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 0 });
  timeline.skipTo(day);
  assert.equal(timeline.take(day - 1), undefined);
  assert.equal(timeline.take(day)?.ticks, day * 90);
  assert.equal(timeline.take(day + 39), undefined);
  assert.equal(timeline.take(day + 40)?.ticks, day * 90 + frame);
});

test('with B-frames every picture has its own timestamp, none lies after its sending time, and loops have no gap', () => {
  const timeline = new Timeline(loadTrack('bframes-360p-high'), { originMs: 0, position: 0 });
  const stamps: number[] = [];
  for (let index = 0; index < 500; index += 1) {
    const ticks = timeline.take(index * 40)!.ticks;
    assert.ok(ticks <= index * frame, `unit ${index}`);
    stamps.push(ticks);
  }
  assert.notDeepEqual(stamps, stamps.toSorted((a, b) => a - b));
  assert.ok(steps(stamps.toSorted((a, b) => a - b)).every((step) => step === frame));
});

test('the clock of sender reports agrees with the timestamps of units', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 500, position: 7 });
  assert.equal(timeline.ticksAt(500), timeline.nextTicks);
  timeline.jump(3600);
  assert.equal(timeline.ticksAt(540), timeline.nextTicks + frame);
});

test('a jump moves timestamps by its seconds, forward and back, and units stay due', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 0 });
  const before = take(timeline, 80).at(-1)!;
  timeline.jump(7200);
  assert.deepEqual(take(timeline, 120), [before + frame + 7200 * 90_000]);
  timeline.jump(-7200);
  assert.deepEqual(take(timeline, 160), [before + 2 * frame]);
});

test('a frozen clock repeats its timestamp and goes on where it would be', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 0 });
  take(timeline, 40);
  timeline.freeze(true);
  assert.deepEqual(take(timeline, 160), [2 * frame, 2 * frame, 2 * frame]);
  timeline.freeze(false);
  assert.deepEqual(take(timeline, 200), [5 * frame]);
});

test('half the pace gives half the units with timestamps twice as far apart', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 0 });
  take(timeline, 40);
  timeline.pace(0.5);
  assert.deepEqual(take(timeline, 240), [2 * frame, 4 * frame, 6 * frame]);
  timeline.pace(1);
  assert.deepEqual(take(timeline, 360), [8 * frame, 9 * frame]);
});

test('another clip begins with its keyframe at the next due time, timestamps unbroken', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 3 });
  take(timeline, 80);
  const next = loadTrack('odd-504x282-baseline');
  timeline.play(next);
  const due = timeline.take(120);
  assert.equal(due?.unit, next.units[0]);
  assert.equal(due?.ticks, 3 * frame);
});

test('after a pause of the process units are skipped, not sent in a burst', () => {
  const timeline = new Timeline(loadTrack('tiny-320x180-main'), { originMs: 0, position: 0 });
  take(timeline, 0);
  const late = take(timeline, 10_000);
  assert.ok(late.length <= 2, `${late.length} units`);
  assert.equal(late.at(-1), 10_000 * 90);
});
