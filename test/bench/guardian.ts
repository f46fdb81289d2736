/**
 * The supervisor is killed with SIGKILL while 20 cameras stream, four of them recorded: how long until each is live again, and how
 * much the recordings miss.
 * Usage: npm run bench -- guardian [cameras=20] [kills=5]
 */
import { join } from 'node:path';
import type { RecordingView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { childrenOf, startLookout } from '../support/lookout.ts';
import { rank } from '../support/percentiles.ts';
import { startSimulator } from '../support/simulator.ts';

const cameras = Number(process.argv[2] ?? 20);
const kills = Number(process.argv[3] ?? 5);
const ids = Array.from({ length: cameras }, (_, index) => `camera-${index}`);
const recorded = ids.slice(0, 4);
const targetMs = 5_000;

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
await using lookout = await startLookout({ guarded: true, config: { guardian: { restarts: kills } }, env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '.cache', 'compile') } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), outputs: { record: { mode: recorded.includes(id) ? 'continuous' : 'off' } } });
for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);

/** The recording of a camera that began after `since`. */
const recordingSince = async (id: string, since: number): Promise<RecordingView | undefined> =>
  (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${id}`)).recordings.find(({ startAt }) => Date.parse(startAt) > since);

for (const id of recorded) await eventually(() => recordingSince(id, 0), { timeoutMs: 60_000, intervalMs: 500, what: `a recording of ${id}` });

const answers: number[] = [];
const gaps: number[] = [];
const missed: number[] = [];
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
  for (const id of recorded) {
    const next = await eventually(() => recordingSince(id, killedAt), { timeoutMs: 60_000, intervalMs: 500, what: `a new recording of ${id}` });
    if (next?.gapBefore) missed.push(next.gapBefore.durationMs);
  }
}

const figures = (values: number[]): string => `p50 ${rank(values, 0.5)} ms, p95 ${rank(values, 0.95)} ms, max ${rank(values, 1)} ms`;
const delays = 'the guardian waits 0, 0.5, 1, 2 … s before its restarts';
console.log(`${kills} kills, ${cameras} cameras (${delays})`);
console.log(`the API answers again after: ${answers.map((ms) => `${ms}`).join(', ')} ms`);
console.log(`first restart, live again after: ${figures(gaps.slice(0, cameras))}`);
if (kills > 1) console.log(`all restarts: ${figures(gaps)}`);
console.log(`recording gap of ${recorded.length} cameras: ${figures(missed)}`);
const p95 = rank(gaps.slice(0, cameras), 0.95);
console.log(JSON.stringify({ bench: 'guardian', cameras, kills, p95, targetMs, recordingGapsMs: missed }));
process.exitCode = p95 <= targetMs ? 0 : 1;
