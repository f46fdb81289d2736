/** The recordings in Chromium: a day with gaps from the fake server, and what the real program recorded, played and exported. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EventView, RecordingView } from '../../../src/api/protocol.ts';
import { gapsOf, playableAt, spansOf, ticksOf } from '../../../visualizer/src/recordings/day.ts';
import { failuresOf, marksOf } from '../../../visualizer/src/recordings/failures.ts';
import { placeOf } from '../../../visualizer/src/recordings/player.ts';
import { eventually } from '../../support/eventually.ts';
import { ffprobe } from '../../support/media-file.ts';
import { startLookout } from '../../support/lookout.ts';
import { startSimulator } from '../../support/simulator.ts';
import { axeViolations } from './axe.ts';
import type { Browser } from './browser.ts';
import { desktop, openFixture, phone, type Fixture } from './fixture.ts';
import type { Site } from './site.ts';

let browser: Browser;
let site: Site;
let fixture: Fixture | undefined;
before(async () => {
  fixture = await openFixture();
  ({ browser, site } = fixture);
});
after(() => fixture?.close());

const fake = 'fake=2&fps=1#/recordings/lobby';
const yesterday = '[aria-label="Day before"]';

test('files that follow each other are one span, gaps have their reason, and a moment in a gap plays what comes after it', () => {
  const file = (from: number, to: number | null, gapBefore: RecordingView['gapBefore'] = null): RecordingView => ({
    id: `${from}`, camera: 'gate', path: '', startAt: new Date(from).toISOString(), endAt: to === null ? null : new Date(to).toISOString(),
    durationMs: 0, bytes: 0, frames: 0, codec: null, width: null, height: null, sound: null, closed: to !== null, gapBefore,
  });
  const day = { from: 0, to: 86_400_000 };
  const gap = { from: new Date(20_000).toISOString(), to: new Date(50_000).toISOString(), durationMs: 30_000, class: 'reset', code: 'econnreset', message: null };
  const files = [file(-5_000, 10_000), file(10_010, 20_000), file(50_000, null, gap)];
  const spans = spansOf(files, day, 70_000);
  assert.deepEqual(spans, [{ from: 0, to: 20_000 }, { from: 50_000, to: 70_000 }]);
  assert.deepEqual(gapsOf(files, day), [{ from: 20_000, to: 50_000, reason: 'connection reset', message: null }]);
  assert.deepEqual([5_000, 30_000, 90_000].map((at) => playableAt(spans, at)?.from), [5_000, 50_000, 50_000]);
  assert.equal(playableAt([], 1), null);
  const film = [{ start: 0, duration: 4, programDateTime: 16_000 }, { start: 4, duration: 4, programDateTime: 50_000 }];
  assert.deepEqual([17_500, 30_000, 51_000].map((at) => placeOf(film, at)), [1.5, 4, 5]);
  assert.ok(ticksOf(day, 8).length <= 9);
});

test('a failure is marked once, whatever follows from it; those that stand close together are one mark', () => {
  const row = (seq: number, from: string | null, to: string | null, rest: Partial<EventView> = {}): EventView => ({
    seq, at: new Date(seq * 1_000).toISOString(), camera: 'gate', type: 'camera.transition', from, to, class: 'reset', code: null, message: `row ${seq}`, evidence: null, attempt: null, delayMs: null, recording: false, ...rest,
  });
  const rows = [
    row(1, null, 'connecting', { class: null }), row(2, 'streaming.live', 'teardown'), row(3, 'teardown', 'backoff'), row(4, 'backoff', 'connecting'), row(5, 'connecting', 'teardown', { class: 'timeout' }),
    row(6, null, null, { type: 'media.changed', class: 'media-changed' }), row(40, null, null, { type: 'output.lost', class: 'storage' }), row(90, 'streaming.live', 'teardown', { stream: 'sub', class: 'auth' }),
  ].toReversed();
  const failures = failuresOf(rows);
  assert.deepEqual(failures.map(({ seq, words }) => [seq, words]), [[2, 'connection reset'], [5, 'camera does not answer'], [40, 'storage not writable'], [90, 'sub stream: login refused']]);
  const seqs = (view: { from: number; to: number }, apart: number): number[][] => marksOf(failures, view, apart).map((mark) => mark.failures.map(({ seq }) => seq));
  assert.deepEqual(seqs({ from: 0, to: 100_000 }, 10_000), [[2, 5], [40], [90]]);
  assert.deepEqual(seqs({ from: 0, to: 90_000 }, 60_000), [[2, 5, 40]], 'what is out of the view has no mark');
  assert.deepEqual(seqs({ from: 2_000, to: 6_000 }, 1), [[2], [5]]);
});

for (const look of [desktop, { ...desktop, theme: 'light' as const }, phone]) {
  test(`a day with its gaps, without a finding of axe and without scrolling sideways: ${look.theme}, ${look.width} px`, async () => {
    const { page, problems } = await browser.open(site.url(fake), look);
    await page.locator(yesterday).click();
    await page.locator('[data-gap]').nth(1).waitFor({ state: 'attached' });
    assert.equal(await page.locator('[data-span]').count(), 3);
    await page.locator('.span-gap', { hasText: '12 min 00 s not recorded: connection reset' }).waitFor();
    assert.ok(await page.locator('.film-word').isVisible());
    // One alone, and four of half an hour in one mark; at 360 px too.
    assert.deepEqual(await page.locator('.failures .failure').evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset['failures'])), ['1', '4']);
    await page.locator('button.failure').click();
    assert.equal(await page.locator('.failure-list a').count(), 4);
    assert.deepEqual(await axeViolations(page), []);
    await page.keyboard.press('Escape');
    await page.locator('.failure-list').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.locator('[data-export="done"] a').waitFor();
    assert.deepEqual(await axeViolations(page), []);
    const wide = await page.evaluate(() => [...document.querySelectorAll('html, body, main')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => `${element.tagName} ${element.scrollWidth}`));
    assert.deepEqual([wide, problems], [[], []]);
    if (process.env['LOOKOUT_SHOTS']) await page.screenshot({ path: join(process.env['LOOKOUT_SHOTS'], `recordings-${look.theme}-${look.width}.png`), fullPage: true });
    await page.close();
  });
}

test('a failure on the day leads by Tab and Enter to its row in the journal; of several, each does; nothing moves', async () => {
  const { page, problems } = await fixture!.open(fake);
  await page.locator(yesterday).click();
  const marks = page.locator('.failure');
  await marks.nth(1).waitFor();
  assert.match(await marks.first().getAttribute('title') ?? '', /^Connection reset: .*\(\d{4}-\d\d-\d\d \d\d:25:00 UTC\)\. The camera closed the connection/u);
  await page.evaluate(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push((entry as unknown as { value: number }).value))).observe({ type: 'layout-shift', buffered: false });
  });
  const boxes = (): Promise<string[]> => page.locator('.line, .line-tools, .failure').evaluateAll((all) => all.map((each) => { const { x, y, width, height } = each.getBoundingClientRect(); return `${x} ${y} ${width} ${height}`; }));
  const before = await boxes();
  await page.locator('button', { hasText: 'Today' }).focus();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), '06:25:00 Connection reset');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.failure-list a').nth(3).waitFor();
  assert.deepEqual([await boxes(), await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)], [before, []]);
  for (let tabs = 0; tabs < 3; tabs += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const row = page.locator('.journal-row[aria-current="true"]:focus');
  await row.waitFor();
  assert.match(await row.innerText(), /connecting → teardown\s+timeout\s+No answer to DESCRIBE/u);
  assert.ok(await page.locator('.journal-row').count() > 6, 'its neighbours are there, too');
  assert.deepEqual(await axeViolations(page), []);
  await page.goBack();
  // The way back leads to the same day.
  await page.locator('.failure').nth(1).waitFor();
  assert.match(page.url(), /#\/recordings\/lobby\/\d{4}-\d\d-\d\d$/u);
  await page.getByRole('button', { name: 'Today' }).click();
  await page.waitForFunction(() => location.hash === '#/recordings/lobby');
  assert.deepEqual(problems, []);
  await page.close();
});

test('an export tells how far it is, is cancelled before it is done, and another one is finished and removed', async () => {
  const { page, problems } = await fixture!.open(fake);
  const button = page.getByRole('button', { name: 'Export', exact: true });
  await button.click();
  const making = page.locator('[data-export="running"]');
  await making.getByText(/^[1-9]\d %$/u).waitFor();
  const value = await making.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value);
  assert.ok(value > 0 && value < 1, String(value));
  await making.getByRole('button', { name: /^Cancel the export of/u }).click();
  await page.locator('.export').waitFor({ state: 'detached' });
  await button.click();
  await page.locator('[data-export="done"] a').waitFor();
  await page.getByRole('button', { name: /^Remove the export of/u }).click();
  await page.locator('.export').waitFor({ state: 'detached' });
  assert.deepEqual(problems, []);
  await page.close();
});

test('the player is no part of the first load', async () => {
  const html = await readFile(join(site.dist, 'index.html'), 'utf8');
  const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/gu)].map(([, path]) => path!);
  assert.ok(first.length >= 1);
  for (const path of first) assert.ok(!(await readFile(join(site.dist, path), 'utf8')).includes('EXT-X-MEDIA-SEQUENCE'), path);
});

test('in the program: a camera that was recorded shows its span, plays it by the keyboard at its time, and exports it as a file', async () => {
  await using simulator = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }] });
  await using lookout = await startLookout();
  await lookout.add({ id: 'gate', url: simulator.url('gate'), outputs: { record: { mode: 'manual', segmentSeconds: 2 } } });
  await eventually(async () => (await lookout.camera('gate')).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: 'a keyframe' });
  const files = async (): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', '/api/v1/recordings?camera=gate')).recordings.toReversed();
  await lookout.api('POST', '/api/v1/cameras/gate/recording/start');
  await eventually(async () => (await files()).filter(({ closed }) => closed).length >= 2, { timeoutMs: 60_000, what: 'two recordings' });
  await lookout.api('POST', '/api/v1/cameras/gate/recording/stop');
  await eventually(async () => (await files()).every(({ closed }) => closed), { timeoutMs: 20_000, what: 'the last one to be closed' });
  const recorded = await files();

  const { page, problems } = await browser.open(lookout.loginLink, desktop);
  await page.getByRole('link', { name: 'Recordings' }).click();
  await page.getByRole('combobox', { name: 'Camera' }).selectOption('gate');
  // Midnight may have passed since.
  if (new Date().toDateString() !== new Date(recorded[0]!.startAt).toDateString()) await page.locator(yesterday).click();
  await page.locator('[data-span]').first().waitFor({ state: 'attached' });
  await page.getByRole('slider', { name: 'Moment' }).focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(() => {
    const video = document.querySelector('video')!;
    return video.videoWidth === 320 && video.currentTime > 1;
  });
  const shown = await page.locator('.film-time time').getAttribute('datetime');
  assert.ok(shown! > recorded[0]!.startAt && shown! <= recorded.at(-1)!.endAt!, `${shown} of ${recorded[0]!.startAt} to ${recorded.at(-1)!.endAt}`);
  assert.deepEqual(await axeViolations(page), []);

  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const link = page.locator('[data-export="done"] a');
  await link.waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.match(download.suggestedFilename(), /^gate-.*\.mp4$/u);
  const { codec, frames, firstIsKeyframe } = await ffprobe(await download.path());
  assert.deepEqual([codec, firstIsKeyframe, frames], ['h264', true, recorded.reduce((sum, file) => sum + file.frames, 0)]);

  // What fails while it is looked at is marked without a word, and its row is in the journal.
  await simulator.act('gate', { type: 'reset' });
  if (new Date().toDateString() !== new Date(recorded[0]!.startAt).toDateString()) await page.getByRole('button', { name: 'Today' }).click();
  const failed = page.locator('a.failure');
  await failed.waitFor();
  await failed.focus();
  await page.keyboard.press('Enter');
  assert.match(await page.locator('.journal-row[aria-current="true"]:focus').innerText(), /streaming\.live → teardown\s+reset/u);
  assert.deepEqual(problems, []);
  await page.close();
});
