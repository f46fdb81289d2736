/** Which recordings go: oldest first, no more than needed, never one that is being written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { beyondRule, beyondSpace, type Kept } from '../../src/recordings/retention.ts';

const hourMs = 3_600_000;
const now = 1_800_000_000_000;
const kept = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 * hourMs }), fc.integer({ min: 1, max: 10_000_000 })), { maxLength: 50 }).map((list): Kept[] =>
  list.map(([age, bytes], index) => ({ id: `${index}`, camera: 'a', path: `${index}`, startAt: now - age - 1_000, endAt: now - age, bytes })).sort((a, b) => a.startAt - b.startAt));
const total = (list: readonly Kept[]): number => list.reduce((sum, { bytes }) => sum + bytes, 0);

test('what goes by age is older than wanted, and nothing older stays', () => {
  fc.assert(fc.property(kept, fc.double({ min: 0.01, max: 100, noNaN: true }), (all, maxAgeHours) => {
    const gone = beyondRule(all, { maxAgeHours }, { bytes: total(all), now });
    assert.ok(gone.every(({ segment, reason }) => reason === 'age' && segment.endAt < now - maxAgeHours * hourMs));
    assert.ok(all.slice(gone.length).every(({ endAt }) => endAt >= now - maxAgeHours * hourMs));
  }));
});

test('what goes by bytes is the oldest, just enough of it', () => {
  fc.assert(fc.property(kept, fc.integer({ min: 0, max: 100_000_000 }), (all, maxBytes) => {
    const gone = beyondRule(all, { maxBytes }, { bytes: total(all), now }).map(({ segment }) => segment);
    assert.deepEqual(gone, all.slice(0, gone.length), 'oldest first');
    assert.ok(total(all) - total(gone) <= maxBytes);
    const last = gone.at(-1);
    if (last) assert.ok(total(all) - total(gone) + last.bytes > maxBytes, 'one less would not have been enough');
  }));
});

test('age and bytes together each have their say', () => {
  const at = (hours: number, bytes: number): Kept => ({ id: `${hours}`, camera: 'a', path: '', startAt: now - hours * hourMs - 1, endAt: now - hours * hourMs, bytes });
  const reasons = beyondRule([at(30, 10), at(20, 10), at(10, 10), at(1, 10)], { maxAgeHours: 24, maxBytes: 15 }, { bytes: 40, now }).map(({ reason }) => reason);
  assert.deepEqual(reasons, ['age', 'bytes', 'bytes']);
});

test('a rule without limits keeps everything', () => {
  fc.assert(fc.property(kept, (all) => assert.deepEqual(beyondRule(all, {}, { bytes: total(all), now }), [])));
});

test('space is made by the oldest of all cameras, just enough of it; where nothing is missing, nothing goes', () => {
  fc.assert(fc.property(kept, fc.integer({ min: -1_000, max: 100_000_000 }), (all, missing) => {
    const gone = beyondSpace(all, missing).map(({ segment }) => segment);
    assert.deepEqual(gone, all.slice(0, gone.length));
    if (missing <= 0) assert.equal(gone.length, 0);
    else if (gone.length < all.length) assert.ok(total(gone) >= missing && total(gone.slice(0, -1)) < missing);
  }));
});
