/** The web page: built by vite when one of its sources changed. */
import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { findNode } from './node.mjs';
import { inRoot, root } from './paths.mjs';
import { run } from './run.mjs';
import { hashFiles, hashOf, stampIs, writeStamp } from './stamp.mjs';

const stamp = inRoot('.cache', 'stamps', 'page');

/** Whether `visualizer/dist` was built from the sources as they are. */
export const pageIsCurrent = () => existsSync(inRoot('visualizer', 'dist', 'index.html')) && stampIs(stamp, pageInputs());

/** Builds the page. */
export const buildPage = async () => {
  const inputs = pageInputs();
  await run([findNode().bin, inRoot('node_modules', 'vite', 'bin', 'vite.js'), 'build', 'visualizer'], { cwd: root, what: 'Building the page' });
  writeStamp(stamp, inputs);
};

const dist = `${sep}dist`;

const pageInputs = () =>
  hashOf(
    // What of src the page may import is fixed by the import rule in test/architecture.test.ts.
    hashFiles(root, ['visualizer', 'src/api/protocol.ts', 'src/errors.ts', 'package-lock.json'].map((name) => inRoot(name)), (path) => path.endsWith(dist)),
  );
