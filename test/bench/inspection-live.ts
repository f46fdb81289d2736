/**
 * What a look at the actors costs the program itself: a supervisor of 100 real cameras, its page open, with an inspector that follows
 * a camera and its messages. The look's share comes from samples of the very run it is in: what is on the stack below the
 * inspector's files, against all else that the thread does. Readings of the whole CPU, without and with a look in turns, are printed
 * beside it; on shared cores they differ among themselves by more than the look costs.
 * Target: 5 % of the supervisor's CPU. Usage: npm run bench -- inspection-live [cameras=100] [rounds=6] [seconds=10]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { benchOptions } from '../support/bench-options.ts';
import { connectProfiler, type Spent } from '../support/cpu-profile.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { median } from '../support/percentiles.ts';
import { cpuSeconds } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';

const given = benchOptions({ cameras: '100', rounds: '6', seconds: '10' }, 'cameras');
const [cameras, rounds, seconds] = [given.cameras, given.rounds, given.seconds].map(Number) as [number, number, number];
const targetShare = 0.05;
const ids = Array.from({ length: cameras }, (_, index) => `camera${String(index).padStart(3, '0')}`);
const options = { transports: ['websocket'], auth: { token: 'test-admin-token-of-this-run' }, forceNew: true };

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' as const })) });
await using lookout = await startLookout({ config: { supervision: { admission: { fleet: 16, perAddress: 16 } } }, env: { NODE_OPTIONS: '--max-semi-space-size=4 --inspect=127.0.0.1:0' } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), transport: 'tcp' });
await eventually(async () => (await lookout.cameras()).every(({ substate }) => substate === 'live'), { timeoutMs: 180_000, intervalMs: 1_000, what: 'all cameras live' });
using profiler = await connectProfiler(lookout);
const page = io(`${lookout.url}/status`, options);
await sleep(10_000);

/** % of a core. */
async function cpu(): Promise<number> {
  const [used, at] = [cpuSeconds(lookout.pid), performance.now()];
  await sleep(seconds * 1_000);
  return ((cpuSeconds(lookout.pid) - used) * 100_000) / (performance.now() - at);
}

const ofLook = (url: string): boolean => /\/src\/(?:control\/inspect|api\/.*inspect)[^/]*\.ts$/u.test(url);
const shareOf = ({ busyUs, withinUs }: Spent): number => withinUs / (busyUs - withinUs);

const alone: number[] = [];
const watched: number[] = [];
const spent: Spent[] = [];
let told = 0;
for (let round = 0; round < rounds; round += 1) {
  alone.push(await cpu());
  const look = io(`${lookout.url}/inspect`, options);
  look.onAny((_, body) => { told += JSON.stringify(body).length; });
  await new Promise((resolve) => look.once('snapshot', resolve));
  await look.emitWithAck('watch', { actor: `supervisor/camera:${ids[0]}` });
  await look.emitWithAck('sequence', { below: `supervisor/camera:${ids[0]}` });
  await sleep(1_000);
  watched.push(await cpu());
  spent.push(await profiler.measure(() => sleep(seconds * 1_000), ofLook));
  look.disconnect();
  await sleep(1_000);
}
page.disconnect();
const sum = (key: keyof Spent): number => spent.reduce((all, one) => all + one[key], 0);
const share = shareOf({ busyUs: sum('busyUs'), withinUs: sum('withinUs') });
const [without, withLook] = [median(alone), median(watched)];
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
console.log(`${cameras} cameras, ${rounds} rounds of ${seconds} s each way`);
console.log(`supervisor with its page: ${without.toFixed(2)} % of a core (${alone.map((value) => value.toFixed(2)).join(', ')})`);
console.log(`and with an inspector: ${withLook.toFixed(2)} % of a core (${watched.map((value) => value.toFixed(2)).join(', ')}), ${Math.round(told / rounds / 1_000)} kB told a round`);
console.log(`of its main thread, by samples: the look takes ${percent(share)} of what all else takes (${spent.map((one) => percent(shareOf(one))).join(', ')})`);
console.log(JSON.stringify({ bench: 'inspection-live', cameras, without, withLook, share, target: share <= targetShare ? 'met' : 'MISSED' }));
process.exitCode = share <= targetShare ? 0 : 1;
