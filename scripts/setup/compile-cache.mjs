/**
 * The hosts' compile cache. A TypeScript child costs 12 MB and 50 ms more than a JavaScript one, unless it starts
 * with a cache that an earlier process flushed; so set-up runs the host's entry once and has it flush.
 */
import { rmSync } from 'node:fs';
import { findNode } from './node.mjs';
import { compileCache, inRoot, root } from './paths.mjs';
import { run } from './run.mjs';
import { hashFiles, hashOf, stampIs, writeStamp } from './stamp.mjs';

const hostMain = inRoot('src', 'native', 'host-main.ts');
const stamp = inRoot('.cache', 'stamps', 'compile');

/** Whether the cache fits the sources and the Node. */
export const compileCacheIsCurrent = () => stampIs(stamp, inputs());

/** Empties the cache and fills it by `host-main.ts --prime`. */
export const primeCompileCache = async () => {
  const value = inputs();
  rmSync(compileCache, { recursive: true, force: true });
  await run([findNode().bin, hostMain, '--prime'], {
    cwd: root,
    what: 'Priming the compile cache',
    env: { NODE_COMPILE_CACHE: compileCache },
    deadlineMs: 60_000,
  });
  writeStamp(stamp, value);
};

// The cache knows its files by their paths: a checkout that was moved has to fill it anew.
const inputs = () => hashOf(findNode().version, root, hashFiles(root, [inRoot('src')]));
