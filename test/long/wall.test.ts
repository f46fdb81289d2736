/**
 * A wall of 36 cameras with a GOP of 10 s, of the size of a tile, as sub streams are, opened at once in a real browser: every tile has a picture
 * without waiting for its camera's next keyframe; with a budget for fewer, the others wait for that one, and nobody gets an error.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { benchClip } from '../support/bench-clips.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { watchPage, type PageViewers } from '../support/page-viewers.ts';
import { startSimulator } from '../support/simulator.ts';

const ids = Array.from({ length: 36 }, (_, index) => `cam${String(index + 1).padStart(2, '0')}`);
const gopMs = 10_000;
let cameras: SimulatorProcess & AsyncDisposable;

before(async () => {
  const video = await benchClip({ width: 320, height: 180, kbps: 80, seconds: 30, gop: 250, profile: 'main', view: 'parking', title: 'GOP 10 s' });
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video, phase: 'random' as const })) });
});
after(async () => {
  await cameras?.[Symbol.asyncDispose]();
});

type Primers = { now: number; started: number; refused: number; failed: number; bytes: number };

async function primersOf(lookout: Lookout): Promise<Primers> {
  const text = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  const value = (name: string): number => Number(new RegExp(`^vms_media_${name} (\\d+)`, 'mu').exec(text)?.[1]);
  return { now: value('primers'), started: value('primers_started_total'), refused: value('primers_refused_total'), failed: value('primers_failed_total'), bytes: value('primers_bytes_total') };
}

/** Opens the wall anew. From then to each camera's first picture, ms, sorted; and the most primers that were seen at once. */
async function openWall(lookout: Lookout, viewers: PageViewers): Promise<{ ms: number[]; most: number }> {
  await viewers.begun();
  const opened: number = await viewers.page.evaluate(`location.hash = '#/'; performance.timeOrigin + performance.now()`);
  const first = new Map<string, number>();
  let most = 0;
  await eventually(async () => {
    for (const [camera, [at = 0]] of Object.entries(await viewers.begun())) first.set(camera, Math.min(first.get(camera) ?? Infinity, at - opened));
    most = Math.max(most, (await lookout.sfu()).primers.length);
    return first.size === ids.length;
  }, { timeoutMs: gopMs * 3, intervalMs: 100, what: 'a picture of every camera' });
  return { ms: [...first.values()].map(Math.round).sort((a, b) => a - b), most };
}

/** Opens a wall of Lookout's with a budget of primers, with its page loaded before; first pictures as they came, ms. */
async function measure(budget: number, say: (text: string) => void): Promise<{ p95: number }> {
  await using lookout = await startLookout({ config: { primers: { most: budget } } });
  await Promise.all(ids.map((id) => lookout.add({ id, url: cameras.url(id), transport: 'tcp' })));
  for (const id of ids) await eventually(async () => (await lookout.camera(id)).freshness.keyframeAgeMs !== null, { timeoutMs: 40_000, what: `a keyframe of ${id}` });
  await using viewers = await watchPage(lookout.loginLink);
  await viewers.page.setViewportSize({ width: 1920, height: 1080 });
  // Once, so that the page has loaded what it needs; then everybody leaves.
  await openWall(lookout, viewers);
  await viewers.page.evaluate(`location.hash = '#/recordings'`);
  await eventually(async () => (await lookout.sfu()).consumers.length === 0 && (await lookout.sfu()).primers.length === 0, { timeoutMs: 15_000, what: 'all viewers to be gone' });

  const before = await primersOf(lookout);
  const { ms, most } = await openWall(lookout, viewers);
  const after = await primersOf(lookout);
  const share = (part: number): number => ms[Math.ceil(ms.length * part) - 1]!;
  say(`budget ${budget}: first picture p50 ${share(0.5)}, p95 ${share(0.95)}, last ${ms.at(-1)} ms; ${after.started - before.started} primers, ${most} at once, ${after.refused - before.refused} refused, ${Math.round((after.bytes - before.bytes) / 1024)} KiB`);
  assert.ok(most <= budget && most > 0, `${most} primers at once`);
  // One whose camera's next keyframe comes first needs none.
  assert.ok(after.started - before.started + (after.refused - before.refused) <= ids.length);
  assert.equal(after.failed - before.failed, 0);
  assert.equal(after.refused > before.refused, budget < ids.length);
  assert.deepEqual(viewers.problems, []);
  assert.deepEqual(lookout.lines.filter((line) => /"level":(?:50|60)|mistake of ours/u.test(line)), []);
  await eventually(async () => (await primersOf(lookout)).now === 0 && (await lookout.sfu()).primers.length === 0, { timeoutMs: gopMs * 2, what: 'the primers to be gone' });
  assert.equal((await lookout.sfu()).consumers.length, ids.length);
  return { p95: share(0.95) };
}

test('36 cameras at once: with a primer for each nobody waits for a keyframe, with 12 the others do and get no error', async (t) => {
  const say = (text: string): void => t.diagnostic(text);
  const [all, few] = [await measure(64, say), await measure(12, say)];
  // Of one run, on a machine that the browser keeps busy: a tile without a primer waits for some part of a GOP besides.
  assert.ok(few.p95 - all.p95 > gopMs / 4, `p95 ${all.p95} and ${few.p95} ms`);
});
