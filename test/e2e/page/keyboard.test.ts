/** Everything without a mouse: wall, single view, search, dialogs, login. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openFixture, tile, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture.close());

const focusedTile = (page: Page): Promise<string | null> => page.evaluate(() => document.activeElement?.getAttribute('data-tile') ?? null);

test('arrows move between tiles, Enter opens one, arrows go to its neighbours, Esc returns to its tile', async () => {
  const { page } = await fixture.open('fake=4&fps=1#/');
  await page.locator('[data-tile]').nth(3).waitFor();
  const order = await page.locator('[data-tile]').evaluateAll((tiles) => tiles.map((element) => element.getAttribute('data-tile')));
  await page.locator('[data-tile]').first().focus();
  for (const [key, index] of [['ArrowRight', 1], ['ArrowDown', 3], ['ArrowLeft', 2], ['ArrowUp', 0], ['ArrowUp', 0], ['End', 3], ['Home', 0], ['ArrowRight', 1]] as const) {
    await page.keyboard.press(key);
    assert.equal(await focusedTile(page), order[index], `after ${key}`);
  }
  await page.keyboard.press('Enter');
  await page.locator('.single h1', { hasText: 'Harbour east' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator('.single h1', { hasText: 'Loading dock' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.locator('.single h1', { hasText: 'Harbour east' }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction((id) => document.activeElement?.getAttribute('data-tile') === id, order[1]);
  await page.close();
});

test('the wall is one stop of the Tab key, not one per camera', async () => {
  const { page } = await fixture.open('fake=20&fps=1#/');
  await page.locator(tile('lobby')).waitFor();
  assert.equal(await page.locator('.tile[tabindex="0"]').count(), 1);
  await page.close();
});

test('/ searches, Esc empties the search, ? shows the keys, t changes the theme, c shows the list', async () => {
  const { page } = await fixture.open('fake=20&fps=1#/');
  await page.locator(tile('lobby')).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('warehouse');
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 2);
  await page.keyboard.type(' nowhere');
  await page.getByText('No camera matches').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 20);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('c');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.locator('[data-tile]').count(), 20, 'a key pressed in a dialog must not leave the wall');
  await page.keyboard.press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'light');
  await page.keyboard.press('c');
  await page.locator('.table[aria-rowcount="21"] tbody tr[data-camera] a').first().waitFor();
  await page.keyboard.press('?');
  await page.getByLabel('Shortcuts of one character').uncheck();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'light', 'the switch turns single characters off');
  await page.keyboard.press('Escape');
  await page.locator('[data-tile]').first().waitFor();
  await page.close();
});

test('a camera is added with the keyboard: mistakes beside the field, a look first, then the camera', async () => {
  const { page } = await fixture.open('fake=4&fps=1#/');
  await page.locator(tile('lobby')).waitFor();
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Add camera' });
  await dialog.waitFor();
  await page.keyboard.type('http://camera/');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'must begin with rtsp://' }).waitFor();
  const address = dialog.getByLabel('Address');
  assert.equal(await address.getAttribute('aria-invalid'), 'true');
  await address.fill('rtsp://');
  await address.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'needs at least a host' }).waitFor();
  await address.fill('rtsp://nowhere/');
  await address.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'Connection to nowhere:554 refused.' }).waitFor();
  await address.fill('rtsp://user:secret@192.168.1.20/stream1');
  await address.press('Enter');
  await dialog.getByText('H.264 · main · 1920 × 1080').waitFor();
  await dialog.getByRole('img', { name: 'What the camera shows' }).waitFor();
  await dialog.getByLabel('Name').fill('New one');
  await dialog.getByLabel('Name').press('Enter');
  await page.locator('.single h1', { hasText: 'New one' }).waitFor();
  assert.equal(await page.getByText('secret').count(), 0);
  await page.close();
});

test('removing a camera asks first, keeps it on Esc, and returns to the wall afterwards', async () => {
  const { page } = await fixture.open('fake=4&fps=1#/camera/lobby');
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog', { name: 'Remove camera' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(await page.evaluate(() => window.fake.calls.filter((call) => call.startsWith('remove'))), []);
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 3);
  await page.close();
});

test('the login form says when a token is wrong, and the login link disappears from the address bar', async () => {
  const { page } = await fixture.open('fake=4&fps=1&login=0');
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'This token is not valid.' }).waitFor();
  await page.close();
  const { page: linked } = await fixture.open('fake=4&fps=1&login=0#token=correct-token');
  await linked.locator(tile('lobby')).waitFor();
  assert.equal(new URL(linked.url()).hash, '#/');
  await linked.close();
});
