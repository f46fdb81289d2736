/** Policy of failures: bounds of the delays, quarantine, booting — for any history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { failureClasses, type Failure, type FailureClass } from '../../src/errors.ts';
import { decide, defaultPolicy, emptyHistory, jittered, random, reclassify } from '../../src/machines/policy.ts';

const intensity = { failures: 10, windowMs: 300_000 };
const rules = { policy: defaultPolicy, intensity };
const fail = (cls: FailureClass, at: number): Failure => ({ class: cls, code: 'test', message: 'test', at });
const history = fc.array(fc.record({ cls: fc.constantFrom(...failureClasses), gap: fc.nat(60_000) }), { minLength: 1, maxLength: 60 });

test('every delay stays inside the bounds of its class, for any history', () => {
  fc.assert(fc.property(history, fc.nat(), (steps, seed) => {
    let state = emptyHistory(seed);
    let at = 0;
    for (const { cls, gap } of steps) {
      at += gap;
      const before = state;
      const decision = decide(fail(cls, at), state, rules);
      state = decision.history;
      if (decision.step === 'quarantine') continue;
      const policy = defaultPolicy[cls];
      if (decision.delayMs === 0 && policy.immediateFirst && before.attempt === 0) continue;
      assert.ok(decision.delayMs >= policy.floorMs, `${cls}: ${decision.delayMs} under the floor`);
      assert.ok(decision.delayMs <= policy.capMs, `${cls}: ${decision.delayMs} over the cap`);
    }
  }));
});

test('absence never quarantines, however long it lasts', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom<FailureClass>('refused', 'unreachable', 'timeout', 'dns'), { maxLength: 100 }), (classes) => {
    let state = emptyHistory(1);
    classes.forEach((cls, nth) => {
      const decision = decide(fail(cls, nth), state, rules);
      assert.equal(decision.step, 'retry');
      state = decision.history;
    });
  }));
});

test('the eleventh counting failure within the window quarantines, the tenth does not, and an old one is forgotten', () => {
  let state = emptyHistory(1);
  for (let nth = 1; nth <= 10; nth += 1) {
    const decision = decide(fail('reset', nth), state, rules);
    assert.equal(decision.step, 'retry', `failure ${nth}`);
    state = decision.history;
  }
  assert.equal(decide(fail('reset', 11), state, rules).step, 'quarantine');
  assert.equal(decide(fail('reset', 300_002), state, rules).step, 'retry');
});

test('the same history and seed give the same decision', () => {
  fc.assert(fc.property(history, fc.nat(), (steps, seed) => {
    const run = () => steps.reduce((state, { cls, gap }) => decide(fail(cls, gap), state, rules).history, emptyHistory(seed));
    assert.deepEqual(run(), run());
  }));
});

test('full jitter spreads over the whole window: a fleet does not come back in step', () => {
  const delays = Array.from({ length: 1_000 }, (_, seed) => decide(fail('refused', 1), { ...emptyHistory(seed * 7_919), attempt: 4 }, rules))
    .map((decision) => (decision.step === 'retry' ? decision.delayMs : 0));
  const quarters = [0, 0, 0, 0];
  for (const delay of delays) quarters[Math.min(3, Math.floor(delay / 2_000))]! += 1;
  for (const count of quarters) assert.ok(count > 150, `quarters hold ${quarters.join(', ')}`);
});

test('random numbers are in [0, 1) and their sequence does not repeat soon', () => {
  fc.assert(fc.property(fc.nat(), (seed) => {
    const { value } = random(seed);
    assert.ok(value >= 0 && value < 1);
  }));
  const seen = new Set<number>();
  for (let n = 0, seed = 1; n < 10_000; n += 1) seen.add(({ seed } = random(seed)).seed);
  assert.equal(seen.size, 10_000);
});

test('the bound doubles from one attempt to the next and stops at the cap', () => {
  const bounds = [0, 1, 2, 6, 60].map((exponent) => jittered(defaultPolicy.refused, exponent, 0).bound);
  assert.deepEqual(bounds, [500, 1_000, 2_000, 30_000, 30_000]);
});

test('a 404, 454 or 5xx counts as booting within 60 s of the last sign of life, and not later', () => {
  assert.equal(reclassify(fail('not-found', 50_000), 0, 60_000).class, 'booting');
  assert.equal(reclassify(fail('server-error', 60_001), 0, 60_000).class, 'server-error');
  assert.equal(reclassify(fail('auth', 1), 0, 60_000).class, 'auth');
  assert.equal(reclassify(fail('not-found', 1), null, 60_000).class, 'not-found');
});
