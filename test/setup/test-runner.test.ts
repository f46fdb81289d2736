/** The test runner itself: which files run in which lane, and that it finds what a test leaves behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LANES, chooseFiles } from '../../scripts/test/lanes.mjs';
import { MOST_REPEATED, repeatFailed } from '../../scripts/test/repeat.mjs';
import { endProcesses, watchProcesses } from '../../scripts/test/leftovers.mjs';

describe('the lanes of npm test', () => {
  let base: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'lookout-lanes-'));
    for (const name of ['root.test.ts', 'machines/a.test.ts', 'native/b.test.ts', 'e2e/wall/c.test.ts', 'long/d.test.ts', 'bench/e.ts', 'support/f.ts']) {
      mkdirSync(dirname(join(base, name)), { recursive: true });
      writeFileSync(join(base, name), '');
    }
  });
  after(() => rmSync(base, { recursive: true }));

  const chosen = (only: string[] = []): string[] => LANES.flatMap((lane) => chooseFiles(lane, only, base).map((file: string) => `${lane.name} ${file.slice(base.length + 1)}`));

  it('take every test file once, those of the whole program one at a time, and leave the long ones out', () => {
    assert.deepEqual(chosen(), ['quick machines/a.test.ts', 'quick root.test.ts', 'processes native/b.test.ts', 'the whole program e2e/wall/c.test.ts']);
    assert.equal(LANES.find((lane) => lane.name === 'the whole program')?.concurrency, 1);
  });

  it('run only what was asked for: a file or a folder', () => {
    assert.deepEqual(chosen([join(base, 'native')]), ['processes native/b.test.ts']);
    assert.deepEqual(chosen([join(base, 'e2e/wall/c.test.ts')]), ['the whole program e2e/wall/c.test.ts']);
  });
});

describe('the look for leftovers', () => {
  const sleeper = (env: Record<string, string>) => spawn('sleep', ['60'], { env, stdio: 'ignore' });

  it('finds nothing when every child has ended', async () => {
    const watch = watchProcesses('run-without-leftovers');
    const child = sleeper({});
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(await watch.left(), []);
  });

  it('finds a child with a clean environment, and ends it', async () => {
    const watch = watchProcesses('run-with-a-child');
    const child = sleeper({});
    const left = await watch.left();
    assert.deepEqual(left, [{ pid: child.pid, command: 'sleep 60' }]);
    endProcesses(left);
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
  });

  it('finds an orphan by the run in its environment though its parent is gone', async () => {
    const watch = watchProcesses('run-with-an-orphan');
    const shell = spawn('sh', ['-c', 'sleep 61 & echo $!'], { env: { LOOKOUT_TEST_RUN: 'run-with-an-orphan', PATH: '/bin:/usr/bin' }, stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    shell.stdout.destroy();
    await once(shell, 'exit');
    const left = await watch.left();
    endProcesses(left);
    assert.deepEqual(left, [{ pid: Number(line.toString()), command: 'sleep 61' }]);
  });
});

describe('a test file', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'lookout-run-file-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** In a process of its own: node:test refuses to run files from inside a test. */
  const runText = async (text: string): Promise<{ ok: boolean; tests: number; passed: number; failed: number }> => {
    const file = join(directory, 'x.test.mjs');
    writeFileSync(file, text);
    const code = `import { runFile } from ${JSON.stringify(new URL('../../scripts/test/run-file.mjs', import.meta.url).href)};
      const { ok, tests, passed, failed } = await runFile(${JSON.stringify(file)}, 2000);
      console.log(JSON.stringify({ ok, tests, passed, failed }));
      process.exit();`;
    const script = join(directory, 'run.mjs');
    writeFileSync(script, code);
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } });
    const chunks = await child.stdout.toArray();
    return JSON.parse(Buffer.concat(chunks).toString()) as Awaited<ReturnType<typeof runText>>;
  };

  it('passes with its tests', async () => {
    assert.deepEqual(await runText("import { it } from 'node:test'; it('a', () => {}); it('b', () => {});"), { ok: true, tests: 2, passed: 2, failed: 0 });
  });

  it('fails when its process is killed', async () => {
    assert.equal((await runText("import { it } from 'node:test'; it('a', () => { process.kill(process.pid, 'SIGKILL'); });")).ok, false);
  });

  it('is killed and fails when it does not end in time, even in an endless loop', async () => {
    assert.equal((await runText("import { it } from 'node:test'; it('a', () => { for (;;) {} });")).ok, false);
  });

  it('fails when it has no test', async () => {
    assert.equal((await runText('')).ok, false);
  });
});

describe('the second run', () => {
  const passes = (...good: string[]) => (file: string): Promise<boolean> => Promise.resolve(good.includes(file));

  it('tells what is unsteady from what fails', async () => {
    assert.deepEqual(await repeatFailed(['a', 'b'], passes('b'), { strict: false }), ['b']);
  });

  it('is not for a run in which much failed, nor for a strict one', async () => {
    const many = Array.from({ length: MOST_REPEATED + 1 }, (_, index) => `${index}`);
    assert.deepEqual(await repeatFailed(many, passes(...many), { strict: false }), []);
    assert.deepEqual(await repeatFailed(['a'], passes('a'), { strict: true }), []);
  });
});
