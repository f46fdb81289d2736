/** A wall of 36 real tiles: every camera plays without scrolling, one that goes away keeps its picture, and a page that is closed leaves nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodedFrames, frameRates } from '../../e2e/frames.ts';
import { openBrowser } from '../../e2e/page/browser.ts';
import { eventually } from '../../support/eventually.ts';
import { startLookout } from '../../support/lookout.ts';
import { startSimulator } from '../../support/simulator.ts';

const ids = Array.from({ length: 36 }, (_, index) => `camera${String(index).padStart(2, '0')}`);

test('36 cameras play on one wall; one that reboots says so over its last picture and plays on in its tile', { timeout: 300_000 }, async (t) => {
  await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' as const })) });
  await using lookout = await startLookout();
  for (const [index, id] of ids.entries()) await lookout.add({ id, url: simulator.url(id), transport: index % 2 === 0 ? 'tcp' : 'udp' });
  for (const id of ids) await lookout.until(id, 'streaming.live', 90_000);
  const browser = await openBrowser();
  try {
    const { page, problems } = await browser.open(lookout.loginLink, { width: 1920, height: 1080, theme: 'dark' });
    const rates = Object.values(await frameRates(page, { cameras: ids.length, frames: 100 })).toSorted((a, b) => a - b);
    t.diagnostic(`frames a second: ${rates[0]!.toFixed(1)} to ${rates.at(-1)!.toFixed(1)}`);
    assert.ok(rates[0]! > rates.at(-1)! / 2, `none is starved: ${rates.map((rate) => rate.toFixed(1)).join(' ')}`);
    assert.equal(await page.locator('.wall').evaluate((wall) => wall.scrollHeight <= wall.clientHeight), true, 'all 36 are in sight');
    await simulator.act('camera20', { type: 'reboot', seconds: 3 });
    await page.locator('[data-tile="camera20"] .away').waitFor();
    await page.locator('[data-tile="camera20"] .away').waitFor({ state: 'detached', timeout: 60_000 });
    const before = (await decodedFrames(page))['camera20'] ?? 0;
    await eventually(async () => ((await decodedFrames(page))['camera20'] ?? 0) > before + 25, { timeoutMs: 30_000, what: 'it to play on' });
    assert.deepEqual(problems, []);
    await page.close();
    await eventually(async () => (await lookout.sfu()).consumers.length === 0, { timeoutMs: 10_000, what: 'nothing to be left' });
  } finally {
    await browser.close();
  }
});
