/**
 * Makes the screenshots under docs/images. `node scripts/screenshots.ts` takes those of the design fleet (no server);
 * `node scripts/screenshots.ts 'http://127.0.0.1:8085/#token=…'` takes those of the running program instead.
 */
import { execFile } from 'node:child_process';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { openBrowser, type Browser, type Look } from '../test/e2e/page/browser.ts';
import { openSite } from '../test/e2e/page/site.ts';

/** `moment` is what must be in sight when the picture is taken. */
type Shot = { name: string; url: string; look: Look; ready: string; moment?: string };

const folder = process.env['SCREENSHOTS'] ?? join(import.meta.dirname, '../docs/images');
const themes = ['light', 'dark'] as const;
const desktop = { width: 1600, height: 900 };
/** Pictures in the repository stay small; a wall of video does not compress well as PNG. */
const maxBytes = 400_000;
const playing = '.picture[data-playing="true"]';
/** The demo's failing camera at work: its last frame, with the reason over it. */
const inTrouble = '.tile-picture:has(.away) .picture[data-playing="true"]';
const momentMs = 120_000;

/** The design fleet: every view, both themes. */
function fakeShots(url: (query: string) => string): Shot[] {
  const views: [string, string, { width: number; height: number }, string][] = [
    ['wall-4', 'fake=4&fps=8#/', desktop, playing],
    ['wall-20', 'fake=20&trouble=1&fps=2#/', desktop, playing],
    ['wall-36', 'fake=36&trouble=1&fps=1#/', { width: 1920, height: 1080 }, playing],
    ['single', 'fake=20&fps=8#/camera/junction', desktop, playing],
    ['cameras', 'fake=20&trouble=1&fps=1#/cameras', desktop, 'tbody tr'],
    ['recordings', 'fake=20&fps=2#/recordings/junction', desktop, '[data-span]'],
    ['recordings-4k', 'fake=20&fps=2#/recordings/junction', { width: 3840, height: 2160 }, '[data-span]'],
    ['phone-recordings', 'fake=4&fps=4#/recordings/lobby', { width: 360, height: 740 }, '[data-span]'],
    ['phone', 'fake=4&trouble=1&fps=4#/', { width: 360, height: 740 }, playing],
    ['phone-cameras', 'fake=4&trouble=1&fps=4#/cameras', { width: 360, height: 740 }, 'tbody tr'],
    ['phone-single', 'fake=20&fps=4#/camera/junction', { width: 360, height: 740 }, playing],
    ['login', 'fake=4&login=0', desktop, '.login'],
    ['empty', 'fake=0#/', desktop, '.message'],
  ];
  return views.flatMap(([name, query, size, ready]) => themes.map((theme) => ({ name: `design-${name}-${theme}`, url: url(query), look: { ...size, theme }, ready })));
}

/** The running program. */
function realShots(link: string): Shot[] {
  const [origin, fragment] = link.split('#');
  const views: [string, string, string, string?][] = [['wall', '/', playing, inTrouble], ['cameras', '/cameras', 'tbody tr'], ['single', '/camera/loading-dock', playing], ['inspector', '/inspect', '.chart-state']];
  const login: Shot = { name: '', url: `${origin}#${fragment}`, look: { ...desktop, theme: 'dark' }, ready: '.topbar' };
  return [login, ...views.flatMap(([name, hash, ready, moment]) => themes.map((theme) => ({
    name: `${name}-${theme}`, url: `${origin}#${hash}`, look: { ...desktop, theme }, ready, ...(moment === undefined ? {} : { moment }),
  })))];
}

async function take(browser: Browser, { name, url, look, ready, moment }: Shot): Promise<void> {
  const { page } = await browser.open(url, look);
  await page.locator(ready).first().waitFor({ timeout: 30_000 });
  await allPlaying(page);
  if (moment !== undefined) await page.locator(moment).first().waitFor({ timeout: momentMs });
  if (name !== '') await save(page, name);
  await page.close();
}

/** Waits until every live camera in sight shows video, or says why it does not within 20 s. */
async function allPlaying(page: Page): Promise<void> {
  const waiting = page.locator('[data-state="streaming"]:not(:has(.away)) .picture[data-playing="false"]');
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && (await waiting.count()) > 0) await page.waitForTimeout(200);
  // The picture fades in, and the second figures of the statistics come a second later.
  await page.waitForTimeout(2_500);
}

async function save(page: Page, name: string): Promise<void> {
  const file = join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  if ((await stat(file)).size > maxBytes) await quantise(file);
  process.stdout.write(`${name}.png ${Math.round((await stat(file)).size / 1000)} kB\n`);
}

/** 256 colours chosen for the picture; ffmpeg is among the packages that set-up installs. */
async function quantise(file: string): Promise<void> {
  const smaller = file.replace(/\.png$/u, '.small.png');
  const palette = 'split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none';
  await promisify(execFile)('ffmpeg', ['-y', '-loglevel', 'error', '-i', file, '-vf', palette, smaller]);
  await rename(smaller, file);
}

await mkdir(folder, { recursive: true });
const [link, only] = process.argv.slice(2);
const site = link?.startsWith('http') ? undefined : await openSite();
const browser = await openBrowser();
try {
  const shots = site ? fakeShots(site.url) : realShots(link ?? '');
  const wanted = site ? link : only;
  for (const shot of shots) if (shot.name === '' || wanted === undefined || shot.name.includes(wanted)) await take(browser, shot);
} finally {
  await browser.close();
  await site?.close();
}
