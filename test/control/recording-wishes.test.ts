/** Timetables of recording: windows of a week, in local time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isScheduled } from '../../src/control/recording-wishes.ts';

/** 2026-11-23 is a Monday. */
const at = (day: number, hours: number, minutes = 0): Date => new Date(2026, 10, 22 + day, hours, minutes);

test('a window holds from its first minute to before its last, on its days only', () => {
  const office = [{ days: ['mon', 'fri'] as const, from: '08:00', to: '18:30' }].map((window) => ({ ...window, days: [...window.days] }));
  for (const [day, hours, minutes, wanted] of [[1, 7, 59, false], [1, 8, 0, true], [1, 18, 29, true], [1, 18, 30, false], [2, 12, 0, false], [5, 12, 0, true], [0, 12, 0, false]] as const) {
    assert.equal(isScheduled(office, at(day, hours, minutes)), wanted, `day ${day}, ${hours}:${minutes}`);
  }
});

test('a window that ends before it begins goes on through the night, into a day that is not its own', () => {
  const night = [{ days: ['sat' as const], from: '22:00', to: '06:00' }];
  assert.deepEqual([at(6, 21, 59), at(6, 22), at(7, 5, 59), at(7, 6), at(7, 22), at(6, 3)].map((moment) => isScheduled(night, moment)), [false, true, true, false, false, false]);
});

test('midnight to midnight is the whole day, and no window is never', () => {
  assert.equal(isScheduled([{ days: ['wed'], from: '00:00', to: '00:00' }], at(3, 13)), true);
  assert.equal(isScheduled([], at(3, 13)), false);
});
