/** Durations as people say them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText } from '../../src/machines/duration.ts';

test('durations have at most two units, and one digit after the point while they are short', () => {
  const said = [[0, '0 ms'], [850, '850 ms'], [1_000, '1 s'], [2_540, '2.5 s'], [45_400, '45 s'], [59_700, '1 min'], [90_000, '1 min 30 s'], [600_000, '10 min'], [7_500_000, '2 h 5 min'], [90_061_000, '1 d 1 h']] as const;
  assert.deepEqual(said.map(([ms]) => durationText(ms)), said.map(([, text]) => text));
});
