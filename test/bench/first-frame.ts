/**
 * Joins at random phases in a real browser: from the request to the first painted frame, as the page itself reports it, for GOPs of
 * 1, 2, 4 and 10 s, with primers and without.
 * Usage: npm run bench -- first-frame [joins=30]
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from '../e2e/page/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const [joins = 30] = process.argv.slice(2, 3).map(Number);
const targetMs = 300;
const gops = { 1: 'server-360p-main', 2: 'parking-360p-main', 4: 'gop4s-360p-main', 10: 'gop10s-360p-main' } as const;

/** How often the page has reported a first frame, and the sum of what it reported, as the metrics have it. */
async function reported({ url }: Lookout): Promise<{ count: number; seconds: number }> {
  const text = await (await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  const read = (what: string): number => Number(new RegExp(`^vms_media_viewer_first_frame_seconds_${what} (\\S+)`, 'mu').exec(text)?.[1] ?? 0);
  return { count: read('count'), seconds: read('sum') };
}

async function measure(video: string, most: number): Promise<number[]> {
  await using simulator = await startSimulator({ mounts: [{ name: 'camera', video }] });
  await using lookout = await startLookout({ config: { primers: { most } } });
  await lookout.add({ id: 'camera', url: simulator.url('camera'), transport: 'tcp' });
  await eventually(async () => (await lookout.camera('camera')).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: 'a first keyframe' });
  const browser = await openBrowser();
  try {
    const { page } = await browser.open('about:blank', { width: 1280, height: 800, theme: 'dark' });
    await page.goto(lookout.loginLink);
    const taken: number[] = [];
    let before = { count: 0, seconds: 0 };
    // The first join also fetches the page and starts the primers' thread.
    for (let join = 0; join <= joins; join += 1) {
      const now = await eventually(async () => {
        const read = await reported(lookout);
        return read.count > before.count ? read : undefined;
      }, { timeoutMs: 30_000, intervalMs: 50, what: 'a first frame' });
      if (join > 0 && now) taken.push(Math.round((now.seconds - before.seconds) * 1_000));
      before = now ?? before;
      await sleep(randomInt(200, 1_200));
      if (join < joins) await page.reload();
    }
    return taken.sort((a, b) => a - b);
  } finally {
    await browser.close();
  }
}

const rank = (sorted: number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
const results = [];
for (const [gop, video] of Object.entries(gops)) {
  for (const [primers, most] of [['with', 64], ['without', 0]] as const) {
    const taken = await measure(video, most);
    console.log(`GOP ${gop} s, ${primers} primers: ${taken.join(', ')} ms`);
    results.push({ gopSeconds: Number(gop), primers, p50: rank(taken, 0.5), p95: rank(taken, 0.95), last: rank(taken, 1) });
  }
}
console.log(`${joins} joins each, ms from the request to the first painted frame (target with primers: p95 ${targetMs})`);
console.table(results);
console.log(JSON.stringify({ bench: 'first-frame', joins, targetMs, results }));
process.exitCode = results.every(({ primers, p95 }) => primers === 'without' || p95 <= targetMs) ? 0 : 1;
