/** The recordings in Chromium: a day with gaps from the fake server, and what the real program recorded, played and exported. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RecordingView } from '../../../src/api/protocol.ts';
import { gapsOf, playableAt, spansOf, ticksOf } from '../../../visualizer/src/recordings/day.ts';
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

for (const look of [desktop, { ...desktop, theme: 'light' as const }, phone]) {
  test(`a day with its gaps, without a finding of axe and without scrolling sideways: ${look.theme}, ${look.width} px`, async () => {
    const { page, problems } = await browser.open(site.url(fake), look);
    await page.locator(yesterday).click();
    await page.locator('[data-gap]').nth(1).waitFor({ state: 'attached' });
    assert.equal(await page.locator('[data-span]').count(), 3);
    await page.locator('.span-gap', { hasText: '12 min 00 s not recorded: connection reset' }).waitFor();
    assert.ok(await page.locator('.film-word').isVisible());
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.locator('[data-export="done"] a').waitFor();
    assert.deepEqual(await axeViolations(page), []);
    const wide = await page.evaluate(() => [...document.querySelectorAll('html, body, main')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => `${element.tagName} ${element.scrollWidth}`));
    assert.deepEqual([wide, problems], [[], []]);
    if (process.env['LOOKOUT_SHOTS']) await page.screenshot({ path: join(process.env['LOOKOUT_SHOTS'], `recordings-${look.theme}-${look.width}.png`), fullPage: true });
    await page.close();
  });
}

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
  assert.deepEqual(problems, []);
  await page.close();
});
