/** Debian's promtool reads the alert rules and the metrics of a running server. It is fetched for this and not installed: its package is 96 MB. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const scraped = join(import.meta.dirname, '..', 'control', 'scraped.test.ts');

/** A promtool: the one on this machine, or the one in Debian's package, unpacked below `dir`. */
function promtoolBelow(dir: string): string {
  if (spawnSync('promtool', ['--version']).error === undefined) return 'promtool';
  // apt fetches as a user of its own where it may, and needs to be let in.
  chmodSync(dir, 0o755);
  if (process.getuid?.() === 0) chownSync(dir, Number(execFileSync('id', ['-u', '_apt'], { encoding: 'utf8' })), 0);
  execFileSync('apt-get', ['download', 'prometheus'], { cwd: dir, stdio: 'pipe' });
  const archive = readdirSync(dir).find((name) => name.endsWith('.deb'));
  assert.ok(archive, 'apt-get fetched a package');
  execFileSync('dpkg-deb', ['--extract', archive, 'unpacked'], { cwd: dir });
  return join(dir, 'unpacked', 'usr', 'bin', 'promtool');
}

test('promtool accepts the alert rules and what a running server exposes', { timeout: 300_000 }, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'lookout-promtool-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', scraped], { env: { ...env, PROMTOOL: promtoolBelow(dir) }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /promtool accepts both/u);
});
