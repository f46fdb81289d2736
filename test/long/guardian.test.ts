/** A killed supervisor with twenty cameras; that it comes back at all is tested with one, in `test/start/guardian.test.ts`. */
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { childrenOf, startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

/** As `scripts/start.mjs` starts it. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'compile') };

/** The supervisor that the guardian runs now. */
const supervisorOf = (lookout: Lookout): Promise<number> =>
  eventually(async () => (await childrenOf(lookout.pid)).find(({ command }) => command.includes('src/main.ts'))?.pid, { timeoutMs: 10_000, what: 'a supervisor' }) as Promise<number>;

test('twenty cameras are live again after the supervisor’s SIGKILL, and the gaps are told', async (t) => {
  const ids = Array.from({ length: 20 }, (_, index) => `tiny-${index}`);
  await using cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  await using lookout = await startLookout({ guarded: true, env });
  for (const id of ids) await lookout.add({ id, url: cameras.url(id) });
  for (const id of ids) await lookout.until(id, 'streaming.live', 30_000);
  const was = await supervisorOf(lookout);
  const killedAt = Date.now();
  process.kill(was, 'SIGKILL');
  const back = new Map<string, number>();
  await eventually(async () => {
    for (const view of await lookout.cameras()) if (view.substate === 'live' && Date.parse(view.since) > killedAt) back.set(view.id, Date.parse(view.since) - killedAt);
    return back.size === ids.length;
  }, { timeoutMs: 60_000, intervalMs: 250, what: 'twenty cameras' });
  const gaps = [...back.values()].sort((a, b) => a - b);
  // How fast is for `npm run bench -- guardian` to say.
  t.diagnostic(`live again after: first ${gaps[0]} ms, median ${gaps[9]} ms, p95 ${gaps[18]} ms, last ${gaps[19]} ms`);
});
