/** The Node everything of ours runs with: 24, which npm brings as a package, whatever Node started us. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot } from './paths.mjs';
import { SetupProblem } from './problem.mjs';

/** The major version the program needs: it strips types, has `node:sqlite` and a portable compile cache. */
export const NODE_MAJOR = 24;

/**
 * `{ bin, version, headers }` of Node 24: the package's, else the Node that runs us where it is new enough.
 * @returns {{ bin: string, version: string, headers: string }}
 */
export const findNode = () => {
  const home = inRoot('node_modules', `node-${process.platform}-${process.arch}`);
  const bin = join(home, 'bin', 'node');
  if (existsSync(bin)) return { bin, version: JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version, headers: home };
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) {
    const own = realpathSync(process.execPath);
    return { bin: own, version: process.versions.node, headers: dirname(dirname(own)) };
  }
  throw new SetupProblem(
    `npm brought no Node ${NODE_MAJOR} for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}.\n` +
      `Install Node ${NODE_MAJOR} and run the command again (or allow npm's optional dependencies: npm config delete omit).`,
  );
};
