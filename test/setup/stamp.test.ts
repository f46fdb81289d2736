/** Stamps: the same inputs have the same hash, and every change shows. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hashFiles, hashOf, stampIs, writeStamp } from '../../scripts/setup/stamp.mjs';

describe('a stamp', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'lookout-stamp-'));
    mkdirSync(join(base, 'sources', 'dist'), { recursive: true });
    writeFileSync(join(base, 'sources', 'a.ts'), 'one');
    writeFileSync(join(base, 'sources', 'dist', 'built.js'), 'x');
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const hash = (): string => hashFiles(base, [join(base, 'sources'), join(base, 'missing')], (path: string) => path.endsWith('dist'));

  it('stays the same while names and contents stay the same', () => {
    assert.equal(hash(), hash());
  });

  it('changes with a content, a name and a new file', () => {
    const before = hash();
    writeFileSync(join(base, 'sources', 'a.ts'), 'two');
    const changed = hash();
    writeFileSync(join(base, 'sources', 'b.ts'), '');
    assert.equal(new Set([before, changed, hash()]).size, 3);
  });

  it('changes when a missing file appears, and does not look at what is skipped', () => {
    const before = hash();
    writeFileSync(join(base, 'sources', 'dist', 'built.js'), 'y');
    assert.equal(hash(), before);
    writeFileSync(join(base, 'missing'), 'now here');
    assert.notEqual(hash(), before);
  });

  it('keeps the border between two texts', () => {
    assert.notEqual(hashOf('ab', 'c'), hashOf('a', 'bc'));
  });

  it('is not there before it was written, and is exact afterwards', () => {
    const path = join(base, 'stamps', 'page');
    assert.equal(stampIs(path, 'abc'), false);
    writeStamp(path, 'abc');
    assert.equal(stampIs(path, 'abc'), true);
    assert.equal(stampIs(path, 'abd'), false);
  });
});
