/** The last hour in Chromium: charts and their words, what the page adds itself, and that their library is not part of the first load. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { appended, pointsOf, shares, stretches } from '../../../visualizer/src/trends/points.ts';
import { axeViolations } from './axe.ts';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture?.close());

const trend = { camera: 'gate', from: '2026-01-01T00:00:00.000Z', stepMs: 5_000, bitrate: [1, null], fps: [25, null], packetAgeMs: [10, 5_000], restarts: [0, 1], state: ['live' as const, 'backoff' as const] };
const begin = Date.parse(trend.from) / 1_000;

test('columns grow at the end, never back in time, and lose what is older than an hour', () => {
  const points = pointsOf(trend);
  const more = appended(points, { at: begin + 10, values: { bitrate: 2 }, state: 'live' });
  assert.deepEqual([more.at, more.columns['bitrate'], more.columns['fps'], more.states], [[begin, begin + 5, begin + 10], [1, null, 2], [25, null, null], ['live', 'backoff', 'live']]);
  assert.equal(appended(more, { at: begin + 7, values: {} }).at.length, 3);
  assert.deepEqual(appended(more, { at: begin + 3_607, values: {}, state: 'off' }).states, ['live', 'off']);
  assert.deepEqual(stretches(more, begin + 20).map(({ state, from, to }) => [state, from - begin, to - begin]), [['live', 0, 5], ['backoff', 5, 10], ['live', 10, 20]]);
  assert.equal(shares(stretches(more, begin + 20)), 'live 75 %, backoff 25 %');
  assert.equal(shares([{ state: 'live', from: 0, to: 3_599 }, { state: 'backoff', from: 3_599, to: 3_600 }]), 'live > 99 %, backoff < 1 %');
});

test('the last hour of a camera stands beside its picture, in words too, and goes on', async () => {
  const { page, problems } = await fixture.open('fake=4&fps=1#/camera/lobby');
  const bitrate = page.getByRole('img', { name: /^Bitrate, last hour: now [\d.]+ Mbit\/s, between/u });
  await bitrate.waitFor();
  for (const name of [/^State, last hour: live 98 %, backoff/u, /^Frames per second, last hour/u, /^Age of the last packet, last hour/u]) await page.getByRole('img', { name }).waitFor();
  assert.ok(await page.locator('[data-state-band="backoff"]').count() >= 2);
  const drawn = await bitrate.locator('canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, (canvas as HTMLCanvasElement).width, (canvas as HTMLCanvasElement).height).data.some((value) => value > 0));
  assert.ok(drawn, 'something is painted');
  await page.evaluate(() => window.fake.set('lobby', { state: 'quarantined', class: 'auth' }));
  await page.locator('[data-state-band="quarantined"]').waitFor();
  await bitrate.hover();
  await bitrate.locator('xpath=..').locator('figcaption .muted').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});

test('the fleet’s last hour stands above the list where there is room, and one key away where there is not', async () => {
  const wide = await fixture.open('fake=20&fps=1#/cameras');
  for (const name of [/^Cameras live, last hour: now 20/u, /^Bitrate, last hour/u, /^Restarts, last hour/u]) await wide.page.getByRole('img', { name }).waitFor();
  assert.deepEqual(await axeViolations(wide.page), []);
  await wide.page.close();
  const narrow = await fixture.open('fake=20&fps=1#/cameras', phone);
  await narrow.page.getByText('Last hour').waitFor();
  assert.equal(await narrow.page.evaluate(() => window.fake.calls.some((call) => call.startsWith('trends'))), false, 'nothing is asked for until it is opened');
  await narrow.page.getByText('Last hour').focus();
  await narrow.page.keyboard.press('Enter');
  await narrow.page.getByRole('img', { name: /^Cameras live/u }).waitFor();
  const wideElements = await narrow.page.evaluate(() => [...document.querySelectorAll('html, body, main')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.tagName));
  assert.deepEqual(wideElements, []);
  await narrow.page.close();
});

test('in a browser that was cut off, the hour is fetched anew', async () => {
  const { page } = await fixture.open('fake=4&fps=1#/camera/lobby', desktop);
  await page.getByRole('img', { name: /^Bitrate, last hour: now/u }).waitFor();
  const asked = (): Promise<number> => page.evaluate(() => window.fake.calls.filter((call) => call === 'trends lobby').length);
  const before = await asked();
  await page.evaluate(() => { window.fake.offline(true); window.fake.offline(false); });
  await page.waitForFunction((was) => window.fake.calls.filter((call) => call === 'trends lobby').length > was, before);
  await page.close();
});
