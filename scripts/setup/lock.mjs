/**
 * One set-up at a time. The lock is the kernel's (`flock`, util-linux, part of every Debian) and is held by a child
 * whose input is our pipe: whatever ends us, SIGKILL included, closes the pipe, ends the child and frees the lock.
 * A lock file with a pid in it would have to guess whether that pid is still the same process.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupProblem } from './problem.mjs';

/** Runs `work` while holding the lock at `path`; `onWait` is called when somebody else has it. */
export const withLock = async (path, work, onWait = () => {}) => {
  mkdirSync(dirname(path), { recursive: true });
  let release = await take(path, ['-n']);
  if (!release) {
    onWait();
    release = await take(path, []);
  }
  if (!release) throw new SetupProblem(`Cannot lock ${path}.`);
  try {
    return await work();
  } finally {
    await release();
  }
};

const take = (path, options) =>
  new Promise((resolve, reject) => {
    const holder = spawn('flock', [...options, path, 'sh', '-c', 'echo locked; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A terminal's Ctrl-C goes to us; the holder ends when we do.
      detached: true,
    });
    const closed = new Promise((done) => holder.once('close', done));
    holder.once('error', (error) => reject(new SetupProblem(`Cannot run flock (package util-linux): ${error.message}`)));
    holder.stdout.once('data', () =>
      resolve(async () => {
        holder.stdin.end();
        await closed;
      }),
    );
    void closed.then(() => resolve(undefined));
  });
