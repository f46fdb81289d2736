/** Runs one command of a step: output is watched and kept, and shown only when the command fails. */
import { spawn } from 'node:child_process';
import { SetupProblem } from './problem.mjs';

const KEPT_LINES = 40;

/**
 * Runs `command` and resolves when it ended with 0. Rejects with its last lines when it did not.
 * @param {string[]} command program and arguments
 * @param {{ env?: Record<string, string | undefined>, cwd?: string, onLine?: (line: string) => void, what?: string, deadlineMs?: number }} options
 * @returns {Promise<string[]>} the last lines it printed
 */
export const run = async (command, { env, cwd, onLine, what, deadlineMs } = {}) => {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const kept = [];
  const take = (line) => {
    onLine?.(line);
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
  };
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, take);
  const deadline = deadlineMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const { code, signal, error } = await ended(child);
  clearTimeout(deadline);
  if (code === 0) return kept;
  const how = error ? error.message : signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  throw new SetupProblem([`${what ?? program} failed: ${command.join(' ')} ${how}.`, ...kept].join('\n'));
};

/** Whether `command` ends with 0; its output is nobody's business. */
export const succeeds = async (command, options = {}) => {
  try {
    await run(command, options);
    return true;
  } catch {
    return false;
  }
};

const ended = (child) =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });

const eachLine = (stream, take) => {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop();
    for (const line of lines) if (line) take(line);
  });
  stream.on('end', () => rest && take(rest));
};
