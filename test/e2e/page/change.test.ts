/** Adding and changing a camera in the page: a look at it first; filled in, only what was touched is sent, mistakes beside their field; the schedule of the real program. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLookout } from '../../support/lookout.ts';
import { startSimulator } from '../../support/simulator.ts';
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

test('in the program: a schedule made in the page is what the camera has, and its address stays; a sub stream comes and goes', { timeout: 60_000 }, async () => {
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
  await page.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'Change' }).click();
  const sub = page.locator('#change-sub');
  await sub.fill('http://127.0.0.1/small');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#change-sub-hint', { hasText: 'must begin with rtsp://' }).waitFor();
  await sub.fill("rtsp://127.0.0.1:9/it's");
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('#change-sub-hint', { hasText: 'percent-encode' }).waitFor();
  assert.doesNotMatch(await page.locator('#change-url-hint').textContent() ?? '', /percent-encode/u, 'what the server says of one address stands beside that one');
  await sub.fill('rtsp://admin:hunter3-secret@127.0.0.1:9/small');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Sub stream' }).waitFor();
  assert.equal((await lookout.camera('gate')).sub?.url, 'rtsp://127.0.0.1:9/small');
  await page.getByRole('button', { name: 'Change' }).click();
  assert.equal(await sub.inputValue(), '');
  await page.getByLabel('Without a sub stream from now on').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Sub stream' }).waitFor({ state: 'detached' });
  assert.equal((await lookout.camera('gate')).sub, undefined);
  await page.close();
});

test('in the program: before a camera is added the form shows a picture of it, and nowhere its password', { timeout: 60_000 }, async () => {
  await using simulator = await startSimulator({ mounts: [{ name: 'gate', video: 'parking-360p-main', auth: { scheme: 'basic', credentials: { username: 'admin', password: 'hunter4-secret' } } }] });
  await using lookout = await startLookout();
  const { page, problems } = await fixture.browser.open(lookout.loginLink, desktop);
  await page.getByRole('button', { name: 'Add camera' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add camera' });
  await dialog.getByLabel('Address').fill(simulator.url('gate'));
  await dialog.getByRole('button', { name: 'Test connection' }).click();
  const picture = dialog.getByRole('img', { name: 'What the camera shows' });
  await picture.waitFor();
  assert.deepEqual(await picture.evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }), [480, 270]);
  await dialog.getByText('H.264 · main · 640 × 360').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  assert.ok(!(await page.content()).includes('hunter4-secret') && !lookout.lines.some((line) => line.includes('hunter4-secret')));
  await dialog.getByRole('button', { name: 'Add camera' }).click();
  await page.locator('.single .picture[data-playing="true"]').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});
