/**
 * Where a host process begins. Set-up bundles its program into a few CommonJS files without comments: what Node needs to strip types,
 * to load modules one by one and to keep their text is 1.7 MB of each host's private memory (docs/performance.md).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');

/** Of a repository: where the bundle is, what it was made of, and the sources' own entry. */
export const hostFiles = (root = repository) => ({
  directory: join(root, '.cache', 'host'),
  bundle: join(root, '.cache', 'host', 'host-main.cjs'),
  inputs: join(root, '.cache', 'host', 'inputs.json'),
  source: join(root, 'src', 'native', 'host-main.ts'),
});

/** What a bundle was made of: paths below the repository, and one hash of them all. */
export type BundleInputs = { files: string[]; digest: string };

/** Hash (SHA-256, hex) of the names and contents of files below `root`. Throws where one is missing. */
export function digestOf(files: readonly string[], root = repository): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(join(root, file))).update('\0');
  return hash.digest('hex');
}

/** The bundle where it fits the sources as they are now, else the sources: never a program that is older than what is read here. */
export function hostEntry(root = repository): string {
  const { bundle, inputs, source } = hostFiles(root);
  try {
    const { files, digest } = JSON.parse(readFileSync(inputs, 'utf8')) as BundleInputs;
    return digestOf(files, root) === digest ? bundle : source;
  } catch {
    return source;
  }
}
