/** The list with a large fleet: what is out of sight costs nothing, filters, selection and commands for many. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { describe } from '../../../visualizer/src/models/describe.ts';
import { eventually } from '../../support/eventually.ts';
import { startFlappingFleet } from '../../support/flapping-fleet.ts';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture.close());

test('of 500 cameras that change all the time only those near the screen have a row, and the others their place', async () => {
  const { page, problems } = await fixture.open('fake=500&flap=20&fps=1#/cameras');
  await page.locator('tbody tr[data-state]').first().waitFor();
  const table = page.locator('.table');
  assert.equal(await table.getAttribute('aria-rowcount'), '501');
  const rows = page.locator('tbody tr[data-camera]');
  const indices = (): Promise<number[]> => rows.evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-rowindex'))));
  const first = await indices();
  assert.ok(first.length > 10 && first.length < 60, `${first.length} rows`);
  assert.deepEqual(first, first.map((_, place) => place + 2));
  const places = (): Promise<number> => page.locator('.table-frame').evaluate((frame) => frame.scrollHeight);
  const height = await places();
  // Chromium rounds the borders of a table now up, now down.
  const tolerancePx = 4;
  await page.locator('.table-frame').evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
  await page.locator('tr[aria-rowindex="501"] a').waitFor();
  const last = await indices();
  assert.ok(last.length < 60 && last[0]! > 400, `${last.length} rows from ${last[0]}`);
  assert.ok(Math.abs(await places() - height) <= tolerancePx, 'a row has the height of its place');
  // By keyboard, the last link of the list leads to the one before it, and the list comes along.
  await page.locator('tr[aria-rowindex="501"] a').focus();
  for (let nth = 0; nth < 12; nth += 1) {
    const at = await page.evaluate(() => document.activeElement?.closest('tr')?.getAttribute('aria-rowindex'));
    await page.keyboard.press('Shift+Tab');
    while (await page.evaluate(() => document.activeElement?.closest('tr')?.getAttribute('aria-rowindex')) === at) await page.keyboard.press('Shift+Tab');
  }
  assert.equal(await page.evaluate(() => document.activeElement?.closest('tr')?.getAttribute('aria-rowindex')), '489');
  assert.deepEqual(problems, []);
  await page.close();
});

test('the list is filtered by state, and says when none is in it', async () => {
  const { page } = await fixture.open('fake=20&fps=1#/cameras');
  await page.locator('tbody tr[data-state]').first().waitFor();
  await page.evaluate(() => window.fake.set('lobby', { state: 'backoff', class: 'reset', message: 'ECONNRESET', retryInMs: 9_000, attempt: 1 }));
  await page.getByRole('button', { name: /^Reconnecting/u }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.locator('tr[data-camera="lobby"]', { hasText: /next try in \d s/u }).waitFor();
  await page.getByRole('button', { name: /^Quarantined/u }).click();
  await page.getByText('No camera is in this state').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForFunction(() => document.querySelector('.table')?.getAttribute('aria-rowcount') === '21');
  await page.close();
});

test('a row says what the camera is turned into and which processes carry it, and is sorted by them; its next try counts down', async () => {
  const { page, problems } = await fixture.open('fake=20&fps=1#/cameras');
  const row = (id: string) => page.locator(`tr[data-camera="${id}"]`);
  await row('lobby').scrollIntoViewIfNeeded();
  await row('lobby').locator('[data-output]').first().waitFor();
  const heads = await page.locator('thead th').allInnerTexts();
  assert.deepEqual(heads.map((head) => head.replace(/[↑↓]/u, '').trim()).filter(Boolean), ['Camera', 'State', 'For', 'Reason', 'Last frame', 'Stream', 'Outputs', 'Viewers', 'Restarts', 'Processes', 'Commands']);
  assert.match(await row('lobby').innerText(), /Mbit\/s\s+\d+ fps/u);
  assert.deepEqual(await row('lobby').locator('[data-output]').evaluateAll((all) => all.map((each) => each.getAttribute('title'))), ['WebRTC: H.264 without B-frames', 'HLS: at rest']);
  assert.match(await row('lobby').getByTitle('Host, process 4103').innerText(), /^4103 61 MB$/u);
  assert.equal(await row('lobby').getByTitle('Media worker, process 3989').innerText(), 'worker 3989');
  await page.getByRole('button', { name: 'Processes' }).click();
  await page.locator('tbody tr:first-child[data-camera="server-room"]').waitFor();
  await page.getByRole('button', { name: 'Camera', exact: true }).click();
  await page.evaluate(() => window.fake.set('lobby', { state: 'backoff', class: 'reset', message: 'ECONNRESET', retryInMs: 9_000, attempt: 1 }));
  await row('lobby').scrollIntoViewIfNeeded();
  await row('lobby').getByText(/next try in 8 s/u).waitFor();
  await row('lobby').getByText(/next try in 7 s/u).waitFor();
  await row('lobby').getByTitle('No host').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});

for (const look of [desktop, phone]) {
  test(`selected cameras are stopped together, and only those that are shown, at ${look.width} px`, async () => {
    const { page } = await fixture.open('fake=20&fps=1#/cameras', look);
    await page.locator('tbody tr[data-state]').first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Stop selected' }).isDisabled(), true);
    for (const id of ['lobby', 'front-gate']) {
      await reach(page, id);
      await page.locator(`tr[data-camera="${id}"] input`).check();
    }
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Stop selected' }).click();
    await page.getByText('Stop was sent to 2 cameras.').waitFor();
    assert.deepEqual(await page.evaluate(() => window.fake.calls.filter((call) => call.startsWith('stop')).sort()), ['stop front-gate', 'stop lobby']);
    await page.getByRole('button', { name: /^Live/u }).click();
    await page.getByText('None selected').waitFor();
    await page.close();
  });
}

/** Turns the wheel over the list until the camera has a row. */
async function reach(page: Page, id: string): Promise<void> {
  const row = page.locator(`tr[data-camera="${id}"]`);
  await page.locator('tbody tr[data-camera] a').first().hover();
  await eventually(async () => {
    if (await row.count() > 0) return true;
    await page.mouse.wheel(0, 300);
    return false;
  }, { intervalMs: 50, what: `a row of ${id}` });
  await row.scrollIntoViewIfNeeded();
}

test('500 cameras flap over the real connection, and when they rest the page shows what the server has', async () => {
  const fleet = await startFlappingFleet({ count: 500, dist: fixture.site.dist });
  const { page, problems } = await fixture.browser.open(fleet.loginLink, desktop);
  try {
    await page.getByRole('link', { name: 'Cameras', exact: true }).click();
    await page.locator('tbody tr[data-state]').first().waitFor();
    await page.getByRole('button', { name: 'State' }).click();
    const stop = fleet.flap(500);
    const first = [...fleet.script.cameras.keys()][0]!;
    await eventually(() => (fleet.script.cameras.get(first)?.restarts ?? 0) >= 1, { what: 'a camera to go through all states', timeoutMs: 30_000 });
    stop();
    const views = [...fleet.script.cameras.values()];
    const counts = ['live', 'busy', 'warn'].map((tone) => views.filter((view) => describe(view, 0).tone === tone).length);
    assert.ok(counts.every((count) => count > 20), `every state has cameras: ${counts.join()}`);
    await page.waitForFunction((wanted) => ['Live', 'Connecting', 'Reconnecting'].every((word, index) => [...document.querySelectorAll('.choice-chip')].some((chip) => chip.textContent === `${word} ${wanted[index]}`)), counts);
    const order = ['backoff', 'connecting', 'streaming'];
    const wanted = views.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.id.localeCompare(b.id)).map(({ id, state }) => ({ id, state: state as string }));
    const rows = (): Promise<{ id: string | null; state: string | null }[]> => page.locator('tbody tr[data-camera]').evaluateAll((all) => all.map((row) => ({ id: row.getAttribute('data-camera'), state: row.getAttribute('data-state') })));
    await eventually(async () => (await rows()).every(({ id }, index) => id === wanted[index]?.id), { what: 'the rows to be in their order' });
    const near = (await rows()).map(({ state }, index) => [wanted[index]?.state, state]);
    assert.ok(near.length > 10 && near.length < 60 && near.every(([server, shown]) => server === shown), JSON.stringify(near));
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
    await fleet.close();
  }
});
