/** Set-up's lock: one at a time, and free as soon as its holder is gone, however it went. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withLock } from '../../scripts/setup/lock.mjs';

const lockModule = new URL('../../scripts/setup/lock.mjs', import.meta.url).href;

describe('the set-up lock', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'lookout-lock-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('lets a second set-up wait until the first one is done, and says so', async () => {
    const path = join(directory, 'a', 'lock');
    const order: string[] = [];
    let finishFirst = (): void => {};
    const firstMayFinish = new Promise<void>((resolve) => (finishFirst = resolve));
    const first = withLock(path, async () => {
      order.push('first begins');
      // Started inside the first one's turn, so the order below is no accident of timing.
      const second = withLock(path, async () => order.push('second begins'), () => {
        order.push('second waits');
        finishFirst();
      });
      await firstMayFinish;
      order.push('first ends');
      return { second };
    });
    await (await first).second;
    assert.deepEqual(order, ['first begins', 'second waits', 'first ends', 'second begins']);
  });

  it('is released when the work throws', async () => {
    const path = join(directory, 'b');
    await assert.rejects(withLock(path, () => Promise.reject(new Error('no disk'))), /no disk/);
    assert.equal(await withLock(path, async () => 'mine', () => assert.fail('nobody holds it')), 'mine');
  });

  it('is free at once when its holder was killed with SIGKILL', async () => {
    const path = join(directory, 'c');
    const holder = await startHolder(path);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    assert.equal(await withLock(path, async () => 'mine'), 'mine');
  });
});

async function startHolder(path: string): Promise<ChildProcess> {
  const code = `import { withLock } from ${JSON.stringify(lockModule)};
    await withLock(${JSON.stringify(path)}, () => { console.log('held'); return new Promise((resolve) => setTimeout(resolve, 60_000)); });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout!, 'data');
  return holder;
}
