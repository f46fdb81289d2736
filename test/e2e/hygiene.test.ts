/** Browsers that go away without a word: a crashed tab, a killed browser, a frozen one, a negotiation cut in the middle. Nothing of them stays. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import type { Page } from 'playwright-core';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, startLookout, type Lookout } from '../support/lookout.ts';
import { commandOf, tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
import { ask } from '../support/socket-client.ts';
import { decodedFrames } from './frames.ts';
import { openBrowser, type Browser } from './page/browser.ts';

const ids = ['gate', 'yard'];
const deadlines = { joinMs: 1_500, negotiateMs: 1_500, lostMs: 1_500 };
/** mediasoup gives up on a silent peer after 30 s without consent (RFC 7675); Socket.IO after 45 s at the latest. */
const silenceMs = 50_000;

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const sockets: Socket[] = [];
const browsers: Browser[] = [];

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  lookout = await startLookout({ config: { viewers: deadlines } });
  for (const id of ids) await lookout.add({ id, url: cameras.url(id) });
  for (const id of ids) await lookout.until(id, 'streaming.live');
});
afterEach(async () => {
  // Also those of a test that failed: one that stays would be found by the tests that follow, and keep this process alive.
  for (const browser of browsers.splice(0)) await browser.close();
  for (const socket of sockets.splice(0)) socket.disconnect();
});
after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

/** Neither transport nor consumer nor viewer is left, and the cameras did not mind. */
async function assertNothingLeft(timeoutMs: number): Promise<void> {
  await eventually(async () => {
    const { transports, consumers } = await lookout.sfu();
    const views = await lookout.cameras();
    return consumers.length === 0 && transports.every(({ kind }) => kind === 'plain') && views.every(({ viewers }) => viewers === 0);
  }, { timeoutMs, what: 'transports, consumers and viewers to be gone' });
  assert.deepEqual((await lookout.cameras()).map(({ state, restarts }) => ({ state, restarts })), ids.map(() => ({ state: 'streaming', restarts: 0 })));
}

/** A browser that shows both cameras, and the pid of its first process. */
async function watch(): Promise<{ browser: Browser; page: Page; pid: number }> {
  const known = new Set(tree(process.pid));
  const browser = await openBrowser();
  browsers.push(browser);
  const { page } = await browser.open(lookout.loginLink, { width: 1000, height: 700, theme: 'dark' });
  await eventually(async () => Object.values(await decodedFrames(page)).filter((frames) => frames > 10).length === ids.length, { timeoutMs: 20_000, what: 'both pictures' });
  // A primer that plays still has a consumer of its own; it goes when the viewers have moved to the cameras' producers.
  await eventually(async () => (await lookout.sfu()).consumers.length === ids.length, { timeoutMs: 15_000, what: 'one consumer for each picture' });
  const pid = tree(process.pid).find((candidate) => !known.has(candidate) && commandOf(candidate).includes('lookout-chromium-') && !commandOf(candidate).includes('--type='));
  assert.ok(pid, 'the browser has a process');
  return { browser, page, pid };
}

/** A client of ours that negotiates by hand. */
async function connect(): Promise<Socket> {
  const token = new URLSearchParams(new URL(lookout.loginLink).hash.slice(1)).get('token');
  const socket = io(`${lookout.url}/viewer`, { auth: { token }, transports: ['websocket'], reconnection: false, forceNew: true });
  sockets.push(socket);
  await eventually(() => socket.connected, { what: 'the socket' });
  return socket;
}

/** Joins a camera and asks for the transport, as a browser would. */
async function negotiate(socket: Socket): Promise<string> {
  const joined = (await ask(socket, 'join', { camera: 'gate' })) as unknown as { ok: true; value: { viewer: string; routerRtpCapabilities: object } };
  assert.ok(joined.ok);
  const { viewer, routerRtpCapabilities } = joined.value;
  const made = await ask(socket, 'transport', { viewer, rtpCapabilities: routerRtpCapabilities });
  assert.ok(made.ok, JSON.stringify(made.error));
  assert.equal((await lookout.sfu()).transports.filter(({ kind }) => kind === 'webrtc').length, 1);
  return viewer;
}

test('a tab that crashes leaves nothing behind', async () => {
  const { browser, page } = await watch();
  const debuggee = await browser.context.newCDPSession(page);
  // The crash takes the answer with it.
  void debuggee.send('Page.crash').catch(() => undefined);
  await assertNothingLeft(10_000);
});

test('a browser killed by SIGKILL leaves nothing behind', async () => {
  const { pid } = await watch();
  process.kill(pid, 'SIGKILL');
  await assertNothingLeft(10_000);
  await eventually(async () => !(await isAlive(pid)), { what: 'the browser to be reaped' });
});

test('a browser that says nothing any more, as behind a cut cable, is given up after its deadlines', async () => {
  const { pid } = await watch();
  const frozen = tree(pid);
  for (const one of frozen) process.kill(one, 'SIGSTOP');
  try {
    await assertNothingLeft(silenceMs);
  } finally {
    for (const one of frozen) if (await isAlive(one)) process.kill(one, 'SIGCONT');
  }
});

test('a socket dropped in the middle of negotiation leaves nothing behind', async () => {
  const socket = await connect();
  await negotiate(socket);
  socket.io.engine.close();
  await assertNothingLeft(2_000);
});

test('a client that joins and asks for nothing more is closed after its deadline, and told', async () => {
  const socket = await connect();
  const gone: { viewer: string; reason: string }[] = [];
  socket.on('gone', (message: { viewer: string; reason: string }) => void gone.push(message));
  const joined = (await ask(socket, 'join', { camera: 'gate' })) as unknown as { value: { viewer: string } };
  assert.equal((await lookout.camera('gate')).viewers, 1);
  await assertNothingLeft(deadlines.joinMs + 2_000);
  await eventually(() => gone.length > 0, { what: 'the farewell' });
  assert.deepEqual(gone.map(({ viewer, reason }) => ({ viewer, reason })), [{ viewer: joined.value.viewer, reason: 'rejoin' }]);
});

test('a client that has its transport but never connects it is closed after its deadline', async () => {
  const socket = await connect();
  const viewer = await negotiate(socket);
  await assertNothingLeft(deadlines.negotiateMs + 2_000);
  const late = await ask(socket, 'consume', { viewer });
  assert.equal(late.error?.code, 'LOOKOUT_VIEWER_NOT_FOUND');
});
