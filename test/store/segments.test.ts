/** The index of recordings on a real database. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/index.ts';
import type { Segment, Store } from '../../src/store/types.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';

const segment = (camera: string, startAt: number, changes: Partial<Segment> = {}): Segment => ({
  id: `${camera}-${startAt}`, camera, path: `${camera}/${startAt}.mkv`, startAt, endAt: startAt + 1_000, durationMs: 1_000, bytes: 100, frames: 25, codec: 'V_MPEG4/ISO/AVC', width: 320, height: 180, sound: null, closed: true, gapBefore: null, ...changes,
});

async function segments(t: TestContext): Promise<Store['segments']> {
  const store = await openStore({ dir: await temporaryDir(t), log: createLog({ level: 'silent' }) });
  defer(t, () => store.close());
  return store.segments;
}

describe('the index of recordings', () => {
  test('gives back what it got, and the last word about a recording stands', async (t) => {
    const index = await segments(t);
    const open = segment('gate', 5_000, { endAt: null, closed: false, gapBefore: { from: 1_000, ms: 4_000, class: 'reset', code: 'x', message: 'y' } });
    await index.put(open);
    assert.deepEqual(await index.get(open.id), open);
    const closed = { ...open, endAt: 6_000, sound: 'PCMU', closed: true, path: 'gate/final.mkv' };
    await index.put(closed, segment('yard', 1));
    assert.deepEqual(await index.get(open.id), closed);
    await index.remove(open.id, 'yard-1');
    assert.deepEqual([await index.get(open.id), await index.list({ limit: 10 })], [undefined, []]);
  });

  test('lists what overlaps a span, newest first; one that is being written reaches into the future', async (t) => {
    const index = await segments(t);
    await index.put(segment('gate', 1_000), segment('gate', 2_000), segment('yard', 2_500), segment('gate', 3_000, { endAt: null, closed: false }));
    const starts = async (query: { cameras?: string[]; from?: number; to?: number }): Promise<number[]> => (await index.list({ ...query, limit: 10 })).map(({ startAt }) => startAt);
    assert.deepEqual(await starts({}), [3_000, 2_500, 2_000, 1_000]);
    assert.deepEqual(await starts({ cameras: ['gate'] }), [3_000, 2_000, 1_000]);
    assert.deepEqual(await starts({ from: 2_000, to: 2_600 }), [2_500, 2_000]);
    assert.deepEqual(await starts({ from: 1_999, to: 2_000 }), [1_000]);
    assert.deepEqual(await starts({ from: 99_999 }), [3_000]);
  });

  test('pages hold every recording once, also where several begin at the same moment', async (t) => {
    const index = await segments(t);
    const all = Array.from({ length: 60 }, (_, i) => segment(`c${i % 6}`, 1_000 + Math.floor(i / 20)));
    await index.put(...all.map((entry, i) => ({ ...entry, id: `c${String(i).padStart(2, '0')}-${entry.startAt}`, path: `${i}` })));
    const seen: string[] = [];
    for (let after: { id: string; startAt: number } | undefined; ;) {
      const page = await index.list({ limit: 7, ...(after ? { after } : {}) });
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1);
      if (page.length < 7) break;
    }
    assert.deepEqual([seen.length, new Set(seen).size], [60, 60]);
  });

  test('knows the one before, the oldest closed ones, and how much each camera has', async (t) => {
    const index = await segments(t);
    await index.put(segment('gate', 1_000), segment('gate', 2_000, { bytes: 50 }), segment('gate', 3_000, { closed: false, endAt: null }), segment('yard', 500));
    assert.equal((await index.before('gate', 3_000))?.startAt, 2_000);
    assert.equal(await index.before('gate', 1_000), undefined);
    assert.deepEqual((await index.oldest(null, 2)).map(({ startAt }) => startAt), [500, 1_000]);
    assert.deepEqual((await index.oldest('gate', 10)).map(({ startAt }) => startAt), [1_000, 2_000]);
    assert.deepEqual(await index.usage(), [{ camera: 'gate', bytes: 150, files: 2, oldestAt: 1_000 }, { camera: 'yard', bytes: 100, files: 1, oldestAt: 500 }]);
  });
});
