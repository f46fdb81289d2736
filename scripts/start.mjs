/** `npm start [-- arguments]`: set-up, then the program under its guardian in Node 24, with its signals and its exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { inRoot } from './setup/paths.mjs';
import { setUpOrExit } from './setup.mjs';

/** A Ctrl-C arrives twice, from the terminal and from npm; a person's second one comes later than this. */
const SAME_SIGNAL_MS = 250;

const { node, compileCache } = await setUpOrExit();

// A session of its own (detached): signals reach the program through us only, once. `setpriv` ends it with us.
const program = spawn('setpriv', ['--pdeathsig', 'TERM', node, inRoot('src', 'cli', 'guardian.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  detached: true,
  env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
});

const lastAt = new Map();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const now = performance.now();
    if (now - (lastAt.get(signal) ?? -Infinity) > SAME_SIGNAL_MS) program.kill(signal === 'SIGHUP' && process.stdout.isTTY ? 'SIGTERM' : signal);
    lastAt.set(signal, now);
  });
}

program.once('error', (error) => {
  console.error(`The program cannot be started: ${error.message}`);
  process.exit(1);
});
program.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
