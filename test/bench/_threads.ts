import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLookout } from '../support/lookout.ts';
import { commandOf, tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
const ids = Array.from({length: 8}, (_, i) => `camera${i}`);
await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', phase: 'random' as const })) });
await using program = await startLookout();
for (const id of ids) await program.add({ id, url: simulator.url(id), transport: 'tcp', outputs: { live: { feed: 'always' } } });
for (const id of ids) await program.until(id, 'streaming.live', 60_000);
const floor = ids.map((id, index) => spawn('gst-launch-1.0', ['-q', 'rtspsrc', `location=${simulator.url(id)}`, 'protocols=tcp', 'latency=100', '!', 'rtph264depay', '!', 'h264parse', 'config-interval=-1', '!', 'rtph264pay', 'config-interval=-1', '!', 'udpsink', 'host=127.0.0.1', `port=${30_000 + index}`, 'sync=false', 'async=false'], { stdio: 'ignore' })); await sleep(7000);
const pids = tree(program.pid).filter((pid) => commandOf(pid).includes('host-main'));
const snap = (pids: number[]) => { const m = new Map<string, [number, number, number]>(); for (const pid of pids) for (const t of readdirSync(`/proc/${pid}/task`)) { const name = readFileSync(`/proc/${pid}/task/${t}/comm`,'utf8').trim(); const [run=0,,n=0] = readFileSync(`/proc/${pid}/task/${t}/schedstat`,'utf8').split(' ').map(Number); const e = m.get(name) ?? [0,0,0]; m.set(name, [e[0]+run, e[1]+n, e[2]+1]); } return m; };
const fp = floor.map((c) => c.pid!); const fa = snap(fp); const a = snap(pids); await sleep(30000); const b = snap(pids); const fb = snap(fp); const ft = [...fb].reduce((s,[k,[r]]) => s + r - (fa.get(k)?.[0] ?? 0), 0); const ht = [...b].reduce((s,[k,[r]]) => s + r - (a.get(k)?.[0] ?? 0), 0); console.log('floor', ft/30e9*100/8, 'hosts', ht/30e9*100/8, ht/ft); for (const [k,[r,n,c]] of fb) { const o = fa.get(k) ?? [0,0,0]; console.log('FLOOR', k, ((r-o[0])/30e9*100/8).toFixed(4), ((n-o[1])/30/8).toFixed(1)); }
for (const [k,[r,n,c]] of b) { const o = a.get(k) ?? [0,0,0]; console.log(k.padEnd(20), 'threads', c, 'cpu%/camera', ((r-o[0])/30e9*100/8).toFixed(4), 'wakes/s/camera', ((n-o[1])/30/8).toFixed(1)); }

for (const c of floor) c.kill('SIGKILL');
