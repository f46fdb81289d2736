/** The page's own viewers in Chromium, read at the RTP level: what each camera's consumer received, lost and decoded. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openBrowser } from '../e2e/page/browser.ts';

/** One consumer at one moment. `connection` numbers the RTCPeerConnections of the page: another number is another negotiation. */
export type ConsumerReading = {
  connection: number;
  /** Of the browser's monotonic clock, ms. */
  at: number;
  received: number;
  /** Sequence numbers that never came, and those that had to be asked for again. */
  lost: number;
  nacks: number;
  decoded: number;
};

/** A page that watches every camera. */
export type PageViewers = AsyncDisposable & {
  page: Page;
  /** By camera; a camera whose tile has no picture, or still a primer's, is absent. */
  read(): Promise<Record<string, ConsumerReading>>;
  /** When each camera's frames were decoded since the last call (ms since the epoch), by camera. */
  frames(): Promise<Record<string, number[]>>;
  /** The same of the first frame of each track: a viewer that joined again has another. */
  begun(): Promise<Record<string, number[]>>;
};

/** What `page-observer.js` leaves behind. */
type InPage = { lookoutTest: { read: () => Promise<Record<string, ConsumerReading>>; frames: () => Record<string, number[]>; begun: () => Record<string, number[]> } };

/** Opens the page by its login link. With `aside` the browser takes the processor only where nobody else wants it, as one on another machine would. */
export async function watchPage(loginLink: string, { aside = false } = {}): Promise<PageViewers> {
  const browser = await openBrowser();
  if (aside) await setAside();
  await browser.context.addInitScript({ path: join(import.meta.dirname, 'page-observer.js') });
  const { page } = await browser.open(loginLink, { width: 1280, height: 800, theme: 'dark' });
  return {
    page,
    read: () => page.evaluate(() => (globalThis as unknown as InPage).lookoutTest.read()),
    frames: () => page.evaluate(() => (globalThis as unknown as InPage).lookoutTest.frames()),
    begun: () => page.evaluate(() => (globalThis as unknown as InPage).lookoutTest.begun()),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/**
 * The browser runs in a session of its own, and Linux weighs sessions against each other (sched(7), autogroup): a nice value
 * counts inside one only, and Chromium sets those of its processes itself.
 */
async function setAside(): Promise<void> {
  const children = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')).split(' ').filter(Boolean);
  for (const child of children) {
    if ((await readFile(`/proc/${child}/comm`, 'utf8')).startsWith('chromium')) await writeFile(`/proc/${child}/autogroup`, '10');
  }
}
