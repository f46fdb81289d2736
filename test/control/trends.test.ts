/** The last hour: what is kept of it, what is forgotten, and what a pause of the program looks like. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { CameraView } from '../../src/api/protocol.ts';
import { createTrends, trendPoints, trendStepMs } from '../../src/control/trends.ts';
import { cameraView } from '../support/scripted-control.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');
const at = (step: number): number => begin + step * trendStepMs;
const down: Partial<CameraView> = { state: 'backoff', substate: null, freshness: { packetAgeMs: 4_000, keyframeAgeMs: 4_000 } };

test('of a step the newest sample stays, and its restarts are those since the step before', () => {
  const trends = createTrends();
  trends.sample([cameraView('gate', { restarts: 7 })], at(0));
  trends.sample([cameraView('gate', { restarts: 8 })], at(1));
  trends.sample([cameraView('gate', { ...down, restarts: 9 })], at(1) + 2_000);
  assert.deepEqual(trends.of('gate'), {
    camera: 'gate', from: '2026-01-01T00:00:00.000Z', stepMs: trendStepMs,
    bitrate: [2_000_000, null], fps: [25, null], packetAgeMs: [12, 4_000], restarts: [0, 2], state: ['live', 'backoff'],
  });
});

test('an hour is kept and no more, and nothing of the hour before shines through', () => {
  const trends = createTrends();
  for (let step = 0; step < trendPoints; step += 1) trends.sample([cameraView('gate')], at(step));
  for (let step = trendPoints; step < trendPoints + 10; step += 1) trends.sample([cameraView('gate', down)], at(step));
  const { from, state, bitrate } = trends.of('gate');
  assert.equal(from, new Date(at(10)).toISOString());
  assert.equal(state.length, trendPoints);
  assert.deepEqual(state.slice(-11), ['live', ...Array.from({ length: 10 }, () => 'backoff')]);
  assert.deepEqual(bitrate.slice(-11).map((bits) => bits === null), [false, ...Array.from({ length: 10 }, () => true)]);
});

test('steps in which the program did not run are unknown', () => {
  const trends = createTrends();
  trends.sample([cameraView('gate')], at(0));
  trends.sample([cameraView('gate')], at(4));
  assert.deepEqual(trends.of('gate').state, ['live', null, null, null, 'live']);
  trends.sample([cameraView('gate')], at(4 + 2 * trendPoints));
  const { state } = trends.of('gate');
  assert.deepEqual([state.length, state[0]], [1, 'live'], 'a pause of more than an hour leaves nothing');
});

test('a camera begins when it is added, is forgotten with it, and is counted among the fleet by then', () => {
  const trends = createTrends();
  assert.deepEqual(trends.together(['gate']).live, []);
  trends.sample([cameraView('gate')], at(0));
  trends.sample([cameraView('gate', { restarts: 1 }), cameraView('yard', { state: 'streaming', substate: 'stalled' })], at(1));
  assert.deepEqual(trends.of('yard').from, new Date(at(1)).toISOString());
  const fleet = trends.together(['gate', 'yard']);
  assert.deepEqual([fleet.cameras, fleet.live, fleet.bitrate, fleet.restarts], [[1, 2], [1, 1], [2_000_000, 4_000_000], [0, 1]]);
  assert.deepEqual(trends.together(['yard']).cameras, [0, 1], 'only those that are asked for');
  trends.sample([cameraView('gate')], at(2));
  assert.deepEqual(trends.of('yard').state, []);
});
