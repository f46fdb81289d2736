import { setTimeout as sleep } from 'node:timers/promises';
import { setPriority } from 'node:os';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { openBrowser } from '../e2e/page/browser.ts';
import { join } from 'node:path';
const ids = Array.from({ length: 8 }, (_, index) => `camera${index}`);
await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' as const })) });
await using lookout = await startLookout({ config: { faults: { enabled: true }, supervision: { intensity: { failures: 10_000 } } } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), transport: 'tcp' });
for (const id of ids) await lookout.until(id, 'streaming.live');
setPriority(10);
const browser = await openBrowser();
await browser.context.addInitScript({ path: join(import.meta.dirname, '../support/page-observer.js') });
let log: { at: number; dir: string; text: string }[] = [];
browser.context.on('page', (page) => page.on('websocket', (ws) => { if (!ws.url().includes('socket.io')) return; ws.on('framesent', (f) => log.push({ at: Date.now(), dir: '>', text: String(f.payload) })); ws.on('framereceived', (f) => log.push({ at: Date.now(), dir: '<', text: String(f.payload) })); }));
const { page } = await browser.open(lookout.loginLink, { width: 1280, height: 800, theme: 'dark' });
await sleep(8000);
for (let n = 0; n < Number(process.argv[2] ?? 5); n += 1) {
  await sleep(11_000);
  const cameras = await lookout.cameras();
  const victim = cameras[n % cameras.length]!;
  const shared = cameras.filter(({ worker }) => worker?.pid === victim.worker?.pid).map(({ id }) => id);
  log = [];
  await page.evaluate(() => (globalThis as any).lookoutTest.frames());
  const began = Date.now();
  await lookout.api('POST', `/api/v1/cameras/${victim.id}/faults`, { body: { fault: 'kill-worker' } });
  await sleep(7000);
  const frames = await page.evaluate(() => (globalThis as any).lookoutTest.frames()) as Record<string, number[]>;
  console.log(`--- ${n} shared ${shared.join(',')}`);
  for (const id of shared) {
    const times = (frames[id] ?? []).map((t) => Math.round(t - began)).sort((a, b) => a - b);
    let gap = 0; let at = 0; times.forEach((t, i) => { const d = t - (times[i - 1] ?? 0); if (d > gap) { gap = d; at = t; } });
    console.log(id, 'frames', times.length, 'longest gap', gap, 'ends', at, gap > 1200 ? 'SLOW' : '');
  }
  const slow = true;
  if (slow) for (const { at, dir, text } of log) if (/\/viewer/.test(text)) console.log('   ', at - began, dir, text.slice(0, 130).replace(/\n/g, ' '));
}
await browser.close();
