/** Walls in a real browser on the real program: 4 × 720p and 20 × 360p that all go on, and nothing for axe-core to find. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { frameRates } from './frames.ts';
import { axeViolations } from './page/axe.ts';
import { openBrowser, type Browser } from './page/browser.ts';

const clips360 = ['entrance-360p-baseline', 'parking-360p-main', 'dock-360p-high', 'server-360p-main'];
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `camera${String(index).padStart(2, '0')}`);

let browser: Browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

type Wall = AsyncDisposable & { cameras: SimulatorProcess; lookout: Lookout; page: Page };

/** Cameras, program and an open wall. Cameras alternate between TCP and UDP. */
async function openWall(videos: string[]): Promise<Wall> {
  const ids = names(videos.length);
  const stack = new AsyncDisposableStack();
  const cameras = stack.use(await startSimulator({ mounts: videos.map((video, index) => ({ name: ids[index]!, video, phase: 'random' as const })) }));
  const lookout = stack.use(await startLookout());
  await Promise.all(ids.map((id, index) => lookout.add({ id, url: cameras.url(id), transport: index % 2 === 0 ? 'tcp' : 'udp' })));
  for (const id of ids) await lookout.until(id, 'streaming.live', 30_000);
  const { page } = await browser.open(lookout.loginLink, { width: 1600, height: 900, theme: 'dark' });
  stack.defer(() => page.close());
  return { cameras, lookout, page, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/**
 * All of them go on, and none gets less than half of what the best one gets. Chromium decodes in software here: how many
 * frames a second that gives depends on the machine, and is for people to read. `live.test.ts` has four at their frame rate.
 */
async function assertFair(t: TestContext, page: Page, cameras: number): Promise<void> {
  const rates = await frameRates(page, { cameras, frames: 75 });
  const told = Object.values(rates).map((rate) => rate.toFixed(1)).join(' ');
  t.diagnostic(`${told} frames a second`);
  const best = Math.max(...Object.values(rates));
  assert.deepEqual(Object.entries(rates).filter(([, rate]) => rate < best / 2).map(([id]) => id), [], told);
}

const lossless = async (lookout: Lookout): Promise<void> => {
  const { producers } = await lookout.sfu();
  assert.deepEqual(producers.filter(({ packetsLost }) => packetsLost > 0).map(({ camera, packetsLost }) => `${camera}: ${packetsLost}`), []);
};

test('four 720p cameras play in one page, none is starved by the others, and nothing is lost before the SFU', async (t) => {
  await using wall = await openWall(['street-720p-main', 'yard-720p-high', 'street-720p-main', 'yard-720p-high']);
  await assertFair(t, wall.page, 4);
  await lossless(wall.lookout);
});

describe('twenty 360p cameras in one page', () => {
  let wall: Wall;
  before(async () => {
    wall = await openWall(names(20).map((_, index) => clips360[index % clips360.length]!));
  });
  after(() => wall[Symbol.asyncDispose]());

  test('all decode, none is starved by the others, and nothing is lost before the SFU', async (t) => {
    await assertFair(t, wall.page, 20);
    await lossless(wall.lookout);
  });

  test('axe-core finds nothing on the wall and in the list, in both themes, with one camera failing', async () => {
    await wall.cameras.script('camera19', { status: { code: 401 } });
    await wall.cameras.act('camera19', { type: 'close' });
    const tile = wall.page.locator('[data-tile="camera19"] .away');
    await tile.waitFor({ timeout: 20_000 });
    for (const view of ['#/', '#/cameras', '#/camera/camera19']) {
      await wall.page.goto(`${wall.lookout.url}/${view}`);
      for (const colorScheme of ['light', 'dark'] as const) {
        await wall.page.emulateMedia({ colorScheme });
        await wall.page.locator('.tile, tbody tr, .journal-row').first().waitFor();
        assert.deepEqual(await axeViolations(wall.page), [], `${view} ${colorScheme}`);
      }
    }
  });
});
