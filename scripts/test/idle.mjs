/** How much of this machine has nothing to do, so that a test that waits for time is not all that runs. */
import { cpus } from 'node:os';

/** Less proves nothing, ms. */
const leastMs = 1_000;

/** Says, each time, which share of all cores was idle since the time before; 0 where that is a moment ago. */
export const watchIdle = () => {
  let before = read();
  return () => {
    const now = read();
    const passed = now.total - before.total;
    if (passed < leastMs * cpus().length) return 0;
    const share = (now.idle - before.idle) / passed;
    before = now;
    return share;
  };
};

const read = () => cpus().reduce((sum, { times: { user, nice, sys, idle, irq } }) => ({ idle: sum.idle + idle, total: sum.total + user + nice + sys + idle + irq }), { idle: 0, total: 0 });
