/** The wall in real Chromium: live pictures, words for every state, a frozen picture while a camera is away. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Trouble } from '../../../visualizer/src/fake/fleet.ts';
import type { Page } from 'playwright-core';
import { openFixture, tile, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture.close());

const playing = '.picture[data-playing="true"]';

test('36 cameras all play on one screen without scrolling and without an error in the console', async () => {
  const { page, problems } = await fixture.open('fake=36&fps=1#/', { width: 1920, height: 1080, theme: 'dark' });
  await page.waitForFunction((selector) => document.querySelectorAll(selector).length === 36, playing);
  const wall = page.locator('.wall');
  assert.equal(await wall.evaluate((element) => element.scrollHeight <= element.clientHeight), true);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a tile out of sight does not play, and plays after scrolling to it', async () => {
  const { page } = await fixture.open('fake=36&fps=1#/', { width: 700, height: 500, theme: 'dark' });
  await page.locator(playing).first().waitFor();
  const last = page.locator('[data-tile]').last();
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 36);
  assert.equal(await last.locator(playing).count(), 0);
  await last.scrollIntoViewIfNeeded();
  await last.locator(playing).waitFor();
  await page.close();
});

test('a camera that loses its connection keeps its last picture, says why and counts down, and plays on by itself', async () => {
  const { page } = await fixture.open('fake=4&fps=5#/');
  const gate = page.locator(tile('front-gate'));
  await gate.locator(playing).waitFor();
  await page.evaluate(() => window.fake.set('front-gate', { state: 'backoff', class: 'reset', message: 'ECONNRESET', retryInMs: 3_000, attempt: 1 }));
  const words = gate.locator('.away');
  await words.waitFor();
  assert.match(await words.innerText(), /Reconnecting\s+Connection reset, next try in [123] s/u);
  await words.getByText('next try in 1 s').waitFor();
  await words.getByText('trying now').waitFor();
  const centre = await gate.locator('video').evaluate((video: HTMLVideoElement) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    const context = canvas.getContext('2d')!;
    context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
  assert.ok(centre.some((channel) => channel > 20), `the frozen picture is black: ${centre.join(' ')}`);
  await page.waitForFunction((selector) => Number.parseFloat(document.querySelector(`${selector} .age`)?.textContent ?? '') > 2, tile('front-gate'));
  await page.evaluate(() => window.fake.set('front-gate', null));
  await words.waitFor({ state: 'detached' });
  await page.waitForFunction((selector) => Number.parseFloat(document.querySelector(`${selector} .age`)?.textContent ?? '9') < 1, tile('front-gate'));
  await page.close();
});

test('every state has its own words', async () => {
  const { page } = await fixture.open('fake=4&fps=2#/');
  const lobby = page.locator(tile('lobby'));
  await lobby.locator(playing).waitFor();
  const cases: [Trouble, RegExp][] = [
    [{ state: 'connecting', substate: 'starting' }, /Connecting\s+Starting the stream/u],
    [{ state: 'quarantined', class: 'auth', message: '401', retryInMs: 200_000 }, /Quarantined\s+Login refused, next try in 3 min/u],
    [{ state: 'streaming', substate: 'stalled', class: 'silent', message: '' }, /Stalled\s+No fresh picture/u],
    [{ state: 'teardown', class: 'host-crash', message: '' }, /Reconnecting\s+Pipeline crashed/u],
    [{ state: 'idle' }, /Idle\s+Starts when somebody watches/u],
    [{ state: 'stopped' }, /^Stopped\s*$/u],
  ];
  for (const [trouble, words] of cases) {
    await page.evaluate((value) => window.fake.set('lobby', value), trouble);
    await lobby.locator('.away', { hasText: words }).waitFor();
  }
  await page.close();
});

test('a lost connection to the server is announced, and goes away with a fresh snapshot', async () => {
  const { page } = await fixture.open('fake=4&fps=1#/');
  await page.locator(tile('lobby')).waitFor();
  await page.evaluate(() => window.fake.offline(true));
  const banner = page.getByRole('alert').filter({ hasText: 'Connection to Lookout lost' });
  await banner.waitFor();
  // Nothing is said to be live that the page cannot know of.
  await page.locator(tile('lobby')).locator('.away', { hasText: 'No connection to Lookout' }).waitFor();
  assert.equal(await page.locator('.tile-state', { hasText: 'Live' }).count(), 0);
  await page.evaluate(() => window.fake.offline(false));
  await banner.waitFor({ state: 'detached' });
  await page.locator(tile('lobby')).locator('.tile-state', { hasText: 'Live' }).waitFor();
  await page.close();
});

test('values that change move nothing: no layout shift while cameras flap', async () => {
  const { page } = await fixture.open('fake=9&fps=2#/');
  await page.waitForFunction((selector) => document.querySelectorAll(selector).length === 9, playing);
  await page.evaluate(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push((entry as unknown as { value: number }).value))).observe({ type: 'layout-shift', buffered: false });
  });
  const boxes = (): Promise<string[]> => page.locator('.tile, .tile-name, .tile-sound, .topbar-tools').evaluateAll((all) => all.map((element) => { const { x, y, height } = element.getBoundingClientRect(); return `${x} ${y} ${height}`; }));
  const before = await boxes();
  for (const id of ['front-gate', 'lobby', 'back-fence']) await page.evaluate((name) => window.fake.set(name, { state: 'backoff', class: 'timeout', message: '', retryInMs: 2_000 }), id);
  await page.locator('.away').nth(2).getByText('trying now').waitFor();
  assert.deepEqual(await boxes(), before);
  assert.deepEqual(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts), []);
  await page.close();
});

test('a tile has a mark where its camera has sound, by mouse and by M; pressing it opens nothing, and nothing is heard before', async () => {
  const { page, problems } = await fixture.open('fake=9&fps=1#/');
  await page.locator(playing).nth(8).waitFor();
  const marks = (): Promise<string[]> => page.locator('button.tile-sound').evaluateAll((all) => all.map((each) => `${each.parentElement!.querySelector<HTMLElement>('[data-tile]')!.dataset['tile']} ${(each as HTMLElement).dataset['sound']}`));
  assert.deepEqual((await marks()).sort(), ['front-gate off', 'harbour-east off', 'main-street off'], 'those of the fleet that send sound');
  await page.getByRole('button', { name: 'Listen to Front gate' }).click();
  await page.getByRole('status').filter({ hasText: 'Front gate: The demonstration has no sound.' }).waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Mute Front gate' }).click();
  await page.getByRole('button', { name: 'Listen to Front gate' }).waitFor();
  await page.locator(tile('main-street')).focus();
  await page.keyboard.press('m');
  await page.getByRole('button', { name: 'Mute Main street' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Mute Main street');
  await page.locator(tile('lobby')).focus();
  await page.keyboard.press('m');
  assert.equal(new URL(page.url()).hash, '#/');
  assert.deepEqual(problems, []);
  await page.close();
});

const order = (page: Page): Promise<string[]> => page.locator('[data-tile]').evaluateAll((tiles) => tiles.map((each) => (each as HTMLElement).dataset['tile'] ?? ''));

test('tiles are arranged by dragging and by keyboard, remembered, and put back', async () => {
  const { page, problems } = await fixture.open('fake=4&fps=1#/');
  await page.locator(playing).nth(3).waitFor();
  const [first = '', second = '', third = '', fourth = ''] = await order(page);
  await page.locator(tile(first)).dragTo(page.locator(tile(third)));
  assert.deepEqual(await order(page), [second, third, first, fourth]);
  await page.locator(tile(first)).focus();
  await page.keyboard.press('Shift+ArrowRight');
  await page.locator(`[data-tile="${first}"]:focus`).waitFor();
  assert.deepEqual(await order(page), [second, third, fourth, first]);
  assert.match(await page.locator('.wall [role="status"]').innerText(), /is in place 4 now/u);

  await page.fill('#search', await page.locator(tile(third)).locator('.tile-name').innerText());
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 1);
  await page.fill('#search', '');
  await page.waitForFunction(() => document.querySelectorAll('[data-tile]').length === 4);
  assert.deepEqual(await order(page), [second, third, fourth, first], 'a search forgets nothing');
  assert.deepEqual(JSON.parse(await page.evaluate(() => localStorage.getItem('lookout.arrangement') ?? '[]')), [second, third, fourth, first]);

  await page.click('[data-action="reset-order"]');
  assert.deepEqual(await order(page), [first, second, third, fourth]);
  assert.equal(await page.locator('[data-action="reset-order"]').count(), 0);
  assert.equal(await page.evaluate(() => localStorage.getItem('lookout.arrangement')), null);
  assert.deepEqual(problems, []);
  await page.close();
});
