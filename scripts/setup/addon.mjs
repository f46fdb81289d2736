/** gstreamer-superficial, built against the headers of the Node that will load it. */
import { readFileSync, statSync } from 'node:fs';
import { findNode } from './node.mjs';
import { inRoot, root } from './paths.mjs';
import { cleanNpmEnvironment, npm } from './npm-packages.mjs';
import { run, succeeds } from './run.mjs';
import { hashOf, stampIs, writeStamp } from './stamp.mjs';
import { SetupProblem } from './problem.mjs';

const home = inRoot('node_modules', 'gstreamer-superficial');
const binary = `${home}/build/Release/gstreamer-superficial.node`;
const stamp = `${home}/build/.lookout`;

/** Whether the addon is the one that was seen to load with this Node. */
export const addonIsCurrent = () => {
  const value = stampValue();
  return value !== undefined && stampIs(stamp, value);
};

/** Builds the addon unless it loads already, and proves that it does. */
export const buildAddon = async (step) => {
  const node = findNode();
  if (!(await loads(node.bin))) {
    step.report('compiling');
    await run([...npm(), 'rebuild', 'gstreamer-superficial', '--foreground-scripts', '--loglevel=error'], {
      cwd: root,
      what: 'Building gstreamer-superficial',
      // nodedir: an npm configured for another Node (Debian's sets /usr) would build for that one.
      env: { ...cleanNpmEnvironment(), npm_config_nodedir: node.headers, npm_config_ignore_scripts: 'false' },
    });
    if (!(await loads(node.bin))) throw new SetupProblem(`gstreamer-superficial was built but does not load in ${node.bin}.`);
  }
  writeStamp(stamp, stampValue());
};

const loads = (bin) =>
  succeeds([bin, '-e', "new (require('gstreamer-superficial').Pipeline)('fakesrc ! fakesink')"], { cwd: root, deadlineMs: 30_000 });

const stampValue = () => {
  const built = statSync(binary, { throwIfNoEntry: false });
  if (!built) return undefined;
  return hashOf(findNode().version, readFileSync(`${home}/package.json`, 'utf8'), `${built.size} ${built.mtimeMs}`);
};
