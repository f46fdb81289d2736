/** Runs one test file in a process of its own and keeps its report, so that two files at a time stay readable. */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { root } from '../setup/paths.mjs';

/**
 * @typedef {{ file: string, ok: boolean, empty: boolean, ms: number, tests: number, passed: number, failed: number, skipped: number, report: string }} FileResult
 * @param {string} file
 * @param {number} timeoutMs for the whole file; its process is killed then, however busy or silent it is
 * @returns {Promise<FileResult>}
 */
export const runFile = async (file, timeoutMs) => {
  const begin = performance.now();
  const tests = run({ files: [file], cwd: root, signal: AbortSignal.timeout(timeoutMs) });
  let summary = { success: false, counts: { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 } };
  // The one without a file is the whole run's, and comes also when the process crashed or was killed.
  tests.on('test:summary', (data) => data.file === undefined && (summary = data));
  // A file without tests is reported as one test that passed, in the file's own name. It proves nothing.
  let empty = false;
  tests.on('test:pass', (data) => data.name === file && (empty = true));
  let report = '';
  for await (const text of tests.compose(spec)) report += text;
  const { tests: count, passed, failed, cancelled, skipped, todo } = summary.counts;
  const name = file.startsWith(root) ? file.slice(root.length) : file;
  return { file: name, ok: summary.success && !empty, empty, ms: performance.now() - begin, tests: count, passed, failed: failed + cancelled, skipped: skipped + todo, report };
};
