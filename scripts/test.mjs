/** `npm test [-- path…]`: set-up with the test-only packages, then everything in Node 24 (`test-run.mjs`). */
import { spawn } from 'node:child_process';
import { inRoot, root } from './setup/paths.mjs';
import { setUpOrExit } from './setup.mjs';

const { node } = await setUpOrExit({ forTests: true });
const runner = spawn(node, [inRoot('scripts', 'test-run.mjs'), ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });

// The terminal and npm signal the runner's group themselves; we stay until it has cleaned up.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
runner.once('exit', (code) => process.exit(code ?? 1));
