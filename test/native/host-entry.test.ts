/** Where a host begins: the bundle that set-up made, never one that does not fit the sources; and when it gives memory back. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { hostEntry, hostFiles, type BundleInputs } from '../../src/native/host-entry.ts';
import { createTidier } from '../../src/native/host/tidy.ts';
import { record, startPool } from '../support/hosts.ts';

const root = join(import.meta.dirname, '..', '..');

test('hosts begin in the bundle, until one of its sources is another one', () => {
  assert.equal(hostEntry(), hostFiles().bundle, 'set-up has bundled the hosts');
  const copy = mkdtempSync(join(tmpdir(), 'lookout-host-entry-'));
  try {
    const { inputs, bundle, source } = hostFiles(copy);
    assert.equal(hostEntry(copy), source, 'nothing was bundled');
    const { files } = JSON.parse(readFileSync(hostFiles().inputs, 'utf8')) as BundleInputs;
    assert.ok(files.includes('src/native/host-main.ts') && files.includes('src/native/host/record.ts') && files.includes('src/errors.ts'));
    for (const file of [...files, '.cache/host/inputs.json']) cpSync(join(root, file), join(copy, file), { recursive: true });
    assert.equal(hostEntry(copy), bundle);
    const changed = join(copy, 'src/native/host/source.ts');
    writeFileSync(changed, `${readFileSync(changed, 'utf8')}\n`);
    assert.equal(hostEntry(copy), source, 'a source is newer');
    rmSync(dirname(changed), { recursive: true });
    assert.equal(hostEntry(copy), source, 'sources are gone');
    writeFileSync(inputs, '{');
    assert.equal(hostEntry(copy), source, 'the list cannot be read');
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test('a host that runs from the bundle refuses what it cannot build with words, for each kind of output that it loads later', async () => {
  const hosts = startPool();
  try {
    const host = await hosts.pool.take('camera:one/source');
    const said = record(host);
    const hub = { port: 1, codec: 'H264' as const, gopMs: 1_000 };
    host.send({ type: 'output.start', spec: { output: 'record', camera: 'one', hub, dir: join(tmpdir(), 'lookout-nothing-here'), segmentMs: 1_000, segmentBytes: 1_000_000 } });
    await said.next('output.finished', 10_000);
    // Not before it has said something: while it is being started it has no command line.
    assert.match(readFileSync(`/proc/${host.pid}/cmdline`, 'utf8'), /host-main\.cjs/u);
  } finally {
    await hosts.close();
  }
});

test('memory is given back once a start is over, and from time to time since', () => {
  let [at, times] = [0, 0];
  const tidier = createTidier({ now: () => at, tidy: () => { times += 1; } });
  const turns = (until: number): number => {
    for (; at < until; at += 1_000) tidier.turn();
    return times;
  };
  assert.equal(turns(9_000), 0);
  tidier.began();
  assert.equal(turns(18_000), 0, 'something started meanwhile');
  assert.equal(turns(20_000), 1);
  assert.equal(turns(600_000), 1);
  assert.equal(turns(1_900_000), 4);
});
