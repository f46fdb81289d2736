/** The list with a large fleet: what is out of sight costs nothing, filters, selection and commands for many. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture.close());

test('500 cameras that change all the time have a row each, and only those near the screen have content', async () => {
  const { page, problems } = await fixture.open('fake=500&flap=20&fps=1#/cameras');
  await page.locator('tbody tr[data-state]').first().waitFor();
  assert.equal(await page.locator('tbody tr').count(), 500);
  const filled = await page.locator('tbody tr[data-state]').count();
  assert.ok(filled > 10 && filled < 60, `${filled} rows have content`);
  const last = page.locator('tbody tr').last();
  const places = (): Promise<number> => page.locator('.table-frame').evaluate((frame) => frame.scrollHeight);
  const height = await places();
  // Chromium rounds the borders of a table now up, now down.
  const tolerancePx = 4;
  await last.scrollIntoViewIfNeeded();
  await last.locator('a').waitFor();
  await page.waitForFunction(() => document.querySelector('tbody tr')?.querySelector('a') === null);
  assert.ok(Math.abs(await places() - height) <= tolerancePx, 'no row is higher filled than empty');
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
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 20);
  await page.close();
});

for (const look of [desktop, phone]) {
  test(`selected cameras are stopped together, and only those that are shown, at ${look.width} px`, async () => {
    const { page } = await fixture.open('fake=20&fps=1#/cameras', look);
    await page.locator('tbody tr[data-state]').first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Stop selected' }).isDisabled(), true);
    for (const id of ['lobby', 'front-gate']) {
      await page.locator(`tr[data-camera="${id}"]`).scrollIntoViewIfNeeded();
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
