/** `npm run test:long`: the tests that take long or need root (`test/long`), one at a time. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { inRoot, root } from './setup/paths.mjs';
import { setUpOrExit } from './setup.mjs';

const { node } = await setUpOrExit({ forTests: true });
const files = readdirSync(inRoot('test', 'long'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => inRoot('test', 'long', name))
  .sort();
const { status } = spawnSync(node, ['--test', '--test-concurrency=1', ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
