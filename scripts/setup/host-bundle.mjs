/** The program of the hosts, bundled: `src/native/host-entry.ts` says what for. */
import { existsSync, rmSync } from 'node:fs';
import { findNode } from './node.mjs';
import { inRoot, root } from './paths.mjs';
import { run } from './run.mjs';
import { hashFiles, hashOf, stampIs, writeStamp } from './stamp.mjs';

const stamp = inRoot('.cache', 'stamps', 'host');
const directory = inRoot('.cache', 'host');

/** Whether the bundle fits the sources. */
export const hostBundleIsCurrent = () => existsSync(directory) && stampIs(stamp, inputs());

/** Bundles. */
export const buildHostBundle = async () => {
  const value = inputs();
  rmSync(directory, { recursive: true, force: true });
  await run([findNode().bin, inRoot('scripts', 'setup', 'bundle-host.mjs')], { cwd: root, what: 'Bundling the program of the hosts', deadlineMs: 60_000 });
  writeStamp(stamp, value);
};

const inputs = () => hashOf(findNode().version, hashFiles(root, ['src', 'scripts/setup/bundle-host.mjs', 'package-lock.json'].map((name) => inRoot(name))));
