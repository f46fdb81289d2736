/** The inspector in Chromium: a machine with every part of a chart from the fake server, and the machines of the real program. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { createActor, createMachine, type AnyActorRef, type StateNode } from 'xstate';
import type { ActorView, StepView } from '../../../src/api/protocol.ts';
import { parseCamera } from '../../../src/camera-config.ts';
import { loadConfig } from '../../../src/config.ts';
import { createInspector } from '../../../src/control/inspector.ts';
import { supervisorSettings } from '../../../src/control/settings.ts';
import { createLog } from '../../../src/log.ts';
import { cameraMachine } from '../../../src/machines/camera.ts';
import { startFlappingFleet } from '../../support/flapping-fleet.ts';
import { startLookout } from '../../support/lookout.ts';
import { replayHistory } from '../../support/replay-history.ts';
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

const door = 'fake=2&fps=1#/inspect/house%2Fdoor';
const state = (id: string): string => `[data-state="${id}"]`;
const openDoor = (page: Page): Promise<void> => page.locator(`${state('door.open')}[data-active]`).waitFor();

test('every part of a chart is drawn: hierarchy, regions, guards, delays, invoked actors, self transitions', async () => {
  const { page, problems } = await browser.open(site.url(door), desktop);
  await page.locator(state('door.gone')).waitFor();
  assert.equal(await page.locator('[data-state]').count(), 10);
  const words = await page.locator('.picture text').allTextContents();
  for (const word of ['parallel', 'after patience', 'error sensor', 'key [fits]', 'always [isNight]', '⚙ sensor', 'entry / lock', 'exit / hush', '↻ 1 reaction inside']) assert.ok(words.includes(word), `${word} in ${words.join(' | ')}`);
  await openDoor(page);
  await page.locator('[data-line="door.shut → door.open"].line-taken').waitFor();
  // The door opens and shuts for as long as somebody looks.
  const open = ['door', 'door.open', 'door.open.alarm', 'door.open.alarm.quiet', 'door.open.light', 'door.open.light.off'].join();
  await page.waitForFunction((wanted) => [...document.querySelectorAll('[data-active]')].map((box) => box.getAttribute('data-state')).sort().join() === wanted, open);
  assert.deepEqual(problems, []);
  await page.close();
});

test('no box of a chart lies on another, and every child lies in its parent', async () => {
  const { page } = await browser.open(site.url(door), desktop);
  await page.locator(state('door.gone')).waitFor();
  const boxes = await page.locator('[data-state]').evaluateAll((all) => all.map((box) => {
    const { x, y, width, height } = (box.querySelector('rect') as SVGRectElement).getBBox();
    return { id: box.getAttribute('data-state') ?? '', x, y, right: x + width, bottom: y + height };
  }));
  for (const a of boxes) {
    for (const b of boxes) {
      if (b.id.startsWith(`${a.id}.`)) assert.ok(b.x >= a.x && b.y >= a.y && b.right <= a.right && b.bottom <= a.bottom, `${b.id} in ${a.id}`);
      else if (a !== b && !a.id.startsWith(`${b.id}.`)) assert.ok(a.right <= b.x || b.right <= a.x || a.bottom <= b.y || b.bottom <= a.y, `${a.id} beside ${b.id}`);
    }
  }
  await page.close();
});

test('with the keyboard alone: back through history, the state at that time, and to the present', async () => {
  const { page } = await browser.open(site.url(door), desktop);
  await page.locator('[data-step="2"]').waitFor();
  await page.locator('[data-step][aria-current]').focus();
  for (let n = 0; n < 99 && await page.locator('[data-step="0"][aria-current]').count() === 0; n += 1) await page.keyboard.press('ArrowDown');
  await page.locator('[data-step="0"][aria-current]').waitFor();
  await page.locator('.chip-past').waitFor();
  await page.locator(`${state('door.shut')}[data-active]`).waitFor();
  await page.keyboard.press('ArrowUp');
  await openDoor(page);
  await page.locator('.pair-changed dt', { hasText: 'count' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.chip-past').waitFor({ state: 'detached' });
  assert.match(page.url(), /inspect/u, 'Esc leaves the past first');
  await page.locator(state('door.shut')).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'State in full' }).getByText('knock').waitFor();
  const before = await page.locator('[data-scene]').getAttribute('transform');
  await page.locator('.canvas').focus();
  await page.keyboard.press('+');
  await page.waitForFunction((was) => document.querySelector('[data-scene]')?.getAttribute('transform') !== was, before);
  await page.close();
});

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing in the inspector, ${theme}`, async () => {
    const { page } = await browser.open(site.url(door), { ...desktop, theme });
    await openDoor(page);
    await page.locator(state('door.shut')).click();
    assert.deepEqual(await axeViolations(page), []);
    await page.close();
  });
}

test('the inspector does not scroll sideways at 360 px', async () => {
  const { page } = await browser.open(site.url(door), phone);
  await page.locator(state('door.gone')).waitFor();
  const wide = await page.evaluate(() => [...document.querySelectorAll('html, body, main')].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => `${element.tagName} ${element.scrollWidth}`));
  assert.deepEqual(wide, []);
  await page.close();
});

async function saved(page: Page, name: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  return readFile(await download.path(), 'utf8');
}

test('a chart is saved as an SVG that stands alone, a history as JSON that holds chart and steps', async () => {
  const { page } = await browser.open(site.url(door), desktop);
  await openDoor(page);
  const svg = await saved(page, 'Save as SVG');
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/u);
  assert.doesNotMatch(svg, /var\(|class=/u);
  assert.match(svg, /^<svg [^>]*style="background: ?rgb/u, 'it has its ground');
  const shown = await page.evaluate((text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelectorAll('[data-state]').length, svg);
  assert.equal(shown, 10);
  const { format, actor, chart, steps } = JSON.parse(await saved(page, 'Save history as JSON')) as { format: string; actor: { id: string }; chart: { machine: string }; steps: { n: number }[] };
  assert.deepEqual([format, actor.id, chart.machine, steps[0]?.n], ['lookout-inspect/1', 'house/door', 'door', 0]);
  await page.close();
});

test('the layout engine is no part of the first load, which stays below 250 kB compressed', async () => {
  const html = await readFile(join(site.dist, 'index.html'), 'utf8');
  const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/gu)].map(([, path]) => path!);
  assert.ok(first.length >= 2 && first.every((path) => !/elk|view-/u.test(path)), first.join(' '));
  const fonts = (await readdir(join(site.dist, 'assets'))).filter((file) => file.endsWith('.woff2')).map((file) => join('assets', file));
  const sizes = await Promise.all([...first, ...fonts].map(async (path) => gzipSync(await readFile(join(site.dist, path))).length));
  assert.ok(sizes.reduce((sum, size) => sum + size) < 250_000, sizes.join(' + '));
});

test('in the program: the page has all states of the camera machine, and a camera that dies lights backoff', async () => {
  await using simulator = await startSimulator({ mounts: [{ name: 'gate', video: 'entrance-360p-baseline' }] });
  await using lookout = await startLookout();
  await lookout.add({ id: 'gate', url: simulator.url('gate') });
  await lookout.until('gate', 'streaming.live');
  const { page, problems } = await browser.open(lookout.loginLink, desktop);
  await page.getByRole('link', { name: 'Inspector' }).click();
  await page.locator(`${state('camera.streaming.live')}[data-active]`).waitFor();
  const ids = (node: StateNode): string[] => [node.id, ...Object.values(node.states).flatMap((child) => ids(child as StateNode))];
  assert.deepEqual(await page.locator('[data-state]').evaluateAll((boxes) => boxes.map((box) => box.getAttribute('data-state')).sort()), ids(cameraMachine.root as unknown as StateNode).sort());
  await page.locator('.actor-link', { hasText: 'source' }).waitFor();

  await simulator.act('gate', { type: 'reboot', seconds: 60 });
  await page.locator(`${state('camera.backoff')}[data-active]`).waitFor();
  // It tries again and again; what led here stays in the history.
  await page.locator('.step-state', { hasText: 'backoff' }).first().click();
  await page.locator(`${state('camera.backoff')}[data-active]`).waitFor();
  await page.locator('.line-taken[data-line^="camera.teardown → camera.backoff"]').waitFor();

  const history = JSON.parse(await saved(page, 'Save history as JSON')) as { actor: ActorView; children: string[]; steps: StepView[] };
  const replayed = replayHistory(cameraMachine, history, replayInput);
  assert.ok(replayed.length > 5 && replayed.some(({ recorded }) => JSON.stringify(recorded).includes('backoff')), `${replayed.length} steps`);
  assert.deepEqual(replayed.map(({ n, event, replayed: value }) => [n, event, value]), replayed.map(({ n, event, recorded }) => [n, event, recorded]), 'the machine goes the same way again');
  assert.deepEqual(replayed.at(-1)?.replayed, history.steps.at(-1)?.value, 'and ends in the same state');

  await page.getByRole('button', { name: 'Messages' }).click();
  await page.locator('[data-lane="supervisor/camera:gate"]').waitFor();
  await page.getByRole('button', { name: 'Send …' }).click();
  await page.locator('#send-type').selectOption('camera.stop');
  await page.getByRole('dialog').getByRole('button', { name: 'Send …' }).click();
  await page.getByText('This is no rehearsal').waitFor();
  assert.notEqual((await lookout.camera('gate')).desired, 'stopped', 'nothing is sent before it is confirmed');
  await page.getByRole('button', { name: 'Send it' }).click();
  await lookout.until('gate', 'stopped');
  await page.locator('[data-message][data-type="camera.stop"]').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});

/** What the camera machine needs to begin; the history brings the rest. */
const replayInput = {
  config: parseCamera({ id: 'gate', url: 'rtsp://127.0.0.1/gate' }), feed: { port: 1, bindPort: 2, ssrc: 3, payloadType: 96 }, seed: 1, settings: supervisorSettings(loadConfig(['--no-demo'], {})),
};

test('messages are drawn as a sequence and taken along; an event is sent by hand only after it is confirmed, and a refusal is told', async () => {
  const { page, problems } = await browser.open(site.url(door), desktop);
  await openDoor(page);
  await page.getByRole('button', { name: 'Messages' }).click();
  await page.locator('[data-lane="house/door"]').waitFor();
  await page.locator('[data-message][data-type="key"]').first().waitFor();
  assert.deepEqual(await axeViolations(page), []);
  const { format, messages } = JSON.parse(await saved(page, 'Save messages as JSON')) as { format: string; messages: { type: string }[] };
  assert.equal(format, 'lookout-messages/1');
  assert.ok(messages.some(({ type }) => type === 'key'));
  assert.match(await saved(page, 'Save messages as SVG'), /^<svg .*data-type="key"/su);
  await page.getByRole('button', { name: 'Send …' }).click();
  await page.locator('#send-type').selectOption('break');
  assert.deepEqual(await axeViolations(page), []);
  await page.getByRole('dialog').getByRole('button', { name: 'Send …' }).click();
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByRole('alert').filter({ hasText: 'cannot be sent to a door' }).waitFor();
  await page.locator('#send-type').selectOption('knock');
  await page.locator('#send-loud').selectOption('false');
  await page.getByRole('dialog').getByRole('button', { name: 'Send …' }).click();
  await page.getByText('{"type":"knock","loud":false}').waitFor();
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByText('knock was sent to house/door.').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});

test('a state that is added to a machine is in the page, without a change of the page', async () => {
  const fleet = await startFlappingFleet({ count: 1, dist: site.dist });
  const states = { calm: { on: { worry: 'alarmed' } }, alarmed: { on: { rest: 'calm', build: 'repaired' } }, repaired: {} };
  const inspector = createInspector((): AnyActorRef => actor, createLog({ level: 'silent' }), () => undefined);
  const actor = createActor(createMachine({ id: 'watchman', initial: 'calm', states }), { inspect: inspector.inspect }).start();
  fleet.script.control.inspect = inspector.open;
  const { page } = await browser.open(fleet.loginLink, desktop);
  try {
    await page.getByRole('link', { name: 'Inspector' }).click();
    await page.locator(`${state('watchman.calm')}[data-active]`).waitFor();
    await page.locator(state('watchman.repaired')).waitFor();
    actor.send({ type: 'worry' });
    actor.send({ type: 'build' });
    await page.locator(`${state('watchman.repaired')}[data-active]`).waitFor();
  } finally {
    await page.close();
    inspector.stop();
    actor.stop();
    await fleet.close();
  }
});
