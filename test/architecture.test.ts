/** What keeps the code in shape: who may import whom, file size, and catalogues that match their documents. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorCatalogue, failureClasses } from '../src/errors.ts';
import { importsOf, root, sourceFiles } from './support/source-files.ts';
import type { Import, SourceFile } from './support/source-files.ts';

const src = sourceFiles('src');
const page = sourceFiles('visualizer').filter((file) => !/\.config\.[tj]s$/.test(file.path));
const tests = sourceFiles('test');

/** `src/errors.ts`, `src/log.ts`, the configuration's types, what both sides of it share, the rule of what WebRTC carries, and what the kernel grants: what everybody may use. */
const COMMON = ['errors', 'log', 'camera-url', 'camera-config', 'config', 'config-schema', 'config-secrets', 'media', 'carriage', 'streams', 'certificate', 'watch-file', 'receive-buffer'];

/**
 * Who may import whom inside `src` (design §4): folder → folders. Folders after `types` lend their types only. `rtsp`
 * and `rtp` are protocol libraries without a process: hosts, probe and simulator share them.
 */
const MAY_IMPORT: Record<string, { code: string[]; types: string[] }> = {
  machines: { code: [], types: [] },
  native: { code: ['rtsp', 'rtp', 'recordings'], types: [] },
  actors: { code: ['machines', 'native', 'rtsp', 'rtp'], types: ['api', 'store'] },
  api: { code: ['store'], types: ['machines'] },
  store: { code: [], types: ['api'] },
  /** Files and their names, for the hosts that write them and for who keeps them. */
  recordings: { code: [], types: [] },
  // The composition of one program, behind main.ts: it knows all, and nobody but main.ts knows it.
  control: { code: ['machines', 'native', 'actors', 'api', 'store', 'rtsp', 'rtp', 'recordings', 'camera-sim'], types: [] },
  rtsp: { code: [], types: [] },
  rtp: { code: [], types: [] },
  'camera-sim': { code: ['rtsp', 'rtp'], types: [] },
  cli: { code: [], types: ['api'] },
};

describe('imports', () => {
  it('run one way between the folders of src', () => {
    assert.deepEqual(src.flatMap(wrongWay), []);
  });

  it('of a machine are xstate, other machines and plain types, because a machine is pure', () => {
    const foreign = inFolder('machines').flatMap((file) => outside(file, (used) => !used.ours && !used.typeOnly && used.target !== 'xstate'));
    const impure = inFolder('machines').flatMap((file) => outside(file, (used) => used.target === 'src/log.ts' || used.target === 'src/config.ts'));
    assert.deepEqual([...foreign, ...impure], []);
  });

  it('reach gstreamer-superficial through src/native/gst.ts alone, and never from the supervisor', () => {
    const naming = src.filter((file) => /['"]gstreamer-superficial['"]/.test(withoutComments(file.text))).map((file) => file.path);
    assert.deepEqual(naming.filter((path) => path !== 'src/native/gst.ts'), []);
    assert.equal(pathTo('src/main.ts', 'src/native/gst.ts'), undefined);
  });

  it('of the page are packages, its own files and the types of api/protocol and errors', () => {
    const allowed = ['src/api/protocol.ts', 'src/errors.ts'];
    const wrong = page.flatMap((file) => outside(file, (used) => used.ours && !used.target.startsWith('visualizer/') && !allowed.includes(used.target)));
    assert.deepEqual(wrong, []);
  });

  it('are all seen by the reader above', () => {
    const text = ["import type { A } from './a.ts';", "import {\n  b,\n} from '../b.ts';", "import '@scope/c/d';", "const e = await import('./e.ts');", "// import './no.ts'", "let f: import('./f.ts').F;"].join('\n');
    const seen = importsOf('src/api/x.ts', text).map(({ target, typeOnly }) => `${target}${typeOnly ? ' (type)' : ''}`);
    assert.deepEqual(seen.sort(), ['@scope/c', 'src/api/a.ts (type)', 'src/api/e.ts', 'src/api/f.ts (type)', 'src/b.ts']);
  });
});

describe('files', () => {
  it('have at most 300 lines', () => {
    const long = [...src, ...page, ...tests, ...sourceFiles('scripts')].filter((file) => file.text.split('\n').length - 1 > 300);
    assert.deepEqual(long.map((file) => file.path), []);
  });

  it('say in their first line what they are for', () => {
    const silent = [...src, ...page, ...tests, ...sourceFiles('scripts')].filter((file) => !/^(#!.*\n)?\/[/*]/.test(file.text));
    assert.deepEqual(silent.map((file) => file.path), []);
  });

  it('of tests run every test: nothing is skipped, focused or left to do', () => {
    const partial = tests.filter((file) => /\b(?:it|test|describe|suite)\.(?:only|skip|todo)\b|\b(?:only|todo):\s*true/.test(withoutComments(file.text)));
    assert.deepEqual(partial.map((file) => file.path), []);
  });
});

describe('documents', () => {
  it('list every failure class in docs/failures.md', () => {
    assert.deepEqual(notIn('docs/failures.md', failureClasses), []);
  });

  it('list every error code in docs/api.md', () => {
    assert.deepEqual(notIn('docs/api.md', Object.keys(errorCatalogue)), []);
  });
});

function wrongWay(file: SourceFile): string[] {
  const from = folderOf(file.path);
  if (from === 'main') return [];
  return outside(file, (used) => used.ours && !mayImport(from, used));
}

function mayImport(from: string, used: Import): boolean {
  const to = folderOf(used.target);
  const rule = MAY_IMPORT[from];
  if (to === from || COMMON.includes(to)) return true;
  return rule !== undefined && (rule.code.includes(to) || (used.typeOnly && rule.types.includes(to)));
}

/** `src/native/gst.ts` → `native`; a file directly in src is a folder of its own: `src/log.ts` → `log`. */
function folderOf(path: string): string {
  return path.split('/')[1]!.replace(/\.ts$/, '');
}

function inFolder(folder: string): SourceFile[] {
  return src.filter((file) => folderOf(file.path) === folder);
}

function outside(file: SourceFile, forbidden: (used: Import) => boolean): string[] {
  return file.imports.filter(forbidden).map((used) => `${file.path} → ${used.target}${used.typeOnly ? ' (type)' : ''}`);
}

/** The chain of imports that survive type stripping from one file to another, if there is one. */
function pathTo(start: string, goal: string): string | undefined {
  const byPath = new Map(src.map((file) => [file.path, file]));
  const queue = [[start]];
  const seen = new Set([start]);
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const last = chain.at(-1)!;
    if (last === goal) return chain.join(' → ');
    for (const { target, ours, typeOnly } of byPath.get(last)?.imports ?? []) {
      if (!ours || typeOnly || seen.has(target)) continue;
      seen.add(target);
      queue.push([...chain, target]);
    }
  }
  return undefined;
}

function notIn(document: string, words: readonly string[]): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  return words.filter((word) => !text.includes(`\`${word}\``));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
