/** Which test files run when, how many at once, and how long one may take. */
import { readdirSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { inRoot } from '../setup/paths.mjs';

/** Folders whose tests are quick and disturb nobody; `''` is `test` itself. What is not named here counts as heavy. */
const QUICK = ['', 'setup', 'machines', 'rtp', 'rtsp', 'store', 'api'];
/** Folders and files whose tests start processes but mostly wait for them: two at a time leave each of them a core, and more where cores have nothing to do. */
const WAITING = [
  'cli/', 'recordings/', 'camera-sim/', 'native/', 'actors/', 'control/', 'start/', 'e2e/page/',
  ...['balance', 'flight', 'frames', 'injection', 'model', 'recording', 'redirect', 'respawn', 'shutdown'].map((name) => `faults/${name}.test.ts`),
  ...['demo', 'foreign', 'hls', 'recorded'].map((name) => `e2e/${name}.test.ts`),
];
const waits = (name) => WAITING.some((start) => name.startsWith(start));
/** The order of the heavy ones, from the ground up: what breaks below is the cause of what breaks above. Others come first. */
const ORDER = ['camera-sim', 'native', 'actors', 'control', 'start', 'faults', 'e2e'];
/** Not part of `npm test`: hours, figures, and helpers. */
const NOT_HERE = ['long', 'bench', 'support'];

/** @type {{ name: string, concurrency: number, most: number, timeoutMs: number, has: (name: string) => boolean }[]} `most`: at once while cores have nothing to do; `has`: by the path below `test` */
export const LANES = [
  { name: 'quick', concurrency: 2, most: 4, timeoutMs: 120_000, has: (name) => QUICK.includes(folderOf(name)) },
  { name: 'processes', concurrency: 2, most: 3, timeoutMs: 300_000, has: waits },
  // The whole program with browsers or faults: each has the machine to itself.
  { name: 'the whole program', concurrency: 1, most: 1, timeoutMs: 300_000, has: (name) => !waits(name) && ![...QUICK, ...NOT_HERE].includes(folderOf(name)) },
];

/**
 * The lane's files in order; with `only`, those below one of its paths.
 * @param {(typeof LANES)[number]} lane
 * @param {string[]} only
 */
export const chooseFiles = (lane, only, base = inRoot('test')) => {
  const wanted = only.map((path) => resolve(path));
  return readdirSync(base, { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && lane.has(name.replaceAll(sep, '/')))
    .sort((a, b) => ORDER.indexOf(folderOf(a)) - ORDER.indexOf(folderOf(b)) || a.localeCompare(b))
    .map((name) => `${base}${sep}${name}`)
    .filter((file) => wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(path + sep)));
};

const folderOf = (name) => (name.includes('/') ? name.split('/')[0] : '');
