/** The supervisor is killed with SIGKILL while 20 cameras stream: how long until each is live again. `node test/bench/guardian.ts [cameras] [kills]`. */
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { childrenOf, startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const cameras = Number(process.argv[2] ?? 20);
const kills = Number(process.argv[3] ?? 5);
const ids = Array.from({ length: cameras }, (_, index) => `camera-${index}`);

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
await using lookout = await startLookout({ guarded: true, config: { guardian: { restarts: kills } }, env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'compile') } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id) });
for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);

const answers: number[] = [];
const gaps: number[] = [];
for (let nth = 0; nth < kills; nth += 1) {
  // Its standby has to be there again, as it would be in real life.
  await eventually(async () => (await childrenOf(lookout.pid)).some(({ command }) => command.startsWith('lookout: standby')), { timeoutMs: 60_000, intervalMs: 200, what: 'a standby' });
  const supervisor = (await childrenOf(lookout.pid)).find(({ command }) => command.includes('src/main.ts'))?.pid;
  if (supervisor === undefined) throw new Error('there is no supervisor');
  const killedAt = Date.now();
  process.kill(supervisor, 'SIGKILL');
  let answered: number | undefined;
  const back = new Map<string, number>();
  await eventually(async () => {
    const views = await lookout.cameras();
    answered ??= Date.now() - killedAt;
    for (const { id, substate, since } of views) if (substate === 'live' && Date.parse(since) > killedAt) back.set(id, Date.parse(since) - killedAt);
    return back.size === cameras;
  }, { timeoutMs: 60_000, intervalMs: 200, what: 'all cameras' });
  answers.push(answered ?? 0);
  gaps.push(...back.values());
}

const figures = (values: number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return `p50 ${rank(0.5)} ms, p95 ${rank(0.95)} ms, max ${rank(1)} ms`;
};
const delays = 'the guardian waits 0, 0.5, 1, 2 … s before its restarts';
console.log(`${kills} kills, ${cameras} cameras (${delays})`);
console.log(`the API answers again after: ${answers.map((ms) => `${ms}`).join(', ')} ms`);
console.log(`first restart, live again after: ${figures(gaps.slice(0, cameras))}`);
if (kills > 1) console.log(`all restarts: ${figures(gaps)}`);
