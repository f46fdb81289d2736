/**
 * Runs the checks and the test files: types and lint at once, quick files and those that wait for single processes
 * two at a time and more while cores are idle, then those of the whole program one at a time (they measure, and this must hold on two cores). Ends with totals and the slowest
 * files. A process that a file leaves running is a failure of that file, found by a look through /proc.
 * A few files that failed run once more, alone (`test/repeat.mjs`), unless `--strict` is said.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seconds } from './setup/progress.mjs';
import { inRoot, root } from './setup/paths.mjs';
import { checks } from './test/checks.mjs';
import { watchIdle } from './test/idle.mjs';
import { LANES, chooseFiles } from './test/lanes.mjs';
import { endProcesses, watchProcesses } from './test/leftovers.mjs';
import { repeatFailed } from './test/repeat.mjs';
import { runFile } from './test/run-file.mjs';

/** Another file starts where so much of all cores had nothing to do since the last look. */
const enoughIdle = 0.45;
const lookMs = 1_500;
const begin = Date.now();
const only = process.argv.slice(2).filter((argument) => argument !== '--strict');
const strict = process.argv.includes('--strict');
process.env.LOOKOUT_TEST_RUN = randomUUID();
// Some 60 programs and 115 test files start: compiled once, they take a sixth less of the processor.
process.env.NODE_COMPILE_CACHE ??= inRoot('.cache', 'tests');
process.chdir(root);

const watch = watchProcesses(process.env.LOOKOUT_TEST_RUN);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop(signal));

const results = [];
const problems = only.length > 0 ? [] : await checks();
for (const lane of LANES) await runLane(lane, chooseFiles(lane, only));
const failed = results.filter(({ ok }) => !ok).map(({ file }) => file);
const unsteady = await repeatFailed(failed, runAgain, { strict });
for (const file of failed) if (!unsteady.includes(file)) problems.push(`failed: ${file}`);
if (results.length === 0) problems.push(`no test file matches ${only.join(' ')}`);
printTotals();
process.exit(problems.length === 0 ? 0 : 1);

async function runLane(lane, files) {
  if (files.length === 0) return;
  console.log(`\n── ${lane.name}: ${files.length} files, ${lane.concurrency} at a time${lane.most > lane.concurrency ? `, up to ${lane.most} while cores are idle` : ''} ──`);
  const alone = lane.most === 1;
  const running = new Set();
  const idle = watchIdle();
  for (const file of files) {
    while (running.size >= lane.concurrency && !(running.size < lane.most && idle() > enoughIdle)) await Promise.race([...running, sleep(lookMs, undefined, { ref: false })]);
    const run = runFile(file, lane.timeoutMs).then(async (result) => {
      keep(result);
      if (alone) await endLeftovers(result);
      running.delete(run);
    });
    running.add(run);
  }
  await Promise.all(running);
  if (!alone) await endLeftovers({ file: `the ${lane.name} tests`, ok: true });
}

function keep(result) {
  results.push(result);
  show(result);
}

async function runAgain(file) {
  console.log(`\n── again, alone: ${file} ──`);
  const result = await runFile(join(root, file), Math.max(...LANES.map(({ timeoutMs }) => timeoutMs)));
  show(result);
  await endLeftovers(result);
  return result.ok;
}

function show({ file, ok, empty, ms, tests, report }) {
  console.log(`${ok ? '✔' : '✖'} ${file}: ${tests} tests [${seconds(ms)}]`);
  if (!ok) console.log(empty ? 'It has no test.' : report);
}

/** They are ended so that they disturb no later file. What a file leaves that failed half-way is no second failure. */
async function endLeftovers({ file: owner, ok }) {
  const left = await watch.left();
  endProcesses(left);
  if (ok) for (const { pid, command } of left) problems.push(`left running by ${owner}: ${pid} ${command}`);
}

function printTotals() {
  console.log('\n── slowest files ──');
  for (const { file, ms } of results.toSorted((a, b) => b.ms - a.ms).slice(0, 8)) console.log(`${seconds(ms).padStart(12)}  ${file}`);
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  console.log(`\n${results.length} files, ${sum('tests')} tests: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped, in ${seconds(Date.now() - begin)}.`);
  for (const file of unsteady) console.log(`⚠ unsteady: ${file} failed and then passed alone. That is a bug, of the product or of the test.`);
  for (const problem of problems) console.log(`✖ ${problem}`);
  console.log(problems.length === 0 ? '✔ all passed, nothing left running' : `✖ problems: ${problems.length}`);
}

async function stop(signal) {
  console.log(`\n${signal}: ending what this run started.`);
  endProcesses(await watch.left());
  process.exit(130);
}
