/** A limit counts after it was passed for some time without a break. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { addSample, withinLimit } from '../../src/machines/limit.ts';

test('a limit is passed exactly when every sample of the last stretch of that length was above it', () => {
  const samples = fc.array(fc.record({ over: fc.boolean(), after: fc.nat(3_000) }), { maxLength: 60 });
  fc.assert(fc.property(samples, fc.nat(10_000), (steps, sustainMs) => {
    let state = withinLimit;
    let now = 0;
    let began: number | null = null;
    for (const { over, after } of steps) {
      now += after;
      state = addSample(state, over, now, sustainMs);
      began = over ? began ?? now : null;
      assert.equal(state.passed, began !== null && now - began >= sustainMs);
    }
  }));
});
