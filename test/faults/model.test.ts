/** Paths of the camera chart, walked on the real program with simulated cameras: every short one here, all of them in `test/long`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelPaths, told } from '../support/camera-model.ts';
import { walkPaths } from '../support/model-run.ts';

const paths = modelPaths();

test('the model visits every rest of a camera, and every failure it can be given', () => {
  const rests = new Set(paths.flatMap(({ steps }) => steps.map(({ rest }) => `${rest.at} ${rest.class ?? ''}`.trim())));
  assert.deepEqual([...rests].sort(), ['down auth', 'down booting', 'down refused', 'down server-error', 'down silent', 'live', 'stalled', 'stopped']);
});

test('wherever one or two steps lead the chart, they lead the real camera', async (t) => {
  const short = paths.filter(({ steps }) => steps.length <= 2);
  t.diagnostic(`${short.length} of ${paths.length} paths`);
  assert.deepEqual(await walkPaths(short, 8), [], short.map(told).join('\n'));
});
