/** Types (server, then page) and lint, both at once: each uses one core. */
import { run } from '../setup/run.mjs';
import { seconds } from '../setup/progress.mjs';
import { root } from '../setup/paths.mjs';

const CHECKS = [
  { name: 'types', command: ['sh', '-c', '"$0" "$1" -p . && "$0" "$1" -p visualizer', process.execPath, 'node_modules/typescript/bin/tsc'] },
  { name: 'lint', command: [process.execPath, 'node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'] },
];

/** Runs them, prints what they say, and resolves to the names of those that failed. */
export const checks = async () => {
  const results = await Promise.all(CHECKS.map(check));
  return results.filter((result) => result !== undefined);
};

const check = async ({ name, command }) => {
  const begin = Date.now();
  const lines = [];
  try {
    await run(command, { cwd: root, onLine: (line) => lines.push(line) });
    console.log(`✔ ${name} [${seconds(Date.now() - begin)}]`);
    return undefined;
  } catch {
    console.log(`✖ ${name} [${seconds(Date.now() - begin)}]\n${lines.join('\n')}`);
    return `failed: ${name}`;
  }
};
