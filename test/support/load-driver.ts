/**
 * The driver of `test/bench/load.ts`, in a process of its own so that it measures the program and not itself: status clients and REST requests.
 * argv: URL, token, clients, requests a second, seconds. Prints one JSON object.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Agent, request } from 'node:http';
import { io, type Socket } from 'socket.io-client';

const [url = '', token = '', clients = '200', perSecond = '100', seconds = '60'] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 10 });

/** From the program's own stamp of a status message to its arrival here; both run on the clock of one machine. */
const latencies: number[] = [];
let measuring = false;
const take = ({ at }: { at: string }): void => void (measuring && latencies.push(Date.now() - Date.parse(at)));

const sockets: Socket[] = [];
for (let index = 0; index < Number(clients); index += 1) {
  const socket = io(`${url}/status`, { transports: ['websocket'], forceNew: true, auth: { token } });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  socket.on('camera', take);
  sockets.push(socket);
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const paths = ['/api/v1/cameras', '/api/v1/cameras/camera-0', '/api/v1/cameras/camera-0/events?limit=20', '/api/v1/sfu', '/api/v1/cameras/camera-0/explanation'];
const answers: { ms: number; status: number }[] = [];
const ask = (path: string): Promise<void> => new Promise((resolve) => {
  const began = performance.now();
  const done = (status: number): void => {
    answers.push({ ms: performance.now() - began, status });
    resolve();
  };
  request(url + path, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => answer.resume().once('end', () => done(answer.statusCode ?? 0))).once('error', () => done(0)).end();
});

measuring = true;
delay.enable();
const began = performance.now();
const pending: Promise<void>[] = [];
for (let sent = 0; sent < Number(perSecond) * Number(seconds);) {
  // As many as are due, however late the timer was.
  const due = Math.min((performance.now() - began) / 1000 * Number(perSecond), Number(perSecond) * Number(seconds));
  for (; sent < due; sent += 1) pending.push(ask(paths[sent % paths.length] ?? ''));
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await Promise.all(pending);
measuring = false;
const took = (performance.now() - began) / 1000;
delay.disable();
const connected = sockets.filter((socket) => socket.connected).length;
for (const socket of sockets) socket.disconnect();
agent.destroy();

const rank = (values: number[], share: number): number => values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;
process.stdout.write(JSON.stringify({
  connected, statusMessages: latencies.length, statusP50: rank(latencies, 0.5), statusP95: rank(latencies, 0.95), statusMax: rank(latencies, 1),
  requests: answers.length, failed: answers.filter(({ status }) => status !== 200).length, perSecond: answers.length / took,
  restP50: rank(answers.map(({ ms }) => ms), 0.5), restP95: rank(answers.map(({ ms }) => ms), 0.95), driverDelayP99: delay.percentile(99) / 1e6,
}));
