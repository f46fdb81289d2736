/** Sixteen restarts of one camera leave the supervisor holding exactly what it held before; `npm run soak` does two thousand and looks at memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plot, slopeOf, soak } from '../support/soak.ts';

test('after sixteen restarts there is no descriptor, thread, actor, lease or process more, and the neighbours never noticed', async (t) => {
  const { baseline, end, samples, neighbours, seconds } = await soak({ restarts: 16, every: 8 });
  t.diagnostic(`16 restarts in ${seconds.toFixed(1)} s; memory ${samples.map(({ rssBytes }) => (rssBytes / 1_048_576).toFixed(1)).join(' → ')} MB`);
  const { restart: _first, rssBytes: _before, ...held } = baseline;
  const { restart: _last, rssBytes: _after, ...holds } = end;
  assert.deepEqual(holds, held);
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
