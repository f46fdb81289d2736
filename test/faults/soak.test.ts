/** Sixteen restarts of one camera leave the supervisor holding no more than it held before; `npm run soak` does two thousand and looks at memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plot, slopeOf, soak } from '../support/soak.ts';

test('after sixteen restarts there is no descriptor, thread, actor, lease or process more, and the neighbours never noticed', async (t) => {
  const { baseline: held, end: holds, samples, neighbours, seconds } = await soak({ restarts: 16, every: 8 });
  t.diagnostic(`16 restarts in ${seconds.toFixed(1)} s; memory ${samples.map(({ rssBytes }) => (rssBytes / 1_048_576).toFixed(1)).join(' → ')} MB`);
  // One fewer is no leak: a connection of whoever looked may still have been there at first.
  for (const what of ['descriptors', 'threads', 'actors', 'leases', 'children'] as const) assert.ok(holds[what] <= held[what], `${what}: ${held[what]} before, ${holds[what]} after`);
  assert.deepEqual(neighbours, []);
});

test('the slope of what grows is found, and that of noise is not', () => {
  const noise = (index: number): number => Math.sin(index * 12.9898) * 10;
  const flat = slopeOf(Array.from({ length: 100 }, (_, x) => ({ x, y: 500 + noise(x) })));
  assert.ok(flat.slope - flat.halfWidth <= 0);
  const growing = slopeOf(Array.from({ length: 100 }, (_, x) => ({ x, y: 500 + x + noise(x) })));
  assert.ok(growing.slope - growing.halfWidth > 0.9);
  assert.match(plot([0, 1].map((restart) => ({ restart, rssBytes: 1, descriptors: 1, threads: 1, actors: 1, leases: 1, children: 1 }))), /<polyline/u);
});
