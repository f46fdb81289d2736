/** The documents can be followed: links lead somewhere, commands, flags, variables, settings and files that they name exist. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { statechartsDocument } from '../scripts/statecharts.ts';
import { helpText, settings } from '../src/config.ts';
import { errorCatalogue } from '../src/errors.ts';

const root = join(import.meta.dirname, '..');
const paths = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'visualizer/README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const documents = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const { scripts, dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<'scripts' | 'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>;

/** Variables that no setting has: where the file is, and what only developers use. */
const variablesBeside = ['LOOKOUT_CONFIG', 'LOOKOUT_URL', 'LOOKOUT_WRITE_DOCS', 'LOOKOUT_INSTANCE', 'LOOKOUT_MUTANT', 'LOOKOUT_MUTANTS'];

/** Every match of the pattern's first group in all documents that `known` does not accept, with its document. */
function unknown(pattern: RegExp, known: (found: string, path: string) => boolean): string[] {
  return documents.flatMap(({ path, text }) => [...text.matchAll(pattern)]
    .map((match) => match[1] ?? '').filter((found) => !known(found, path)).map((found) => `${path}: ${found}`));
}

/** Headings as a forge makes anchors of them. */
function anchors(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gmu)].map((match) => (match[1] ?? '').toLowerCase().replace(/[^\p{Letter}\p{Number} _-]/gu, '').replaceAll(' ', '-'));
}

function leads(link: string, path: string): boolean {
  if (/^[a-z]+:/u.test(link)) return true;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? join(root, path) : resolve(root, dirname(path), file);
  return existsSync(target) && (anchor === undefined || anchors(target).includes(anchor));
}

describe('the documents', () => {
  it('are found by the test', () => {
    for (const needed of ['docs/decisions.md', 'docs/deployment.md', 'docs/failures.md', 'docs/statecharts.md']) assert.ok(paths.includes(needed), needed);
  });

  it('link to files and headings that exist', () => {
    assert.deepEqual(unknown(/\]\(([^)\s]+)\)/gu, leads), []);
    assert.deepEqual(unknown(/\bsrc(?:set)?="([^"]+)"/gu, leads), []);
  });

  it('name npm scripts and benches that exist', () => {
    assert.deepEqual(unknown(/\bnpm run ([\w:-]+)/gu, (name) => name in scripts), []);
    assert.deepEqual(unknown(/\bnpm run bench -- ([\w-]+)/gu, (name) => existsSync(join(root, 'test/bench', `${name}.ts`))), []);
  });

  it('name environment variables and error codes that exist', () => {
    const known = new Set([...settings().map(({ schema }) => schema.env), ...Object.keys(errorCatalogue), ...variablesBeside]);
    assert.deepEqual(unknown(/\b(LOOKOUT_[A-Z_]*[A-Z])\b/gu, (name) => known.has(name)), []);
  });

  it('name flags that the program has, and the simulator those that it has', () => {
    const simulatorHelp = execFileSync(process.execPath, [join(root, 'src/camera-sim/main.ts'), '--help'], { encoding: 'utf8' });
    const cliHelp = readdirSync(join(root, 'src/cli/commands')).map((file) => execFileSync(process.execPath, [join(root, 'src/cli/main.ts'), file.replace('.ts', ''), '--help'], { encoding: 'utf8' })).join('\n');
    const has = (help: string) => (flags: string): boolean => [...flags.matchAll(/--[a-z][a-z-]*/gu)].every(([flag]) => help.includes(flag));
    assert.deepEqual(unknown(/`(--[a-z-]+)[ `]/gu, (flag) => flag === '--help' || has(helpText())(flag) || has(simulatorHelp)(flag) || has(cliHelp)(flag)), []);
    assert.deepEqual(unknown(/\blookout (?:check|cameras|tokens|config|doctor) ([^\n`]*)/gu, has(cliHelp)), []);
    assert.deepEqual(unknown(/npm start -- ([^\n`]*)/gu, has(helpText())), []);
    assert.deepEqual(unknown(/src\/main\.ts ([^\n`]*)/gu, has(helpText())), []);
    assert.deepEqual(unknown(/src\/camera-sim\/main\.ts ([^\n`]*)/gu, has(simulatorHelp)), []);
  });

  it('name settings that exist', () => {
    const all = settings().map(({ path }) => path);
    const sections = new Set(all.filter((path) => path.includes('.')).map((path) => path.slice(0, path.indexOf('.'))));
    const known = (name: string): boolean => !sections.has(name.slice(0, name.indexOf('.'))) || all.some((path) => path === name || path.startsWith(`${name}.`));
    assert.deepEqual(unknown(/`([a-z]\w*(?:\.\w+)+)`/gu, (name) => /\.(?:ts|js|md|yaml|db|key|json)$/u.test(name) || known(name)), []);
  });

  it('name files that exist', () => {
    assert.deepEqual(unknown(/(?:^|[\s`(])((?:src|test|scripts|visualizer)\/[\w./-]+\.\w+)/gmu, (file, path) => file === 'test/x.test.ts' || existsSync(join(root, file)) || existsSync(resolve(root, dirname(path), file))), []);
  });

  it('give a reason for every dependency, and for no other', () => {
    const table = documents.find(({ path }) => path === 'docs/decisions.md')?.text.split('## Dependencies')[1] ?? '';
    const rows = [...table.matchAll(/^\| (`[^|]+) \|/gmu)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/gu)].map((match) => match[1] ?? ''));
    const installed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    const covers = (row: string, name: string): boolean => row === name || (row.endsWith('/*') && name.startsWith(row.slice(0, -1)));
    assert.deepEqual(installed.filter((name) => !rows.some((row) => covers(row, name))), []);
    assert.deepEqual(rows.filter((row) => !installed.some((name) => covers(row, name))), []);
  });
});

it('docs/statecharts.md is what the machines are', () => {
  const file = join(root, 'docs/statecharts.md');
  const expected = statechartsDocument();
  if (process.env['LOOKOUT_WRITE_DOCS'] === '1') writeFileSync(file, expected);
  assert.equal(readFileSync(file, 'utf8'), expected, 'run again with LOOKOUT_WRITE_DOCS=1');
});
