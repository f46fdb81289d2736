/** One Chromium and one built page per test file, with fake fleets by the address. */
import { openBrowser, type Browser, type Look } from './browser.ts';
import { openSite, type Site } from './site.ts';
import type { Page } from 'playwright-core';

export const desktop: Look = { width: 1440, height: 900, theme: 'dark' };
export const phone: Look = { width: 360, height: 740, theme: 'light' };

export type Fixture = {
  readonly browser: Browser;
  readonly site: Site;
  /** Opens `fake.html?<query>`; the hash may be part of it. */
  open: (query: string, look?: Look) => Promise<{ page: Page; problems: string[] }>;
  close: () => Promise<void>;
};

/** Builds, serves and starts. */
export async function openFixture(): Promise<Fixture> {
  const site: Site = await openSite();
  const browser: Browser = await openBrowser();
  return {
    browser, site,
    open: (query, look = desktop) => browser.open(site.url(query), look),
    close: async () => {
      await browser.close();
      await site.close();
    },
  };
}

/** The tile of a camera. */
export const tile = (id: string): string => `[data-tile="${id}"]`;
