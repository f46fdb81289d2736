/** Changing a camera in the page: filled in, only what was touched is sent, mistakes beside their field; the schedule of the real program. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLookout } from '../../support/lookout.ts';
import { axeViolations } from './axe.ts';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';

let fixture: Fixture;
before(async () => { fixture = await openFixture(); });
after(() => fixture?.close());

test('the form is filled with what the camera has, sends only what was touched, and puts each mistake beside its field', async () => {
  const { page, problems } = await fixture.open('fake=4&fps=1#/camera/lobby', phone);
  await page.getByRole('button', { name: 'Change' }).click();
  assert.equal(await page.locator('#change-name').inputValue(), 'Lobby');
  assert.equal(await page.locator('#change-url').inputValue(), '', 'nobody is shown an address that may hold a password');
  await page.locator('#change-url').fill('http://camera/');
  await page.locator('#change-name').fill(' ');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#change-url-hint', { hasText: 'must begin with rtsp://' }).waitFor();
  await page.locator('#change-name-hint', { hasText: 'Enter a name.' }).waitFor();
  await page.locator('#change-url').fill('');
  await page.locator('#change-name').fill('refused');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#change-name-hint', { hasText: 'The name is taken.' }).waitFor();
  await page.locator('#change-record').selectOption('scheduled');
  assert.deepEqual(await axeViolations(page), []);
  const wide = await page.evaluate(() => [...document.querySelectorAll('html, body, .modal')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.className));
  assert.deepEqual(wide, []);
  await page.getByRole('button', { name: 'Remove times 1' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'there must be a row' }).waitFor();
  await page.locator('#change-record').selectOption('manual');
  await page.locator('#change-name').fill('Lobby west');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Lobby west' }).waitFor();
  assert.equal((await page.evaluate(() => window.fake.calls.filter((call) => call.startsWith('change')))).at(-1), 'change lobby {"name":"Lobby west","outputs":{"record":{"mode":"manual"}}}');
  assert.deepEqual(problems, []);
  await page.close();
});

test('in the program: a schedule made in the page is what the camera has, and its address stays', { timeout: 60_000 }, async () => {
  await using lookout = await startLookout();
  await lookout.add({ id: 'gate', name: 'Gate', url: 'rtsp://admin:hunter2-secret@127.0.0.1:9/gate', enabled: false });
  const { page } = await fixture.browser.open(lookout.loginLink, desktop);
  await page.locator('[data-tile="gate"]').click();
  await page.getByRole('button', { name: 'Change' }).click();
  await page.locator('#change-record').selectOption('scheduled');
  await page.getByRole('group', { name: 'Times 1' }).getByLabel('fri').uncheck();
  await page.getByLabel('To 1').fill('06:30');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Gate is changed.').waitFor();
  const { url, outputs: { record } } = await lookout.camera('gate');
  assert.equal(record.mode, 'scheduled');
  assert.deepEqual(record.schedule, [{ days: ['mon', 'tue', 'wed', 'thu'], from: '08:00', to: '06:30' }]);
  assert.equal(url, 'rtsp://127.0.0.1:9/gate');
  assert.ok((await lookout.events('gate')).some(({ type, message }) => type === 'camera.changed' && message === 'Changed: outputs.'), 'the address was not sent');
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('group', { name: 'Times 1' }).waitFor();
  assert.equal(await page.getByLabel('To 1').inputValue(), '06:30');
  await page.close();
});
