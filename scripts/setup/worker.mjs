/** mediasoup's worker: the cached one, else a prebuilt one from the network, else built from the npm package's sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { WORKER, installPackages, missingPackages } from './debian-packages.mjs';
import { withLock } from './lock.mjs';
import { inRoot, sharedCache } from './paths.mjs';
import { fetchPrebuilt } from './worker-prebuilt.mjs';
import { SetupProblem } from './problem.mjs';
import { outOf, seconds } from './progress.mjs';
import { run } from './run.mjs';
import { hashFiles } from './stamp.mjs';

const recipe = inRoot('scripts', 'mediasoup-worker');
const mediasoup = inRoot('node_modules', 'mediasoup');

/** Measured: a compiler of a joined unit takes up to 550 MB. */
const COMPILER_BYTES = 600 * 2 ** 20;

/** Where the worker is, or will be: outside node_modules, by version and recipe, so that every clone shares it. */
export const workerPath = () => {
  if (process.env.MEDIASOUP_WORKER_BIN) return process.env.MEDIASOUP_WORKER_BIN;
  const { version } = JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8'));
  return join(sharedCache(), `mediasoup-worker-${version}-${hashFiles(recipe, [recipe])}`, 'mediasoup-worker');
};

/** Whether a worker runs here. Without its settings it ends with 41 at once, and that is what a sound one does. */
export const workerRuns = (path) => spawnSync(path, { env: {}, stdio: 'ignore', timeout: 5000 }).status === 41;

/** Gets a worker to `workerPath()`. */
export const obtainWorker = async (step) => {
  const path = workerPath();
  if (process.env.MEDIASOUP_WORKER_BIN) throw new SetupProblem(`MEDIASOUP_WORKER_BIN=${path} does not run on this machine.`);
  await withLock(
    join(dirname(path), 'lock'),
    async () => {
      if (workerRuns(path)) return;
      const fetched = `${path}.new`;
      step.report('looking for a prebuilt one');
      const refusal = await fetchPrebuilt(mediasoup, fetched);
      if (refusal === undefined && workerRuns(fetched)) return renameSync(fetched, path);
      rmSync(fetched, { force: true });
      step.note(`no prebuilt worker (${refusal ?? 'it does not run on this machine'}): building it, a few minutes, once`);
      await build(path, step);
    },
    () => step.note('another set-up is getting the worker; waiting for it'),
  );
};

const build = async (path, step) => {
  const missing = await missingPackages(WORKER);
  if (missing.length > 0) await installPackages(missing, step);
  const directory = join(dirname(path), 'build');
  mkdirSync(directory, { recursive: true });
  const begin = Date.now();
  await run(['cmake', '-G', 'Ninja', `-DMEDIASOUP_DIR=${mediasoup}`, '-B', directory, recipe], { what: 'Configuring the worker' });
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / COMPILER_BYTES)));
  await run(['ninja', '-C', directory, `-j${jobs}`], {
    what: 'Building the worker',
    env: { NINJA_STATUS: '[%f/%t] ' },
    onLine: (line) => reportNinja(line, step),
  });
  const built = join(directory, 'mediasoup-worker');
  if (!existsSync(built) || !workerRuns(built)) throw new SetupProblem(`The worker was built but does not run: ${built}`);
  renameSync(built, path);
  rmSync(directory, { recursive: true, force: true });
  step.note(`worker built in ${seconds(Date.now() - begin)} with ${jobs} compilers at once`);
};

const reportNinja = (line, step) => {
  const count = /^\[(\d+)\/(\d+)\]/.exec(line);
  if (count) step.report(`compiled ${outOf(Number(count[1]), Number(count[2]))}`);
};
