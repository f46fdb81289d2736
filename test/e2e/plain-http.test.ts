/** The page by plain http and a name of the network, as in a house without certificates: no secure context, and the picture comes over WebRTC all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { openBrowser } from './page/browser.ts';

const name = 'lookout.test';

test('a page that is no secure context plays over WebRTC', async () => {
  await using simulator = await startSimulator({ mounts: [{ name: 'yard', video: 'tiny-320x180-main' }] });
  await using lookout = await startLookout();
  await lookout.add({ id: 'yard', url: simulator.url('yard') });
  await lookout.until('yard', 'streaming.live');
  const browser = await openBrowser({ more: [`--host-resolver-rules=MAP ${name} 127.0.0.1`] });
  try {
    const { page, problems } = await browser.open(lookout.loginLink.replace('127.0.0.1', name), { width: 800, height: 600, theme: 'dark' });
    await page.locator('.picture[data-playing="true"] video').first().waitFor();
    assert.deepEqual(await page.evaluate(() => [location.hostname, isSecureContext]), [name, false]);
    await eventually(async () => (await lookout.sfu()).consumers.some(({ camera }) => camera === 'yard'), { what: 'a consumer' });
    assert.equal(await page.locator('video').evaluateAll((videos) => videos.every((video) => (video as HTMLVideoElement).srcObject !== null)), true);
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
});
