/**
 * The load of the interfaces: 200 status clients over Socket.IO and 100 REST requests a second for a minute, while 10 cameras stream.
 * No packet may be lost between source and ingest, no camera may fail, and 95 % of the status messages arrive within 100 ms of their
 * stamp. `npm run bench -- load [clients] [requests a second] [seconds] [cameras]`.
 */
import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const [clients = 200, perSecond = 100, seconds = 60, cameras = 10] = process.argv.slice(2).map(Number);
const mostStatusMs = 100;
const ids = Array.from({ length: cameras }, (_, index) => `camera-${index}`);

type Measured = {
  connected: number; statusMessages: number; statusP50: number; statusP95: number; statusMax: number;
  requests: number; failed: number; perSecond: number; restP50: number; restP95: number; driverDelayP99: number;
};
type Counted = { packets: number; lost: number; restarts: number };

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'parking-360p-main' })) });
// As shipped but for the limit of requests, which is 100 a second for one address.
await using lookout = await startLookout({ config: { api: { requestsPerMinute: perSecond * 120 } } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), outputs: { live: { feed: 'always' } } });
for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);

const before = await count(lookout);
const driver = join(import.meta.dirname, '..', 'support', 'load-driver.ts');
const { stdout } = await promisify(execFile)(process.execPath, [driver, lookout.url, 'test-admin-token-of-this-run', ...[clients, perSecond, seconds].map(String)], { timeout: (seconds + 120) * 1_000, maxBuffer: 1 << 20 });
const measured = JSON.parse(stdout) as Measured;
const after = await count(lookout);

const lost = after.lost - before.lost;
const restarts = after.restarts - before.restarts;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
console.log(`${cameras} cameras, ${measured.connected} of ${clients} status clients, ${measured.requests} requests in ${seconds} s (${measured.perSecond.toFixed(1)} a second, ${measured.failed} not answered with 200)`);
console.log(`status, from the message's stamp to the client: p50 ${ms(measured.statusP50)}, p95 ${ms(measured.statusP95)}, max ${ms(measured.statusMax)} (${measured.statusMessages} messages)`);
console.log(`REST: p50 ${ms(measured.restP50)}, p95 ${ms(measured.restP95)}`);
console.log(`packets between source and ingest: ${after.packets - before.packets}, lost ${lost}; cameras that failed: ${restarts}`);
console.log(`load average ${loadavg()[0]?.toFixed(1)}, event loop of the driver late by p99 ${ms(measured.driverDelayP99)}`);
const fine = lost === 0 && restarts === 0 && measured.failed === 0 && measured.connected === clients && measured.statusP95 <= mostStatusMs;
console.log(fine ? 'All as promised.' : `NOT as promised: no loss, no failure, status p95 of at most ${mostStatusMs} ms.`);
process.exitCode = fine ? 0 : 1;

async function count(program: Lookout): Promise<Counted> {
  const [{ producers }, views] = await Promise.all([program.sfu(), program.cameras()]);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  return { packets: sum(producers.map(({ packetCount }) => packetCount)), lost: sum(producers.map(({ packetsLost }) => packetsLost)), restarts: sum(views.map(({ restarts: each }) => each)) };
}
