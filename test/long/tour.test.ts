/** The commands of docs/tour.md, taken from the page and run in a shell against the real program. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startLookout } from '../support/lookout.ts';

const root = join(import.meta.dirname, '..', '..');

test('every command of the tour does what the page says', async (t) => {
  await using lookout = await startLookout();
  const grpc = await eventually(() => lookout.lines.map((line) => (line.includes('gRPC is served') ? (JSON.parse(line) as { port: number }).port : undefined)).find(Boolean)) as number;
  // Its own directory, with what a clone has: the files it makes are not ours.
  const dir = await mkdtemp(join(tmpdir(), 'lookout-tour-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  for (const name of ['bin', 'src', 'examples', 'node_modules']) await symlink(join(root, name), join(dir, name));

  const page = await readFile(join(root, 'docs', 'tour.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gmsu)].map(([, block = '']) => block);
  assert.ok(blocks.length >= 10, 'the commands were found');
  const replaced: [string, string][] = [['http://127.0.0.1:8085', lookout.url], ['127.0.0.1:50051', `127.0.0.1:${grpc}`], ['15554', String(await freePort())], ['LOOKOUT_TOKEN=…', 'LOOKOUT_TOKEN=test-admin-token-of-this-run']];
  const script = replaced.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), from);
    return text.replaceAll(from, to);
  }, blocks.join('\n'));

  // A failure leaves nothing running.
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (out += text));
  const [code] = await once(shell, 'close') as [number];
  assert.equal(code, 0, out);
  assert.match(out, /"frames": 50, .*"ended": 204/u);
  assert.match(out, /^dock STREAM_STATE_STREAMING live$/mu);
  assert.deepEqual(await lookout.cameras(), []);
});
