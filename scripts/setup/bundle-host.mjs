/** Bundles `src/native/host-main.ts`, and each output that it loads later, into `.cache/host`. Run with the Node that runs Lookout: it reads TypeScript. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { digestOf, hostFiles } from '../../src/native/host-entry.ts';
import { root } from './paths.mjs';

const { directory, inputs, source } = hostFiles(root);
const beside = dirname(source);
const later = [...readFileSync(source, 'utf8').matchAll(/\bload<typeof \w+>\('([\w-]+)'\)/gu)].map(([, name]) => join('host', name));
const names = [basename(source, '.ts'), ...later];
const bundle = await rolldown({
  input: Object.fromEntries(names.map((name) => [name, join(beside, `${name}.ts`)])),
  platform: 'node',
  external: [/^node:/u],
});
const { output } = await bundle.write({
  dir: directory,
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  // One file for what several share: each module costs a host more than text it does not run.
  codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  // Names stay: they are what a stack trace is read by.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
});
const files = [...new Set(output.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : [])))].filter((id) => id.startsWith(join(root, 'src'))).map((id) => relative(root, id)).sort();
writeFileSync(inputs, JSON.stringify({ files, digest: digestOf(files, root) }));
