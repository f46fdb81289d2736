/** The repository's own source files, with what each imports: the ground the architecture tests stand on. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One import or re-export. `target` is a path from the root for our own files, else the package's or `node:` name. */
export type Import = { target: string; ours: boolean; typeOnly: boolean };

/** A file of ours: `path` from the root with `/`. */
export type SourceFile = { path: string; text: string; imports: Import[] };

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const SKIPPED = new Set(['node_modules', 'dist', '.cache']);

/** Every TypeScript and JavaScript file below the given directories, in path order. */
export function sourceFiles(...directories: string[]): SourceFile[] {
  return directories
    .flatMap((directory) => walk(join(root, directory)))
    .filter((path) => /\.(ts|tsx|mjs|js)$/.test(path))
    .map((path) => relative(root, path))
    .sort()
    .map(read);
}

function read(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, imports: importsOf(path, text) };
}

/** What `text`, the file at `path`, imports: statically, dynamically, by `require` or by `new URL(…, import.meta.url)` of a module. */
export function importsOf(path: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const ours = specifier.startsWith('.');
    found.push({ target: ours ? join(dirname(path), specifier) : packageOf(specifier), ours, typeOnly });
  };
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'"`;]*?from\s*['"]([^'"]+)['"]/gm)) add(match[2]!, match[1] !== undefined);
  for (const match of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) add(match[1]!, false);
  for (const match of code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g)) add(match[1]!, isTypeQuery(code, match.index));
  return found;
}

/** `import('x').Y` in a type position is erased; a call is awaited, returned or chained. */
function isTypeQuery(code: string, index: number): boolean {
  return /(typeof|:|<|=>|\||as)\s*$/.test(code.slice(Math.max(0, index - 12), index));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const [first, second] = specifier.split('/');
  return specifier.startsWith('@') ? `${first}/${second}` : first!;
}

function walk(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}
