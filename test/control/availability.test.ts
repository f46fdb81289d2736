/** Availability, folded from journals whose answer is known; and for any journal, all time is accounted for once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { availabilityOf } from '../../src/control/availability.ts';
import type { Transition } from '../../src/store/types.ts';

const row = (seconds: number, to: string, cls: string | null = null): Transition => ({ at: seconds * 1_000, type: 'camera.transition', to, class: cls, awaySince: null });
const period = { from: 0, to: 100_000 };

test('an hour-long story: live, lost twice, stopped for a while', () => {
  const rows = [
    row(10, 'connecting'), row(12, 'streaming.live'),
    row(30, 'teardown', 'reset'), row(31, 'connecting', 'reset'), row(32, 'streaming.live'),
    row(50, 'teardown', 'refused'), row(51, 'backoff', 'refused'), row(60, 'streaming.live'),
    row(70, 'teardown'), row(71, 'stopped'), row(90, 'connecting'), row(92, 'streaming.live'),
  ];
  const view = availabilityOf('gate', rows, period);
  assert.equal(view.unknownSeconds, 10);
  assert.equal(view.liveSeconds, 18 + 18 + 10 + 8);
  assert.equal(view.gapSeconds, 2 + 2 + 10 + 1 + 2);
  assert.equal(view.restingSeconds, 19);
  assert.equal(view.losses, 2, 'a stop that an operator asked for is none');
  assert.deepEqual(view.recovery, { count: 2, medianSeconds: 2, p95Seconds: 10, maxSeconds: 10 });
  assert.deepEqual(view.byClass, [{ class: 'refused', losses: 1, gapSeconds: 10 }, { class: 'reset', losses: 1, gapSeconds: 2 }]);
  assert.equal(view.uptime, 54 / 71);
});

test('a gap that began before the period counts inside it only, and one that lasts is a loss without recovery', () => {
  const view = availabilityOf('gate', [row(-50, 'streaming.live'), row(40, 'teardown', 'auth'), row(41, 'quarantined', 'auth')], period);
  assert.deepEqual([view.liveSeconds, view.gapSeconds, view.losses, view.recovery], [40, 60, 1, null]);
});

test('the time in which Lookout itself was away is a gap of its own class', () => {
  const away: Transition = { at: 50_000, type: 'lookout.started', to: null, class: null, awaySince: 40_000 };
  const view = availabilityOf('gate', [row(0, 'streaming.live'), away, row(50, 'connecting'), row(52, 'streaming.live')], period);
  assert.deepEqual([view.liveSeconds, view.gapSeconds], [88, 12]);
  assert.deepEqual(view.byClass, [{ class: 'lookout-away', losses: 1, gapSeconds: 12 }]);
});

test('a camera of which nothing is known has no uptime', () => {
  const view = availabilityOf('gate', [], period);
  assert.deepEqual([view.uptime, view.unknownSeconds, view.losses], [null, 100, 0]);
});

test('for any journal the seconds add up to the period, and gaps by class never exceed all gaps', () => {
  const state = fc.constantFrom('connecting', 'streaming.live', 'streaming.stalled', 'teardown', 'backoff', 'quarantined', 'stopped', 'idle');
  const entry = fc.record({ after: fc.nat({ max: 30 }), state, cls: fc.constantFrom(null, 'reset', 'refused', 'silent'), away: fc.option(fc.nat({ max: 20 }), { freq: 8 }) });
  fc.assert(fc.property(fc.array(entry, { maxLength: 40, size: 'max' }), (entries) => {
    let at = -60;
    const rows = entries.map(({ after, state: to, cls, away }): Transition => {
      at += after;
      return away === null ? row(at, to, cls) : { at: at * 1_000, type: 'lookout.started', to: null, class: null, awaySince: (at - away) * 1_000 };
    });
    const view = availabilityOf('any', rows, period);
    const sum = view.liveSeconds + view.gapSeconds + view.restingSeconds + view.unknownSeconds;
    assert.ok(Math.abs(sum - 100) < 1e-6, `${sum} s of 100`);
    assert.ok(view.byClass.reduce((total, { gapSeconds }) => total + gapSeconds, 0) <= view.gapSeconds + 1e-6);
    assert.ok(view.uptime === null || (view.uptime >= 0 && view.uptime <= 1));
  }), { numRuns: 1_000 });
});
