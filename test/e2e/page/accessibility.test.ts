/** What can be measured of accessibility: axe-core in every view and both themes, text sizes, no sideways scrolling on a phone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { axeViolations } from './axe.ts';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => {
  fixture = await openFixture();
});
after(() => fixture.close());

type View = { name: string; query: string; ready: string; act?: (page: Page) => Promise<void> };
const views: View[] = [
  { name: 'wall in trouble', query: 'fake=20&trouble=1&fps=1#/', ready: '.away' },
  { name: 'list', query: 'fake=20&trouble=1&fps=1#/cameras', ready: '.summary-item.tone-bad' },
  { name: 'single view', query: 'fake=4&fps=1#/camera/lobby', ready: '.journal-row' },
  { name: 'add dialog', query: 'fake=4&fps=1#/', ready: '.modal .verdict', act: async (page) => {
    await page.locator('[data-tile]').first().waitFor();
    await page.keyboard.press('a');
    await page.getByLabel('Address').fill('rtsp://camera/');
    await page.keyboard.press('Enter');
  } },
  { name: 'keys dialog', query: 'fake=4&fps=1#/', ready: '.keys', act: async (page) => {
    await page.locator('[data-tile]').first().waitFor();
    await page.keyboard.press('?');
  } },
  { name: 'login', query: 'fake=4&login=0', ready: '.login' },
  { name: 'empty wall', query: 'fake=0#/', ready: '.message' },
  { name: 'lost connection', query: 'fake=4&fps=1#/', ready: '.banner-bad', act: async (page) => {
    await page.locator('[data-tile]').first().waitFor();
    await page.evaluate(() => window.fake.offline(true));
  } },
];

for (const view of views) {
  for (const theme of ['light', 'dark'] as const) {
    test(`axe finds nothing in the ${view.name}, ${theme}`, async () => {
      const { page } = await show(view, { ...desktop, theme });
      assert.deepEqual(await axeViolations(page), []);
      await page.close();
    });
  }

  test(`${view.name}: no text is smaller than 12 px, and nothing scrolls sideways at 360 px`, async () => {
    const { page } = await show(view, phone);
    const small = await page.evaluate(() => {
      const found: string[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement!;
        if (!node.textContent?.trim() || !element.checkVisibility()) continue;
        if (Number.parseFloat(getComputedStyle(element).fontSize) < 12) found.push(`${element.className}: ${node.textContent}`);
      }
      return found;
    });
    assert.deepEqual(small, []);
    const wide = await page.evaluate(() => [...document.querySelectorAll('html, body, main, .modal')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => `${element.tagName} ${element.className} ${element.scrollWidth}`));
    assert.deepEqual(wide, []);
    await page.close();
  });
}

test('single view on a phone shows the whole name of a camera, whatever its state', async () => {
  const { page } = await fixture.open('fake=20&trouble=1&fps=1#/camera/junction', phone);
  const name = page.locator('.stage-head h1');
  await name.waitFor();
  assert.ok(await name.evaluate((element) => element.scrollWidth <= element.clientWidth), await name.textContent() ?? '');
  await page.close();
});

async function show({ query, ready, act }: View, look: typeof desktop): Promise<{ page: Page }> {
  const { page } = await fixture.open(query, look);
  await act?.(page);
  await page.locator(ready).first().waitFor();
  return { page };
}
