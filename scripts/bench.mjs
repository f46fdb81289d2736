/** `npm run bench [-- name… arguments…]`: runs `test/bench/<name>.ts` with the arguments, all of them when none is named, one after the other. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { inRoot, root } from './setup/paths.mjs';
import { setUpOrExit } from './setup.mjs';

const { node } = await setUpOrExit({ forTests: true });
const available = existsSync(inRoot('test', 'bench'))
  ? readdirSync(inRoot('test', 'bench')).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -'.ts'.length)).sort()
  : [];
// Names first; numbers and `key=value` are the benches' own.
const own = process.argv.slice(2).filter((argument) => /^\d|=/u.test(argument));
const asked = process.argv.slice(2).filter((argument) => !own.includes(argument));
const unknown = asked.filter((name) => !available.includes(name));
if (unknown.length > 0 || available.length === 0) {
  console.error(`No bench called ${unknown.join(', ')}. There are: ${available.join(', ') || 'none'}.`);
  process.exit(2);
}
let failed = 0;
for (const name of asked.length > 0 ? asked : available) {
  console.log(`── bench ${name} ──`);
  const { status } = spawnSync(node, ['--expose-gc', inRoot('test', 'bench', `${name}.ts`), ...own], { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
