/**
 * Makes a fresh Debian 12 with Node and npm ready to run Lookout; `npm start` and `npm test` begin with it.
 * Every step first asks whether it is done, so that a second run says nothing and takes a fraction of a second.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { addonIsCurrent, buildAddon } from './setup/addon.mjs';
import { RUNTIME, TESTS, WORKER, installPackages, missingPackages } from './setup/debian-packages.mjs';
import { buildGstPlugin, gstPluginIsCurrent } from './setup/gst-plugin.mjs';
import { buildHostBundle, hostBundleIsCurrent } from './setup/host-bundle.mjs';
import { withLock } from './setup/lock.mjs';
import { findNode } from './setup/node.mjs';
import { installNpmPackages, npmIsCurrent } from './setup/npm-packages.mjs';
import { buildPage, pageIsCurrent } from './setup/page.mjs';
import { compileCache, inRoot, setupFile } from './setup/paths.mjs';
import { SetupProblem } from './setup/problem.mjs';
import { seconds, startStep } from './setup/progress.mjs';
import { obtainWorker, workerPath, workerRuns } from './setup/worker.mjs';

/**
 * The steps in order. `isCurrent` is asked right before `work`, because a step changes what the next one finds.
 * @param {{ forTests: boolean }} options
 * @returns {{ title: string, isCurrent: () => boolean | Promise<boolean>, work: (step: object) => Promise<void> }[]}
 */
const steps = ({ forTests }) => {
  let missing = [];
  return [
    {
      title: 'Debian packages',
      isCurrent: async () => (missing = await missingPackages(forTests ? [...RUNTIME, ...TESTS] : RUNTIME)).length === 0,
      work: (step) => installPackages(missing, step, WORKER),
    },
    { title: 'npm packages', isCurrent: npmIsCurrent, work: installNpmPackages },
    { title: 'GStreamer addon', isCurrent: addonIsCurrent, work: buildAddon },
    { title: 'GStreamer plugin', isCurrent: gstPluginIsCurrent, work: buildGstPlugin },
    { title: 'mediasoup worker', isCurrent: () => workerRuns(workerPath()), work: obtainWorker },
    { title: 'web page', isCurrent: pageIsCurrent, work: buildPage },
    { title: 'program of the hosts', isCurrent: hostBundleIsCurrent, work: buildHostBundle },
  ];
};

/**
 * Runs what is still to do and writes `.cache/setup.json`.
 * @param {{ forTests?: boolean }} options test-only Debian packages as well
 * @returns {Promise<{ node: string, workerBin: string, compileCache: string }>}
 */
export const setUp = async ({ forTests = false } = {}) => {
  requireNode();
  const begin = Date.now();
  let worked = 0;
  await withLock(
    inRoot('.cache', 'setup.lock'),
    async () => {
      for (const { title, isCurrent, work } of steps({ forTests })) {
        if (await isCurrent()) continue;
        if (worked++ === 0) console.log('Setting Lookout up (once; later starts skip this):');
        await doStep(title, work);
      }
      writeResult();
    },
    () => console.log('Another set-up is running in this folder; waiting for it.'),
  );
  if (worked > 0) console.log(`Set up in ${seconds(Date.now() - begin)}.\n`);
  return result();
};

/** Runs `setUp` for a script: a problem is printed without a stack and ends the process with 1. */
export const setUpOrExit = async (options) => {
  try {
    return await setUp(options);
  } catch (error) {
    console.error(error instanceof SetupProblem ? `\n${error.message}` : error);
    process.exit(1);
  }
};

const doStep = async (title, work) => {
  const step = startStep(title);
  try {
    await work(step);
  } catch (error) {
    step.failed();
    throw error;
  }
  step.done();
};

const requireNode = () => {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new SetupProblem(`Set-up needs Node 20 or newer; this is ${process.versions.node}.`);
};

const result = () => ({ node: findNode().bin, workerBin: workerPath(), compileCache });

const writeResult = () => {
  const text = `${JSON.stringify(result(), undefined, 2)}\n`;
  // Written only when it changed: a running program may be reading it.
  if (existsSync(setupFile) && readFileSync(setupFile, 'utf8') === text) return;
  mkdirSync(dirname(setupFile), { recursive: true });
  writeFileSync(setupFile, text);
};
