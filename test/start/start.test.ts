/** `npm start` as people and service managers use it: its signals reach the program once, its exit code comes back. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { root } from '../support/source-files.ts';
import { eventually } from '../support/eventually.ts';

describe('npm start', () => {
  let data: string;
  before(() => {
    data = mkdtempSync(join(tmpdir(), 'lookout-start-'));
  });
  after(() => rmSync(data, { recursive: true }));
  afterEach(() => {
    for (const pid of programs(data)) process.kill(pid, 'SIGKILL');
  });

  const start = (...args: string[]) => {
    const npm = spawn('npm', ['start', '--', '--no-demo', '--port', '0', '--data', data, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LOOKOUT_GRPC_PORT: '0' } });
    const started = { npm, output: '', ended: once(npm, 'close') as Promise<[number | null, string | null]> };
    for (const stream of [npm.stdout, npm.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (started.output += text));
    return started;
  };
  const untilRunning = (started: { output: string }) => eventually(() => started.output.includes('Lookout is running'), { timeoutMs: 60_000, what: 'the program to run' });

  it('ends in order with 0 on SIGTERM, and the program is gone with it', async () => {
    const started = start();
    await untilRunning(started);
    started.npm.kill('SIGTERM');
    assert.deepEqual(await started.ended, [0, null]);
    assert.deepEqual(programs(data), []);
  });

  it('takes the terminal’s Ctrl-C and npm’s copy of it for one, since a second one means "at once"', async () => {
    const started = start();
    await untilRunning(started);
    const [script] = programs(data).filter((pid) => commandLine(pid).includes('scripts/start.mjs'));
    process.kill(script!, 'SIGINT');
    process.kill(started.npm.pid!, 'SIGINT');
    await started.ended;
    assert.match(started.output, /"stopped"|stopped/);
    assert.equal(started.output.match(/stopping/g)?.length, 1);
    assert.deepEqual(programs(data), []);
  });

  it('takes the program with it when it is killed itself', async () => {
    const started = start();
    await untilRunning(started);
    for (const pid of programs(data).filter((found) => commandLine(found).includes('scripts/start.mjs'))) process.kill(pid, 'SIGKILL');
    await eventually(() => programs(data).length === 0, { timeoutMs: 15_000, what: 'the program to end' });
    await started.ended;
  });

  it('ends with the program’s own exit code: 2 for a wrong flag', async () => {
    const started = start('--no-such-flag');
    assert.deepEqual(await started.ended, [2, null]);
  });
});

/** Every process that was given this data directory, except npm: that one is ours to wait for. */
function programs(data: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && commandLine(pid).includes(data) && !commandLine(pid).startsWith('npm '));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
