/**
 * How fast a camera is back: for each kind of failure the time to its detection, to the first new packet and to the first
 * decoded frame in Chromium; p50, p95 and worst. Ten cameras in rotation, each fresh for 30 s before its turn, default policy.
 * The browser is set aside: it stands for one on another machine.
 * Usage: npm run bench -- recovery [runs=30] [fresh=30] [only=worker]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import type { FaultRequest } from '../../src/api/faults.ts';
import type { EventView } from '../../src/api/protocol.ts';
import { benchOptions } from '../support/bench-options.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { watchPage } from '../support/page-viewers.ts';
import { rank } from '../support/percentiles.ts';
import { startSimulator } from '../support/simulator.ts';

const given = benchOptions({ runs: '30', fresh: '30', only: '' }, 'runs');
const runs = Number(given.runs);
const freshMs = Number(given.fresh) * 1_000;
/** Between two runs. */
const paceMs = 2_000;
const ids = Array.from({ length: 10 }, (_, index) => `camera${index}`);

/** Cameras in a long outage at the moment. */
const away = new Set<string>();

type Measured = { detectMs: number; packetMs: number; frameMs: number };
/** One kind of failure. `awayMs`: packets and frames are counted from the camera's return. `shared`: all cameras of a worker have it at once. Targets: p95, ms. */
type Kind = { name: string; class: string; live: string; awayMs?: number; shared?: true; targets: Partial<Measured>; begin(id: string): Promise<unknown> };

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' as const })) });
await using lookout = await startLookout({ config: { faults: { enabled: true }, supervision: { intensity: { failures: 10_000 } } } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), transport: 'tcp' });
for (const id of ids) await lookout.until(id, 'streaming.live');
await using viewers = await watchPage(lookout.loginLink, { aside: true });
const journal = followJournal();
const frames = new Map<string, number[]>(ids.map((id) => [id, []]));
/** First frames of the tracks of a viewer that joined again: what its old track still had to show is no recovery. */
const begun = new Map<string, number[]>(ids.map((id) => [id, []]));
const collect = setInterval(() => {
  for (const [read, into] of [[viewers.frames, frames], [viewers.begun, begun]] as const) {
    void read().then((all) => Object.entries(all).forEach(([id, times]) => into.get(id)?.push(...times))).catch(() => undefined);
  }
}, 200);
await eventually(() => ids.every((id) => (frames.get(id)?.length ?? 0) > 0), { timeoutMs: 30_000, what: 'ten pictures' });

const inject = (id: string, body: FaultRequest): Promise<unknown> => lookout.api('POST', `/api/v1/cameras/${id}/faults`, { body });
const outage = (seconds: number): Kind => ({
  name: `away for ${seconds} s`, class: 'reset', live: 'streaming.live', awayMs: seconds * 1_000, targets: { packetMs: 1_000 },
  begin: (id) => simulator.act(id, { type: 'reboot', seconds }),
});
const kinds: Kind[] = [
  { name: 'connection reset', class: 'reset', live: 'streaming.live', targets: { detectMs: 200, packetMs: 100 }, begin: (id) => simulator.act(id, { type: 'reset' }) },
  { name: 'connection closed', class: 'eos', live: 'streaming.live', targets: { detectMs: 200, packetMs: 100 }, begin: (id) => simulator.act(id, { type: 'close' }) },
  { name: 'host killed', class: 'host-crash', live: 'streaming.live', targets: { packetMs: 700 }, begin: (id) => inject(id, { fault: 'kill-host' }) },
  { name: 'host frozen', class: 'native-frozen', live: 'streaming.live', targets: {}, begin: (id) => inject(id, { fault: 'freeze-host' }) },
  { name: 'worker killed', class: 'sfu', live: 'ingest.ready', shared: true, targets: { frameMs: 1_500 }, begin: (id) => inject(id, { fault: 'kill-worker' }) },
  // Silent for three seconds: detection comes first, and the camera talks again right after.
  { name: 'silence', class: 'silent', live: 'streaming.live', awayMs: 3_000, targets: { detectMs: 3_000 }, begin: (id) => silence(id, 3_000) },
  outage(1), outage(10), outage(60),
];

const chosen = kinds.filter(({ name }) => name.includes(given.only));
const rows: Record<string, Record<string, string | number>> = {};
let failed = 0;
for (const kind of chosen) {
  const results = await (kind.shared ? together(kind) : rotate(kind));
  rows[kind.name] = { runs: results.length, ...summary(results, 'detectMs', 'detected'), ...summary(results, 'packetMs', 'packet'), ...summary(results, 'frameMs', 'frame'), target: judge(kind, results) };
  console.log(JSON.stringify({ bench: 'recovery', kind: kind.name, ...rows[kind.name] }));
}
clearInterval(collect);
console.table(rows);
journal.close();
process.exitCode = failed > 0 ? 1 : 0;

/** Every camera in its turn; the next one follows as soon as it has been fresh for long enough. */
async function rotate(kind: Kind): Promise<Measured[]> {
  const free = new Map(ids.map((id) => [id, performance.now() + (freshMs > 0 ? freshMs : 2_000)]));
  const running = new Set<Promise<void>>();
  const results: Measured[] = [];
  for (let run = 0; run < runs; run += 1) {
    const [id, at] = [...free].sort((a, b) => a[1] - b[1])[0] as [string, number];
    await sleep(Math.max(0, at - performance.now()));
    // Spread: two failures at once would measure each other.
    free.set(id, Number.POSITIVE_INFINITY);
    const work = measure(kind, id).then((measured) => void results.push(measured)).finally(() => free.set(id, performance.now() + Math.max(2_000, freshMs)));
    running.add(work);
    // Only long outages overlap: nothing happens in them.
    if ((kind.awayMs ?? 0) < 5_000) await work;
    else await sleep(1_000);
    while (![...free.values()].some(Number.isFinite)) await Promise.race(running);
    void work.finally(() => running.delete(work));
  }
  await Promise.all(running);
  return results;
}

/** Every camera of the worker that dies is a run; all cameras are fresh before each death. */
async function together(kind: Kind): Promise<Measured[]> {
  const results: Measured[] = [];
  for (let nth = 0; results.length < runs; nth += 1) {
    await whole();
    await sleep(freshMs);
    const cameras = await lookout.cameras();
    const victim = cameras[nth % cameras.length];
    const shared = cameras.filter(({ worker }) => worker?.pid === victim?.worker?.pid);
    const began = Date.now();
    await kind.begin(victim?.id ?? '');
    results.push(...await Promise.all(shared.map(({ id }) => observe(kind, id, began))));
  }
  return results;
}

async function measure(kind: Kind, id: string): Promise<Measured> {
  await whole();
  const began = Date.now();
  away.add(id);
  await kind.begin(id);
  return await observe(kind, id, began);
}

/** Waits for what the failure leads to. */
async function observe(kind: Kind, id: string, began: number): Promise<Measured> {
  const budget = (kind.awayMs ?? 0) + 20_000;
  const lost = await journal.next(id, (row) => row.class === kind.class && row.to !== 'streaming.stalled' && Date.parse(row.at) >= began, budget);
  const back = await journal.next(id, (row) => (row.to === kind.live || row.type === kind.live) && row.seq > lost.seq, budget);
  away.delete(id);
  const [lostAt, backAt] = [Date.parse(lost.at), Date.parse(back.at)];
  const shown = kind.shared ? begun : frames;
  const frameAt = await eventually(() => shown.get(id)?.find((time) => time > (kind.shared ? began : backAt)), { timeoutMs: 20_000, what: `a frame of ${id}` }) as number;
  shown.set(id, shown.get(id)?.filter((time) => time > frameAt) ?? []);
  const from = began + (kind.awayMs ?? 0);
  return { detectMs: lostAt - began, packetMs: backAt - from, frameMs: Math.round(frameAt - from) };
}

/** Every camera is live and carried, and a moment has passed: nothing of the run before is measured again. */
async function whole(): Promise<void> {
  await eventually(async () => (await lookout.cameras()).filter(({ substate, worker }) => substate === 'live' && worker !== null).length >= ids.length - away.size, { timeoutMs: 20_000, what: 'all cameras live' });
  await sleep(paceMs);
}

/** Resolves once it has begun. */
async function silence(id: string, ms: number): Promise<void> {
  await simulator.script(id, { media: 'none' });
  setTimeout(() => void simulator.script(id, { media: 'all' }), ms);
}

function summary(results: Measured[], key: keyof Measured, name: string): Record<string, string> {
  const values = results.map((result) => result[key]);
  return { [name]: [rank(values, 0.5), rank(values, 0.95), Math.max(...values)].join(' / ') };
}

function judge({ targets }: Kind, results: Measured[]): string {
  return Object.entries(targets).map(([key, limit]) => {
    const met = rank(results.map((result) => result[key as keyof Measured]), 0.95) <= limit;
    if (!met) failed += 1;
    return `${key.slice(0, -2)} ≤ ${limit}: ${met ? 'met' : 'MISSED'}`;
  }).join(', ') || '–';
}

/** Rows as they are written, over Socket.IO: their `at` is the supervisor's clock, which is this machine's. */
function followJournal(): { next(id: string, fits: (row: EventView) => boolean, timeoutMs: number): Promise<EventView>; close(): void } {
  const socket = io(`${lookout.url}/status`, { transports: ['websocket'], auth: { token: 'test-admin-token-of-this-run' } });
  const kept: EventView[] = [];
  socket.on('journal', (row: EventView) => {
    kept.push(row);
    if (kept.length > 5_000) kept.splice(0, 1_000);
  });
  return {
    next: (id, fits, timeoutMs) => eventually(() => kept.find((row) => row.camera === id && fits(row)), { timeoutMs, what: `a row in the journal of ${id}; there are ${kept.slice(-8).map(({ camera, type, to, class: cls }) => `${camera} ${type} ${to} ${cls}`).join(', ')}` }) as Promise<EventView>,
    close: () => void socket.disconnect(),
  };
}
