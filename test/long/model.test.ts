/** All paths of the camera model, every transition from every rest, on the real program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelPaths } from '../support/camera-model.ts';
import { walkPaths } from '../support/model-run.ts';

test('every path of the camera chart leads the real camera where the chart says', async () => {
  assert.deepEqual(await walkPaths(modelPaths(), 8), []);
});
