/** Chromium for tests and screenshots: Debian's, headless, with a profile of its own that is deleted afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export type Look = { width: number; height: number; theme: 'light' | 'dark' };

export type Browser = {
  context: BrowserContext;
  /** A page with this look; what it throws or the console reports as an error is collected in `problems`. */
  open: (url: string, look: Look) => Promise<{ page: Page; problems: string[] }>;
  close: () => Promise<void>;
};

/** Starts it. `executable`, or else `CHROMIUM`, names another binary; `more` are further flags. */
export async function openBrowser({ executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium', more = [] }: { executable?: string | undefined; more?: readonly string[] } = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'lookout-chromium-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath: executable, headless: true, args: [...args, ...more] });
  return {
    context,
    open: async (url, { width, height, theme }) => {
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
      // What one test chose (theme, shortcuts) is not remembered for the next.
      await page.addInitScript('localStorage.clear()');
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(url);
      return { page, problems };
    },
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
