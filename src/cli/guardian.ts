/**
 * Guardian: keeps the supervisor (`main.ts`) running. It does nothing else and imports nothing but Node, so that there is
 * nothing in it to fail.
 *
 * A supervisor that dies or no longer answers is started again, on the same port and with the same login link, until it
 * happens too often. An orderly end (0) and a configuration that cannot be used (2) are handed on. The first SIGTERM or
 * SIGINT is passed through, the second ends at once. Neither outlives the other: the kernel kills the supervisor when
 * the guardian dies, and the guardian ends with the supervisor's exit code.
 *
 * Loading its code is most of a supervisor's start. So a standby has loaded it and waits for its turn; until then it
 * reads no configuration, opens nothing and does nothing.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { join } from 'node:path';
import { allocator } from './allocator.ts';

/** What the supervisor tells the guardian. */
type Word =
  | { type: 'running'; port: number; grpcPort: number | null; restarts: number; windowMs: number; frozenMs: number; standby: boolean }
  | { type: 'beat' }
  | { type: 'gaveUp'; reason: string };

const entry = join(import.meta.dirname, '..', 'main.ts');
/** The default young generation of 3 × 16 MB fills with statistics that nobody keeps; measured 20 MB less, no CPU more. */
const heapFlags = ['--max-semi-space-size=4'];
/** Ends that a restart would not change: as asked, and a configuration that cannot be used. */
const finalCodes = [0, 2];
const checkMs = 1_000;
/** Longer than the supervisor's own deadline: whoever still runs then is frozen. */
const orderlyMs = 12_000;
const atOnceMs = 1_000;
const firstDelayMs = 500;
/** A standby starts when the supervisor has run for so long: it must not compete with the start of the cameras. */
const standbyAfterMs = 10_000;

/** What its configuration says, as soon as it runs. */
let rules = { restarts: 5, windowMs: 60_000, frozenMs: 20_000, standby: true };
let port: number | undefined;
let grpcPort: number | undefined;
let child: ChildProcess | undefined;
let standby: ChildProcess | undefined;
let planned: NodeJS.Timeout | undefined;
let waiting: NodeJS.Timeout | undefined;
let signals = 0;
let deaths: number[] = [];
/** One for all its supervisors: the link that was printed first stays valid. */
const linkToken = randomBytes(24).toString('base64url');

function launch(): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...heapFlags, entry, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // A session of its own: a terminal's Ctrl-C reaches it through us only, once.
    detached: true,
    env: { ...allocator, ...process.env, LOOKOUT_LINK_TOKEN: linkToken, LOOKOUT_STANDBY: '1' },
  });
}

function planStandby(): void {
  clearTimeout(planned);
  planned = setTimeout(() => {
    if (standby || signals > 0 || !rules.standby) return;
    const waits = launch();
    standby = waits;
    const gone = (): void => void (standby === waits && (standby = undefined));
    waits.once('exit', gone).once('error', gone);
  }, standbyAfterMs);
}

function start(): void {
  clearTimeout(planned);
  const started = standby ?? launch();
  standby = undefined;
  // What a supervisor found must be the same for the next one: port 0 means one free port, not a new one after each restart.
  started.send({ type: 'start', port, grpcPort });
  child = started;
  let reason: string | undefined;
  const watch = watchBeats(started);
  started.on('message', (word: Word) => {
    watch.heard(word);
    if (word.type === 'gaveUp') reason = word.reason;
    if (word.type !== 'running') return;
    port = word.port;
    grpcPort = word.grpcPort ?? grpcPort;
    rules = word;
    planStandby();
  });
  started.once('error', (error) => {
    say(`The supervisor cannot be started: ${error.message}`);
    process.exit(1);
  });
  started.once('exit', (code, signal) => {
    watch.stop();
    child = undefined;
    ended(code, signal, watch.frozen() ? `did not answer for ${rules.frozenMs / 1_000} s and was killed` : reason);
  });
}

/** Kills a supervisor whose event loop stands still. Ticks without a beat are counted, not time: a suspended guardian has missed none. */
function watchBeats(watched: ChildProcess): { heard(word: Word): void; frozen(): boolean; stop(): void } {
  let missed: number | undefined;
  let frozen = false;
  const timer = setInterval(() => {
    if (missed === undefined || signals > 0) return;
    missed += 1;
    if (missed * checkMs <= rules.frozenMs) return;
    frozen = true;
    watched.kill('SIGKILL');
  }, checkMs);
  return {
    heard(word) {
      // Starting takes as long as it takes; from its first word on it has to go on speaking.
      if (word.type !== 'gaveUp') missed = 0;
    },
    frozen: () => frozen,
    stop: () => clearInterval(timer),
  };
}

function ended(code: number | null, signal: NodeJS.Signals | null, reason: string | undefined): void {
  const exitCode = code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  if (signals > 0 || finalCodes.includes(exitCode)) process.exit(exitCode);
  const now = performance.now();
  deaths = [...deaths.filter((at) => now - at <= rules.windowMs), now];
  const how = reason ?? (signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
  if (deaths.length > rules.restarts) {
    say(`The supervisor ${how}; that was ${deaths.length} times within ${rules.windowMs / 1_000} s. Giving up.`);
    process.exit(exitCode);
  }
  const delayMs = deaths.length === 1 ? 0 : firstDelayMs * 2 ** (deaths.length - 2);
  say(`The supervisor ${how}. Starting it again${delayMs === 0 ? '' : ` in ${delayMs / 1_000} s`} (${deaths.length} of at most ${rules.restarts} restarts within ${rules.windowMs / 1_000} s).`);
  waiting = setTimeout(start, delayMs);
}

function onSignal(signal: NodeJS.Signals): void {
  signals += 1;
  clearTimeout(waiting);
  clearTimeout(planned);
  standby?.kill('SIGKILL');
  const stopping = child;
  if (!stopping) process.exit(128 + constants.signals[signal]);
  stopping.kill(signal);
  setTimeout(() => stopping.kill('SIGKILL'), signals === 1 ? orderlyMs : atOnceMs).unref();
}

/** For people in a terminal, as a JSON line like the supervisor's own elsewhere. */
function say(message: string): void {
  process.stdout.write(process.stdout.isTTY ? `\n  ${message}\n\n` : `${JSON.stringify({ level: 'error', time: new Date().toISOString(), pid: process.pid, plane: 'control', msg: message })}\n`);
}

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// From a terminal that went away it means the end; a service manager asks with it to read the configuration again.
process.on('SIGHUP', () => (process.stdout.isTTY ? onSignal('SIGTERM') : child?.kill('SIGHUP')));
start();
