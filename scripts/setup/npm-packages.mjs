/** npm's packages: `npm ci`, but only when what is installed differs from the lock file. */
import { existsSync, readFileSync } from 'node:fs';
import { inRoot, root } from './paths.mjs';
import { run } from './run.mjs';

/** Whether node_modules holds what package-lock.json asks for on this machine. */
export const npmIsCurrent = () => {
  const hidden = inRoot('node_modules', '.package-lock.json');
  return existsSync(hidden) && sameTree(readPackages(inRoot('package-lock.json')), readPackages(hidden));
};

/**
 * Compares a lock file with npm's own record of an installation. npm writes the record last, so a torn installation
 * has none. What the lock calls optional may be absent: npm leaves out what is for other systems.
 * @param {Record<string, LockEntry>} locked @param {Record<string, LockEntry>} installed
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} LockEntry
 */
export const sameTree = (locked, installed) => {
  const wanted = Object.keys(locked).filter((path) => path !== '');
  const allThere = wanted.every((path) => (installed[path] ? sameEntry(locked[path], installed[path]) : mayBeAbsent(locked[path])));
  return allThere && Object.keys(installed).every((path) => path in locked);
};

/** Runs `npm ci`. Scripts stay off: the two packages that need building are built by steps of their own. */
export const installNpmPackages = async (step) => {
  step.report(`${Object.keys(readPackages(inRoot('package-lock.json'))).length - 1} packages`);
  await run([...npm(), 'ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    what: 'npm ci',
    env: cleanNpmEnvironment(),
  });
};

/** How to run npm: the one that runs us, else the one on the path. */
export const npm = (environment = process.env) =>
  environment.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, environment.npm_execpath] : ['npm'];

/** `npm start` hands its own settings down as npm_*; an inner npm must read the configuration afresh. */
export const cleanNpmEnvironment = (environment = process.env) =>
  Object.fromEntries(
    Object.keys(environment)
      .filter((name) => /^npm_(command|lifecycle|package|node_execpath)/.test(name))
      .map((name) => [name, undefined]),
  );

const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
const sameEntry = (a, b) => a.version === b.version && a.integrity === b.integrity;
const mayBeAbsent = (entry) => entry.optional === true || entry.devOptional === true;
