/** Stamps: a step's inputs as one hash, so that a second run knows in milliseconds that nothing is to do. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A short hash of some texts; their borders count. */
export const hashOf = (...texts) => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest('hex').slice(0, 16);
};

/**
 * A hash over the names and contents of every file in `paths` (files or directories; missing ones count as missing).
 * @param {string} base names are taken relative to it, so that two clones agree
 * @param {string[]} paths
 * @param {(path: string) => boolean} skip
 */
export const hashFiles = (base, paths, skip = (_path) => false) => {
  const parts = [];
  for (const path of paths) {
    for (const file of filesBelow(path, skip)) parts.push(relative(base, file), contents(file));
  }
  return hashOf(...parts);
};

/** Whether the stamp at `path` says `value`. */
export const stampIs = (path, value) => contents(path) === value;

/** Writes the stamp: only after the step's result is in place. */
export const writeStamp = (path, value) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
};

const contents = (path) => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

const filesBelow = (path, skip) => {
  if (skip(path)) return [];
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [path];
  }
  return entries
    .map((entry) => entry.name)
    .sort()
    .flatMap((name) => filesBelow(join(path, name), skip));
};
