/**
 * The page while 500 cameras flap, through the real adapter, in Chromium: tasks of its main thread over 50 ms ("long tasks"), in
 * the list and on the wall. `node test/bench/console.ts [cameras] [changes a second] [seconds]`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser } from '../e2e/page/browser.ts';
import { openSite } from '../e2e/page/site.ts';
import { startFlappingFleet } from '../support/flapping-fleet.ts';

const [count, perSecond, seconds] = [500, 250, 15].map((fallback, index) => Number(process.argv[2 + index] ?? fallback)) as [number, number, number];

/** What browsers call a long task. */
const longMs = 50;

const site = await openSite();
const fleet = await startFlappingFleet({ count, dist: site.dist });
const browser = await openBrowser();

/** A task of the page's main thread: how long it lasted, and how much of that it had a processor. */
type Task = { wallMs: number; cpuMs: number };

/** Chromium's own trace: on a machine that others use too, the wall clock alone would measure them. */
async function measure(page: Page, title: string): Promise<void> {
  const client = await browser.context.newCDPSession(page);
  const events: { name: string; ph: string; dur?: number; tdur?: number; tid: number; pid: number; args: { name?: string } }[] = [];
  client.on('Tracing.dataCollected', ({ value }) => events.push(...value as unknown as typeof events));
  const complete = new Promise<void>((resolve) => client.once('Tracing.tracingComplete', () => resolve()));
  await client.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', '__metadata'], excludedCategories: ['*'] } });
  const stop = fleet.flap(perSecond);
  const began = performance.now();
  await delay(seconds * 1_000);
  stop();
  const ms = performance.now() - began;
  await client.send('Tracing.end');
  await complete;
  const main = new Set(events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = events.filter(({ name, ph, pid, tid }) => ph === 'X' && name === 'ThreadControllerImpl::RunTask' && main.has(`${pid} ${tid}`)).map(({ dur = 0, tdur = 0 }): Task => ({ wallMs: dur / 1_000, cpuMs: tdur / 1_000 }));
  if (tasks.length === 0) throw new Error('the trace holds no task');
  const over = (of: keyof Task): string => `${tasks.filter((task) => task[of] > longMs).length} over ${longMs} ms, longest ${Math.max(...tasks.map((task) => task[of])).toFixed(0)} ms`;
  console.log(`${title}: ${tasks.length} tasks; by processor time ${over('cpuMs')}; by the clock ${over('wallMs')}; main thread busy ${(tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / ms * 100).toFixed(0)} %`);
}

try {
  console.log(`${count} cameras, ${perSecond} changes of state a second`);
  const { page } = await browser.open(fleet.loginLink, { width: 1440, height: 900, theme: 'dark' });
  await page.locator('[data-tile]').first().waitFor();
  const go = (hash: string): Promise<unknown> => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  for (const [hash, ready, title] of [['#/cameras', 'tbody tr[data-state]', 'list'], ['#/', '[data-tile]', 'wall']] as const) {
    await go(hash);
    await page.locator(ready).first().waitFor();
    await delay(2_000);
    await measure(page, title);
  }
  await go('#/cameras');
  await page.getByRole('button', { name: 'State' }).click();
  await measure(page, 'list, sorted by state (every change moves a row)');
} finally {
  await browser.close();
  await fleet.close();
  await site.close();
}
