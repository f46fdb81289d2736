/**
 * What the camera simulator costs: n cameras (720p25, 2 Mbit/s) over TCP, read by this process, CPU of the simulator
 * alone from /proc. Usage: node test/bench/simulator.ts [cameras] [seconds] [clip]
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialiseRequest } from '../../src/rtsp/message.ts';
import { startSimulator } from '../support/simulator.ts';

const [cameras = 20, seconds = 20] = process.argv.slice(2, 4).map(Number);
const video = process.argv[4] ?? 'street-720p-main';
const ticksPerSecond = 100;

await using simulator = await startSimulator({ mounts: Array.from({ length: cameras }, (_, index) => ({ name: `camera${index}`, video, phase: 'random' })) });
const names = Array.from({ length: cameras }, (_, index) => `camera${index}`);
const sockets = await Promise.all(names.map((name) => watch(simulator.url(name))));
await sleep(2000);

const before = { cpu: cpuTicks(simulator.pid), bytes: await sentBytes(), at: performance.now() };
await sleep(seconds * 1000);
const elapsed = (performance.now() - before.at) / 1000;
const cpu = (cpuTicks(simulator.pid) - before.cpu) / ticksPerSecond / elapsed;
const bits = (await sentBytes() - before.bytes) * 8 / elapsed;
const dropped = (await Promise.all(names.map((name) => simulator.stats(name)))).reduce((sum, stats) => sum + stats.unitsDropped, 0);
for (const socket of sockets) socket.destroy();

console.log(JSON.stringify({
  cameras, seconds, megabitsPerCamera: round(bits / cameras / 1e6), cpuPercentOfOneCore: round(cpu * 100), cpuPercentPerCamera: round(cpu * 100 / cameras),
  unitsDropped: dropped, rssMegabytes: round(rssMegabytes(simulator.pid)),
}));

/** Asks for interleaved video and throws away what comes. The answers need no reading: the simulator grants channel and session in order. */
async function watch(url: string): Promise<ReturnType<typeof connect>> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const send = (method: string, uri: string, headers: Record<string, string | number>): void => void socket.write(serialiseRequest({ method, uri, headers }));
  send('SETUP', `${url}/trackID=0`, { CSeq: 1, Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' });
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
    socket.once('error', reject);
  });
  send('PLAY', url, { CSeq: 2, Session: /Session: (\w+)/u.exec(answer)?.[1] ?? '' });
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}

async function sentBytes(): Promise<number> {
  return (await Promise.all(names.map((name) => simulator.stats(name)))).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** User and system time, fields 14 and 15 of /proc/pid/stat. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function rssMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
