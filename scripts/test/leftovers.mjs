/**
 * Finds what a test run left running, by looking at the operating system. A child may have been given a clean
 * environment and may have lost its parent, so three signs count: LOOKOUT_TEST_RUN in its environment, having been
 * seen below us while the run went on, and a LOOKOUT_INSTANCE that was seen there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A child that was told to end may take this long to be gone. */
const GRACE_MS = 2000;
/** Costs about 5 ms on a machine with 300 processes. */
const LOOK_EVERY_MS = 1000;

/**
 * Watches from now on.
 * @param {string} id the run's LOOKOUT_TEST_RUN
 * @returns {{ left: () => Promise<{ pid: number, command: string }[]> }}
 */
export const watchProcesses = (id) => {
  const seen = new Map();
  const instances = new Set();
  const look = () => {
    const all = processes();
    for (const { pid, started } of below(process.pid, all)) {
      if (seen.get(pid) === started) continue;
      seen.set(pid, started);
      const instance = environment(pid).LOOKOUT_INSTANCE;
      if (instance) instances.add(instance);
    }
    return all;
  };
  const isOurs = ({ pid, started, state }) => {
    // A zombie holds nothing, and it is its parent who has to collect it.
    if (state === 'Z' || pid === process.pid) return false;
    if (seen.get(pid) === started) return true;
    const { LOOKOUT_TEST_RUN: run, LOOKOUT_INSTANCE: instance } = environment(pid);
    return run === id || instances.has(instance);
  };
  const remaining = () => look().filter(isOurs).map(({ pid }) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
  setInterval(look, LOOK_EVERY_MS).unref();
  return {
    /** What is still there after a moment's grace. */
    async left() {
      const deadline = performance.now() + GRACE_MS;
      let found = remaining();
      while (found.length > 0 && performance.now() < deadline) {
        await pause(100);
        found = remaining();
      }
      return found;
    },
  };
};

/** Ends them, each by its pid. */
export const endProcesses = (found) => {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
};

const processes = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => parseStat(Number(name), read(name, 'stat')))
    .filter((found) => found !== undefined);

/** `123 (a name) S 1 …`: the name may hold spaces and brackets, so what follows its last bracket is counted. */
const parseStat = (pid, stat) => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.length < 20 ? undefined : { pid, state: fields[0], parent: Number(fields[1]), started: fields[19] };
};

const below = (ancestor, all) => {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = [];
  const queue = [ancestor];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
};

const environment = (pid) => Object.fromEntries(read(pid, 'environ').split('\0').map((entry) => entry.split(/=(.*)/s, 2)));

const read = (pid, name) => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
};
