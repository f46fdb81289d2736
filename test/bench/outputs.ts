/**
 * What outputs cost: CPU and private memory of each (recording, HLS, raw frames, live sound, a snapshot a second) in hosts
 * of Lookout, next to a bare `gst-launch-1.0` pipeline that does the same from the same hub with stock elements, at the same
 * time; the source with its live feed next to a bare one from the camera, with and without readers of its hub, which is what
 * the hub costs. Then how far HLS is behind, and how long snapshots take whose keyframe is new each time.
 * With `perHost` recordings, HLS and live sound share processes, so many of a kind to one (`hosts.outputsPerHost`).
 * Usage: npm run bench -- outputs [cameras=3] [seconds=20] [perHost=1] [kinds=record,hls,frames,sound]
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../src/native/host.ts';
import type { OutputSpec } from '../../src/native/protocol.ts';
import { createFrames } from '../../src/control/frames.ts';
import { createSnapshots } from '../../src/control/snapshots.ts';
import { benchClip } from '../support/bench-clips.ts';
import { benchOptions } from '../support/bench-options.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { barePipelines, measureCosts, type Cost } from '../support/process-cost.ts';
import { cpuSeconds } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
import { hlsLatency, snapshotTimes } from '../support/outputs-bench.ts';

const options = benchOptions({ cameras: '3', seconds: '20', perHost: '1', kinds: 'record,hls,frames,sound' }, 'cameras');
const [cameras, seconds, perHost] = [Number(options.cameras), Number(options.seconds), Number(options.perHost)];
const targetRatio = 1.2;
/** A host collects what its start left ten seconds later. */
const settleMs = 14_000;
const recipe = { width: 1280, height: 720, seconds: 4, gop: 25, kbps: 2000, profile: 'main', noise: 40, view: { pattern: 'checks', hue: 220 }, title: 'GOP' } as const;
const [h264, h265] = [await benchClip(recipe), await benchClip({ ...recipe, codec: 'H265', noise: 6 })];
const folder = mkdtempSync(join(tmpdir(), 'lookout-outputs-'));
const sound = { codec: 'AAC', rate: 16_000, channels: 1, config: '1408' } as const;
const form = { width: 640, height: 360, fps: 5, format: 'RGB' } as const;
const outputs = (['record', 'hls', 'frames', 'sound'] as const).filter((kind) => options.kinds.split(',').includes(kind));
const [feedAlone, withReaders] = ['source and live feed', 'the same, with readers of its hub'];
const ids = Array.from({ length: cameras }, (_, index) => `camera${index}`);

/** A transcode has no bare pipeline beside it: what it costs is the encoder. */
type Measured = Exclude<OutputSpec['output'], 'transcode'>;
type Pair = { lookout: readonly number[]; bare: readonly number[] };
type Row = { 'CPU a camera, %': number; 'bare, %': number; ratio: number; 'private MB': number; 'bare, MB': number };
type Source = { id: string; hubPort: number; soundPort: number; host: Host };

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: h264, audio: 'beep-aac', phase: 'random' as const })) });
const hosts = startPool();
/** Kinds apart, so that what each costs can be told. */
const pools = { record: startPool({ outputsPerHost: perHost }), hls: startPool({ outputsPerHost: perHost }), sound: startPool({ outputsPerHost: perHost }), frames: hosts };
const places = createFrames({ registry: hosts.registry, instance: hosts.instance });
const children = barePipelines();
const rows: Record<string, Row> = {};
try {
  const sources = await Promise.all(ids.map((id, index) => startSource(id, index)));
  const bareSources = ids.map((id, index) => children.start(`rtspsrc location=${simulator.url(id)} protocols=tcp latency=0 ! application/x-rtp,media=video ! rtph264depay ! h264parse config-interval=-1 ! rtph264pay config-interval=-1 ! udpsink host=127.0.0.1 port=${30_100 + index} sync=false async=false`));
  const feed = { lookout: sources.map(({ host }) => host.pid), bare: bareSources };
  rows[feedAlone] = (await measure({ feed }))['feed']!;
  const pairs: Record<string, Pair> = { feed };
  for (const name of outputs) pairs[name] = await startPair(name, sources);
  const measured = await measure(pairs);
  rows[withReaders] = measured['feed']!;
  for (const [name, row] of Object.entries(measured)) if (name !== 'feed') rows[name] = row;
  rows['snapshot, one a second'] = await snapshots(sources[0]!);
} finally {
  await children[Symbol.asyncDispose]();
  await Promise.all([hosts, ...Object.values(pools)].map((each) => each.close()));
  rmSync(folder, { recursive: true, force: true });
}
console.table(rows);
const hls = await hlsLatency(h264);
const pictures = { H264: await snapshotTimes(h264), H265: await snapshotTimes(h265) };
console.table({ 'HLS, ms behind the camera when a segment is listed': hls, 'snapshot of H.264, ms': pictures.H264, 'snapshot of H.265, ms': pictures.H265 });
const { [withReaders]: read, ...alike } = rows;
const ratios = Object.fromEntries(Object.entries(alike).map(([name, { ratio }]) => [name, ratio]));
const readersOfEach = 2 * outputs.length;
/** Nobody reads from the bare source: what the hub costs is no ratio to it. */
const hub = { readersOfEach, 'CPU a reader, %': Math.round((read!['CPU a camera, %'] - rows[feedAlone]!['CPU a camera, %']) * 1_000 / readersOfEach) / 1_000 };
const met = { ratio: Object.values(ratios).every((ratio) => ratio <= targetRatio), snapshot: pictures.H264.p95 <= 150 && pictures.H265.p95 <= 150 };
console.log(JSON.stringify({ bench: 'outputs', cameras, seconds, perHost, ratios, hub, hls, pictures, targets: { ratio: targetRatio, snapshotP95Ms: 150 }, met }));

async function startSource(id: string, index: number): Promise<Source> {
  const host = await hosts.pool.take(`camera:${id}/source`);
  const said = record(host);
  host.send({ type: 'source.start', spec: sourceSpec(simulator.url(id), { sound, feed: { port: 30_000 + index, bindPort: 20_500 + index, ssrc: 1 + index, payloadType: 102, open: true } }) });
  const { hubPort, soundPort } = await said.next('source.started', 20_000);
  await said.next('source.flowing', 20_000);
  return { id, hubPort, soundPort: soundPort!, host };
}

/** An output of every camera in Lookout, and the same from the same hub without it. */
async function startPair(name: Measured, sources: readonly Source[]): Promise<Pair> {
  const lookout: number[] = [];
  for (const source of sources) {
    const host = await pools[name].pool.take(`camera:${source.id}/${name}`, name === 'frames' ? {} : { beside: 'output' });
    const spec = specOf(name, source);
    if (spec.output === 'frames') void host.exited.then(() => places.end(spec.run));
    const said = record(host);
    host.send({ type: 'output.start', spec });
    if (!lookout.includes(host.pid)) lookout.push(host.pid);
    const runs = await eventually(() => said.events.find((event) => event.type === 'output.failed' || (event.type === 'output.stats' && event.stats.frames > 0)), { timeoutMs: 20_000, what: `${name} of ${source.id} to run` });
    if (runs?.type === 'output.failed') throw new Error(`${name} of ${source.id}: ${JSON.stringify(runs.failure)}`);
  }
  return { lookout, bare: sources.map((source) => children.start(launchOf(name, source))) };
}

function specOf(output: Measured, { id: camera, hubPort: port, soundPort }: Source): OutputSpec {
  const hub = { port, codec: 'H264' as const, gopMs: 1_000 };
  switch (output) {
    case 'record': return { output, camera, hub, dir: join(folder, 'recordings'), segmentMs: 60_000, segmentBytes: 4_000_000_000 };
    case 'hls': return { output, camera, hub, dir: join(folder, 'hls', camera), segmentMs: 2_000, keep: 12 };
    case 'frames': return { output, camera, hub, form, ...places.begin(camera) };
    case 'sound': return { output, camera, sound: { ...sound, port: soundPort }, feed: { port: 30_200, bindPort: 20_600 + ids.indexOf(camera), ssrc: 9, payloadType: 100 } };
  }
}

function launchOf(output: Measured, { id, hubPort, soundPort }: Source): string {
  const read = `tcpclientsrc host=127.0.0.1 port=${hubPort} ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay ! rtpjitterbuffer mode=none latency=0 ! rtph264depay ! h264parse`;
  const own = join(folder, `bare-${output}-${id}`);
  mkdirSync(own, { recursive: true });
  switch (output) {
    case 'record': return `splitmuxsink name=mux muxer-factory=matroskamux location=${own}/%05d.mkv max-size-time=60000000000 ${read} ! mux.video`;
    case 'hls': return `splitmuxsink name=mux muxer-factory=mpegtsmux location=${own}/%05d.ts max-size-time=2500000000 max-files=12 ${read} ! video/x-h264,stream-format=avc,alignment=au ! h264parse config-interval=-1 ! mux.video`;
    case 'frames': return `${read} ! avdec_h264 max-threads=1 ! videorate drop-only=true max-rate=${form.fps} ! videoscale ! videoconvert ! video/x-raw,format=${form.format},width=${form.width},height=${form.height},pixel-aspect-ratio=1/1 ! gdppay ! tcpserversink host=127.0.0.1 port=0 sync=false async=false`;
    case 'sound': return `tcpclientsrc host=127.0.0.1 port=${soundPort} ! application/x-rtp-stream,media=audio,clock-rate=90000,payload=96,encoding-name=MPEG4-GENERIC,mode=AAC-hbr,config=(string)${sound.config},sizelength=(string)13,indexlength=(string)3,indexdeltalength=(string)3 ! rtpstreamdepay ! rtpmp4gdepay ! aacparse ! avdec_aac ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=48000 frame-size=20 ! rtpopuspay ! udpsink host=127.0.0.1 port=30201 sync=false async=false`;
  }
}

/** All at once. */
async function measure(pairs: Record<string, Pair>): Promise<Record<string, Row>> {
  await sleep(settleMs);
  const groups = Object.entries(pairs).flatMap(([name, { lookout, bare }]) => [[name, () => lookout], [`bare ${name}`, () => bare]] as const);
  const costs = await measureCosts(Object.fromEntries(groups), seconds);
  return Object.fromEntries(Object.keys(pairs).map((name) => [name, rowOf(costs[name]!, costs[`bare ${name}`]!, cameras)]));
}

function rowOf(lookout: Cost, bare: Cost, count: number): Row {
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    'CPU a camera, %': round(lookout.cpuPercent / count), 'bare, %': round(bare.cpuPercent / count), ratio: round(lookout.cpuPercent / bare.cpuPercent),
    'private MB': round(lookout.privateMegabytes / count), 'bare, MB': round(bare.privateMegabytes / count),
  };
}

/** CPU of children that ended and were waited for, and of hosts that wait for the next picture, s. */
function picturesSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  const waiting = hosts.pool.hosts().filter(({ owner }) => owner.endsWith('/snapshot'));
  return waiting.reduce((sum, { pid }) => sum + cpuSeconds(pid), (Number(fields[13]) + Number(fields[14])) / 100);
}

/** Pictures in turns: one of Lookout's, one of a bare pipeline that runs for it. */
async function snapshots({ id, hubPort }: Source): Promise<Row> {
  const taker = createSnapshots({ pool: hosts.pool });
  const used = { lookout: 0, bare: 0 };
  const spend = async (who: keyof typeof used, work: () => Promise<unknown>): Promise<void> => {
    const before = picturesSeconds();
    await work();
    used[who] += picturesSeconds() - before;
  };
  const launch = `tcpclientsrc host=127.0.0.1 port=${hubPort} ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! videoconvert ! jpegenc quality=80 snapshot=true ! filesink location=${folder}/picture.jpg`;
  for (let nth = 1; nth <= seconds; nth += 1) {
    await spend('lookout', () => taker.take({ camera: id, hubPort, codec: 'H264', keyframes: nth, keyframeAt: Date.now() }, 0));
    await spend('bare', () => once(spawn('gst-launch-1.0', ['-q', ...launch.split(' ')], { stdio: 'ignore' }), 'exit'));
  }
  const cost = (cpuSeconds: number): Cost => ({ cpuPercent: (cpuSeconds * 100) / seconds, threads: {}, privateMegabytes: 0 });
  return rowOf(cost(used.lookout), cost(used.bare), 1);
}
