/**
 * One camera (720p25, 2 Mbit/s) to as many viewers as two cores carry: its source host, media worker and ingest are Lookout's, next to
 * `gst-launch-1.0` and mediasoup alone, in turns. Viewers are PlainTransport consumers whose packets another worker receives and counts.
 * Then 30 joins a second for as long, with transport, consumer and primer of Lookout's own, while half as many viewers watch.
 * Usage: npm run bench -- fanout [viewers=as many as are carried] [seconds=20]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer, Router } from 'mediasoup/types';
import { createViewerMedia } from '../../src/actors/viewer-media.ts';
import { createIngest, type Ingest } from '../../src/native/ingest.ts';
import { startMediaWorker } from '../../src/native/mediasoup-worker.ts';
import { createPrimerPath } from '../../src/native/primer-path.ts';
import { createPrimerPump, type PrimerPump } from '../../src/native/primer-pump.ts';
import { openBareCamera } from '../support/bare-sfu.ts';
import { createCrowd, readAll, type Crowd, type CrowdViewer } from '../support/crowd.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { measureCosts } from '../support/process-cost.ts';
import { startSimulator } from '../support/simulator.ts';

const [asked = 0, seconds = 20] = process.argv.slice(2, 4).map(Number);
const targets = { ratio: 0.98, lostByJoins: 0 };
const rounds = 3;
const joinsPerSecond = 30;
const joinMs = 1_000;
/** More of a core than this, and what is measured is the queue in front of it. */
const fullPercent = 85;
const feed = { ssrc: 4_711, payloadType: 102 };
const recvBufferBytes = 8_388_608;

type Camera = AsyncDisposable & { pid: number; router: Router; producer: Producer; ingest?: Ingest; hubPort?: number };
type Turn = { packetsPerSecond: number; lost: number; workerPercent: number; packetsPerCpuMs: number };

const folder = mkdtempSync(join(tmpdir(), 'lookout-fanout-'));
await using simulator = await startSimulator({ mounts: [{ name: 'camera', video: 'street-720p-main' }] });
const hosts = startPool();
try {
  await using crowd = await createCrowd();
  const viewers = asked > 0 ? asked : await mostViewers(crowd);
  const turns = { bare: [] as Turn[], lookout: [] as Turn[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, open] of [['bare', () => openBareCamera(simulator.url('camera'))], ['lookout', openLookout]] as const) {
      const turn = await measure(crowd, open, viewers);
      turns[name].push(turn);
      console.log(JSON.stringify({ round, name, viewers, ...turn }));
    }
  }
  report(viewers, turns, await joinStorm(crowd, Math.ceil(viewers / 2)));
} finally {
  await hosts.close();
  rmSync(folder, { recursive: true, force: true });
}

function report(viewers: number, { bare, lookout }: Record<'bare' | 'lookout', Turn[]>, joins: Awaited<ReturnType<typeof joinStorm>>): void {
  const mean = (turns: Turn[], key: keyof Turn): number => turns.reduce((sum, turn) => sum + turn[key], 0) / turns.length;
  const row = (turns: Turn[]) => ({ 'packets/s': Math.round(mean(turns, 'packetsPerSecond')), lost: Math.round(mean(turns, 'lost')), 'worker, % of a core': Math.round(mean(turns, 'workerPercent')), 'packets a CPU ms': round2(mean(turns, 'packetsPerCpuMs')) });
  console.table({ 'bare mediasoup': row(bare), Lookout: row(lookout) });
  const ratios = { delivered: round3(mean(lookout, 'packetsPerSecond') / mean(bare, 'packetsPerSecond')), perCpu: round3(mean(lookout, 'packetsPerCpuMs') / mean(bare, 'packetsPerCpuMs')) };
  const met = { ratio: Math.min(ratios.delivered, ratios.perCpu) >= targets.ratio, lostByJoins: joins.lost <= targets.lostByJoins };
  console.log(JSON.stringify({ bench: 'fanout', viewers, seconds, rounds, ratios, joins, targets, met }));
  process.exitCode = Object.values(met).every(Boolean) ? 0 : 1;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function round3(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

async function openLookout(): Promise<Camera> {
  const worker = await startMediaWorker({ index: 0, registry: hosts.registry, stateDir: folder, portMin: 40_000, portMax: 40_999, listenIp: '127.0.0.1', announcedAddress: undefined, requestMs: 20_000, onLog: () => undefined });
  const [inlet, outlet] = [await hosts.ports.lease('bench/ingest'), await hosts.ports.lease('bench/feed')];
  const place = { ...feed, port: inlet.port, bindPort: outlet.port };
  const ingest = await createIngest(worker, { camera: 'camera', feed: place, profileLevelId: '4d001f', recvBufferBytes });
  const host = await hosts.pool.take('camera:camera/source');
  const said = record(host);
  host.send({ type: 'source.start', spec: sourceSpec(simulator.url('camera'), { feed: { ...place, open: true } }) });
  const { hubPort } = await said.next('source.started', 20_000);
  await ingest.producer.resume();
  // As the program looks at each ingest.
  const looks = setInterval(() => void ingest.counters().catch(() => undefined), 1_000);
  return {
    pid: worker.pid, router: ingest.router, producer: ingest.producer, ingest, hubPort,
    async [Symbol.asyncDispose]() {
      clearInterval(looks);
      await host.release();
      ingest.close();
      await worker.close();
      await Promise.all([inlet.release(), outlet.release()]);
    },
  };
}

async function gather(crowd: Crowd, { router, producer }: Camera, count: number): Promise<CrowdViewer[]> {
  const viewers: CrowdViewer[] = [];
  while (viewers.length < count) viewers.push(...await Promise.all(Array.from({ length: Math.min(20, count - viewers.length) }, () => crowd.watch(router, producer))));
  await eventually(async () => (await Promise.all(viewers.map((viewer) => viewer.read()))).every(({ packets }) => packets > 0), { timeoutMs: 30_000, intervalMs: 500, what: 'packets at every viewer' });
  return viewers;
}

async function measure(crowd: Crowd, open: () => Promise<Camera>, count: number): Promise<Turn> {
  await using camera = await open();
  const viewers = await gather(crowd, camera, count);
  await sleep(2_000);
  const before = await readAll(viewers);
  const began = performance.now();
  const { worker } = await measureCosts({ worker: () => [camera.pid] }, seconds);
  const after = await readAll(viewers);
  const elapsed = performance.now() - began;
  for (const viewer of viewers) viewer.close();
  const packets = after.packets - before.packets;
  return { packetsPerSecond: Math.round(packets / elapsed * 1_000), lost: after.lost - before.lost, workerPercent: round2(worker.cpuPercent), packetsPerCpuMs: round2(packets / (worker.cpuPercent / 100 * elapsed)) };
}

/** Bare mediasoup decides: more and more viewers, until a core is full or the first packet is lost. */
async function mostViewers(crowd: Crowd): Promise<number> {
  await using camera = await openBareCamera(simulator.url('camera'));
  const viewers: CrowdViewer[] = [];
  const step = 100;
  for (;;) {
    viewers.push(...await gather(crowd, camera, step));
    await sleep(1_000);
    const before = await readAll(viewers);
    const { worker, receiver } = await measureCosts({ worker: () => [camera.pid], receiver: () => [crowd.pid] }, 4);
    const { lost } = await readAll(viewers);
    console.log(JSON.stringify({ viewers: viewers.length, workerPercent: Math.round(worker.cpuPercent), receiverPercent: Math.round(receiver.cpuPercent), lost: lost - before.lost }));
    if (Math.max(worker.cpuPercent, receiver.cpuPercent) < fullPercent && lost === before.lost) continue;
    for (const viewer of viewers) viewer.close();
    return Math.max(step, viewers.length - step);
  }
}

/** Whoever joins gets what Lookout makes for a browser, and leaves a second later. */
async function joinStorm(crowd: Crowd, count: number): Promise<{ watching: number; joins: number; primed: number; failed: number; lost: number }> {
  await using camera = await openLookout();
  const viewers = await gather(crowd, camera, count);
  const pump = createPrimerPump();
  await sleep(3_000);
  const before = await readAll(viewers);
  const joined: Promise<boolean>[] = [];
  const began = performance.now();
  for (let nth = 0; nth < joinsPerSecond * seconds; nth += 1) {
    await sleep(Math.max(0, began + (nth / joinsPerSecond) * 1_000 - performance.now()));
    joined.push(joinOnce(crowd, camera, { pump, viewer: `viewer-${nth}`, ssrc: 100_000 + nth }));
  }
  const outcomes = await Promise.allSettled(joined);
  await sleep(2_000);
  const after = await readAll(viewers);
  await pump.stop();
  const primed = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
  const failed = outcomes.filter(({ status }) => status === 'rejected').length;
  for (const outcome of outcomes.filter(({ status }) => status === 'rejected').slice(0, 3)) console.log(String((outcome as PromiseRejectedResult).reason));
  return { watching: count, joins: joined.length, primed, failed, lost: after.lost - before.lost };
}

/** True where its primer's packets came. */
async function joinOnce(crowd: Crowd, { ingest, router, hubPort }: Camera, { pump, viewer, ssrc }: { pump: PrimerPump; viewer: string; ssrc: number }): Promise<boolean> {
  const events = { connected() {}, disconnected() {}, paused() {}, resumed() {}, gone() {} };
  const media = await createViewerMedia(ingest!, { viewer, rtpCapabilities: router.rtpCapabilities, events });
  const lease = await hosts.ports.lease(`bench/${viewer}`);
  try {
    await media.consume();
    const path = await createPrimerPath(ingest!, { viewer, port: lease.port, from: await pump.from(), ssrc, recvBufferBytes });
    const seen = await crowd.watch(router, path.producer);
    const playing = pump.play(viewer, { hubPort: hubPort!, port: lease.port, ssrc, payloadType: feed.payloadType, maxBytes: 8_000_000, held: false }, { live() {}, late() {}, ended() {} });
    await sleep(joinMs);
    const { packets } = await seen.read();
    playing.stop();
    seen.close();
    path.close();
    return packets > 0;
  } finally {
    media.close();
    await lease.release();
  }
}
