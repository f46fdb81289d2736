/**
 * Makes the screenshots under docs/images: each view in light and dark at three widths. Wall, single view, inspector and recordings
 * are those of the demo, which this starts; list and trends those of the design fleet, which is in every state and has an hour behind it.
 * `node scripts/screenshots.ts [part of a name]`; SCREENSHOTS names another folder.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import type { CameraView } from '../src/api/protocol.ts';
import { openBrowser, type Browser, type Look } from '../test/e2e/page/browser.ts';
import { openSite } from '../test/e2e/page/site.ts';
import { eventually } from '../test/support/eventually.ts';
import { startLookout, type Lookout } from '../test/support/lookout.ts';

/** `ready` is in sight before `prepare` does what a person would; `part`: only this element is taken. */
type View = { name: string; url: string; ready: string; prepare?: (page: Page) => Promise<void>; part?: string };

const folder = process.env['SCREENSHOTS'] ?? join(import.meta.dirname, '../docs/images');
const only = process.argv[2] ?? '';
const sizes = [{ width: 360, height: 740 }, { width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const;
const looks: Look[] = sizes.flatMap((size) => (['light', 'dark'] as const).map((theme) => ({ ...size, theme })));
const mostBytes = 6_000_000;
const playing = '.picture[data-playing="true"]';
/** The demo's camera that fails on purpose: it is recorded until it has failed this often. */
const failing = 'server-room';
const failures = 2;
const troubleMs = 90_000;

/** Of the design fleet. */
function fakeViews(url: (query: string) => string): View[] {
  const list = url('fake=20&trouble=1&fps=1#/cameras');
  return [
    { name: 'list', url: list, ready: '.summary-item.tone-bad', prepare: closeTrends },
    { name: 'trends', url: list, ready: 'tbody tr', prepare: openTrends, part: '.last-hour' },
  ];
}

/** Of the demo, logged in. */
function realViews({ url }: Lookout): View[] {
  return [
    { name: 'wall', url: `${url}/#/`, ready: playing, prepare: untilTrouble },
    { name: 'single', url: `${url}/#/camera/loading-dock`, ready: playing },
    { name: 'inspector', url: inspected(url), ready: '[data-state][data-active]' },
    { name: 'recordings', url: `${url}/#/recordings/${failing}`, ready: '[data-span]', prepare: playRecorded },
  ];
}

/** The failing camera in the inspector. */
const inspected = (url: string): string => `${url}/#/inspect/${encodeURIComponent(`supervisor/camera:${failing}`)}`;

/** The demo's failing camera at work: its last frame, with the reason over it. */
async function untilTrouble(page: Page): Promise<void> {
  // On a telephone it is out of sight.
  if (await page.locator('[data-tile="server-room"] .picture').count() === 0) return;
  await page.locator(`[data-tile="server-room"] ${playing}`).waitFor({ timeout: troubleMs });
  await page.locator(`.tile-picture:has(.away) ${playing}`).waitFor({ timeout: troubleMs });
}

async function closeTrends(page: Page): Promise<void> {
  const open = page.locator('.last-hour[open] summary');
  if (await open.count() > 0) await open.click();
}

async function openTrends(page: Page): Promise<void> {
  const closed = page.locator('.last-hour:not([open]) summary');
  if (await closed.count() > 0) await closed.click();
  await page.locator('.last-hour canvas').first().waitFor();
}

/** Some minutes of the day, and the film at its first moment. */
async function playRecorded(page: Page): Promise<void> {
  await page.locator('.span-button').first().click();
  const film = page.locator('.film video');
  await eventually(() => film.evaluate((video: { currentTime: number }) => video.currentTime > 1), { timeoutMs: 30_000, what: 'the film to play' });
  for (let times = 0; times < 4; times += 1) await page.getByRole('button', { name: 'Show less time' }).click();
  await film.evaluate((video: { pause: () => void }) => video.pause());
}

/** One that cannot be taken hinders no other. */
async function attempt(browser: Browser, view: View, look: Look): Promise<void> {
  await take(browser, view, look).catch((error: unknown) => {
    process.stderr.write(`${view.name}-${look.theme}-${look.width}: ${String(error)}\n`);
    process.exitCode = 1;
  });
}

async function take(browser: Browser, { name, url, ready, prepare, part }: View, look: Look): Promise<void> {
  const { page } = await browser.open(url, look);
  await page.locator(ready).first().waitFor({ state: 'attached', timeout: 30_000 });
  await prepare?.(page);
  await settled(page);
  const png = join(folder, 'taken.png');
  await (part ? page.locator(part).screenshot({ path: png }) : page.screenshot({ path: png }));
  await page.close();
  const file = join(folder, `${name}-${look.theme}-${look.width}.webp`);
  await promisify(execFile)('ffmpeg', ['-y', '-loglevel', 'error', '-i', png, '-c:v', 'libwebp', '-preset', 'text', '-quality', '80', file]);
  await rm(png);
  const { size } = await stat(file);
  process.stdout.write(`${name}-${look.theme}-${look.width} ${Math.round(size / 1000)} kB\n`);
}

/** Waits until every live camera in sight shows video, or says why it does not within 20 s. */
async function settled(page: Page): Promise<void> {
  const waiting = page.locator('[data-state="streaming"]:not(:has(.away)) .picture[data-playing="false"]');
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && (await waiting.count()) > 0) await page.waitForTimeout(200);
  // The picture fades in, and the second figures of the statistics come a second later.
  await page.waitForTimeout(2_500);
}

/** Records the camera that fails, until there is something to see. */
async function record({ api, events }: Lookout): Promise<void> {
  await eventually(async () => (await api<CameraView>('GET', `/api/v1/cameras/${failing}`)).substate === 'live', { timeoutMs: 30_000, what: 'the demo' });
  await api('PATCH', `/api/v1/cameras/${failing}`, { body: { outputs: { record: { mode: 'continuous' } } } });
  await eventually(async () => (await events(failing)).filter(({ from, to }) => from?.startsWith('streaming') && to === 'teardown').length >= failures, { timeoutMs: 300_000, what: 'its failures' });
  await eventually(async () => (await api<CameraView>('GET', `/api/v1/cameras/${failing}`)).outputs.record.state === 'running', { timeoutMs: 60_000, what: 'it to be recorded again' });
}

async function logIn(browser: Browser, { loginLink }: Lookout): Promise<void> {
  const { page } = await browser.open(loginLink, looks[0]!);
  await page.locator(playing).first().waitFor({ timeout: 30_000 });
  await page.close();
}

await mkdir(folder, { recursive: true });
const wanted = (views: View[]): { view: View; look: Look }[] => views.flatMap((view) => looks.map((look) => ({ view, look }))).filter(({ view, look }) => `${view.name}-${look.theme}-${look.width}`.includes(only));
const site = await openSite();
const browser = await openBrowser();
try {
  for (const { view, look } of wanted(fakeViews(site.url))) await attempt(browser, view, look);
  await using lookout = await startLookout({ demo: true });
  const views = wanted(realViews(lookout));
  if (views.length > 0) await logIn(browser, lookout);
  // What actors do is kept while somebody looks.
  if (views.some(({ view }) => view.name === 'inspector')) await browser.open(inspected(lookout.url), looks[0]!);
  if (views.some(({ view }) => view.name === 'recordings')) await record(lookout);
  for (const { view, look } of views) await attempt(browser, view, look);
} finally {
  await browser.close();
  await site.close();
}
const sizesOf = await Promise.all((await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size));
const total = sizesOf.reduce((sum, size) => sum + size, 0);
process.stdout.write(`${(total / 1e6).toFixed(1)} MB in all\n`);
if (total > mostBytes) throw new Error(`Pictures may have ${mostBytes / 1e6} MB in all.`);
