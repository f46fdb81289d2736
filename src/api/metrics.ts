/** Prometheus metrics, prefix `vms_media_`: read from the supervisor when they are asked for. `docs/metrics.md` lists them. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Certificates } from './certificates.ts';
import type { Store } from '../store/types.ts';
import type { CameraCounters, ControlPlane } from './control.ts';
import type { CameraState, StreamName, SubView, SystemView } from './protocol.ts';

/** The metrics of one program. */
export type Metrics = {
  readonly contentType: string;
  text(): Promise<string>;
  /** A viewer saw its first picture this many milliseconds after joining. */
  observeFirstFrame(milliseconds: number): void;
  /** Name, type and help of every metric, for the documentation. */
  list(): { name: string; type: string; help: string; labels: string[] }[];
  close(): void;
};

const prefix = 'vms_media_';
const cameraStates: CameraState[] = ['stopped', 'idle', 'connecting', 'streaming', 'backoff', 'teardown', 'quarantined'];
/** From a lost packet to a long power cut. */
const recoveryBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800];
const firstFrameBuckets = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20];

type Sample = { labels: Record<string, string | number>; value: number };

/** Makes the metrics and subscribes to what can only be counted as it happens. */
export function createMetrics({ control, store, certificates }: { control: ControlPlane; store: Store; certificates?: Certificates | undefined }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  for (const definition of [...definitions(control, store), ...certificateDefinitions(certificates)]) addSampled(registry, definition);

  const recovery = new Histogram({ name: `${prefix}camera_recovery_seconds`, help: 'From the loss of a camera to its first fresh packet, by the class of the failure', labelNames: ['class'], buckets: recoveryBuckets, registers: [registry] });
  const firstFrame = new Histogram({ name: `${prefix}viewer_first_frame_seconds`, help: 'From joining to the first decoded picture, as browsers tell', buckets: firstFrameBuckets, registers: [registry] });
  const actorRestarts = new Counter({ name: `${prefix}actor_restarts_total`, help: 'Actors re-spawned by their supervisor after a crash', labelNames: ['actor'], registers: [registry] });
  const unsubscribe = control.subscribe((delta) => {
    if (delta.type === 'recovered') recovery.observe({ class: delta.class }, delta.seconds);
    if (delta.type === 'actor-restarted') actorRestarts.inc({ actor: delta.actor });
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeFirstFrame: (milliseconds) => firstFrame.observe(milliseconds / 1000),
    list: () => registry.getMetricsAsArray().map((metric) => {
      const { name, help, labelNames = [], type } = metric as unknown as { name: string; help: string; labelNames?: string[]; type?: string };
      return { name, help, labels: [...labelNames], type: type ?? kindOf(metric) };
    }),
    close() {
      unsubscribe();
      registry.clear();
    },
  };
}

type Definition = { name: string; type: 'gauge' | 'counter'; help: string; labels: string[]; samples: () => Sample[] };

/** A metric whose series are exactly what the supervisor knows at the moment: those of a removed camera disappear. */
function addSampled(registry: Registry, { name, type, help, labels, samples }: Definition): void {
  const common = { name: `${prefix}${name}`, help, labelNames: labels, registers: [registry] };
  if (type === 'gauge') {
    new Gauge({ ...common, collect() {
      this.reset();
      for (const sample of samples()) this.set(sample.labels, sample.value);
    } });
    return;
  }
  new Counter({ ...common, collect() {
    this.reset();
    for (const sample of samples()) this.inc(sample.labels, sample.value);
  } });
}

function kindOf(metric: unknown): string {
  return metric instanceof Counter ? 'counter' : metric instanceof Gauge ? 'gauge' : metric instanceof Histogram ? 'histogram' : 'summary';
}

function definitions(control: ControlPlane, store: Store): Definition[] {
  return [...streamDefinitions(control, 'main'), ...streamDefinitions(control, 'sub'), ...outputDefinitions(control), ...primerDefinitions(control), ...systemDefinitions(control, store), ...workerDefinitions(control)];
}

type Stream = SubView & { id: string };

/** Both streams of cameras tell the same of themselves; main's metrics have the names that cameras had before there were two. */
function streamDefinitions(control: ControlPlane, stream: StreamName): Definition[] {
  const [prefixed, ingest, watched, whose] = stream === 'main' ? ['camera', 'ingest', 'viewers', 'a camera'] as const : ['sub', 'sub_ingest', 'sub_viewers', "a camera's sub stream"] as const;
  const labels = ['camera'];
  const streams = (): Stream[] => control.cameras().flatMap(({ sub, ...main }) => (stream === 'main' ? [{ ...main, live: main.outputs.live }] : sub ? [{ ...sub, id: main.id }] : []));
  const ofViews = (value: (view: Stream) => number | null | undefined) => () => streams().flatMap((view): Sample[] => {
    const number = value(view);
    return number === null || number === undefined ? [] : [{ labels: { camera: view.id }, value: number }];
  });
  const ofCounters = (value: (counters: CameraCounters) => number) => () => control.counters(stream).map((entry): Sample => ({ labels: { camera: entry.id }, value: value(entry) }));
  const byKey = (key: string, value: (counters: CameraCounters) => object) => () => control.counters(stream).flatMap((entry) =>
    Object.entries(value(entry)).map(([name, number]): Sample => ({ labels: { camera: entry.id, [key]: name }, value: Number(number) })));
  const of = stream === 'main' ? '' : ', of the sub stream';
  return [
    { name: `${prefixed}_state`, type: 'gauge', help: `1 for the state ${whose} is in, 0 for the others`, labels: ['camera', 'state'], samples: () => streams().flatMap((view) => cameraStates.map((state): Sample => ({ labels: { camera: view.id, state }, value: view.state === state ? 1 : 0 }))) },
    { name: `${prefixed}_state_seconds_total`, type: 'counter', help: `Time spent in each state${of}`, labels: ['camera', 'state'], samples: byKey('state', (entry) => entry.stateSeconds) },
    { name: `${prefixed}_restarts_total`, type: 'counter', help: `Sources started after the first, by the class of the failure before${of}`, labels: ['camera', 'class'], samples: byKey('class', (entry) => entry.restarts) },
    { name: `${prefixed}_packets_total`, type: 'counter', help: `RTP packets received, counted at the source${of}`, labels, samples: ofCounters((entry) => entry.packets) },
    { name: `${prefixed}_bytes_total`, type: 'counter', help: `Bytes received, counted at the source${of}`, labels, samples: ofCounters((entry) => entry.bytes) },
    { name: `${prefixed}_keyframes_total`, type: 'counter', help: `Keyframes received, counted at the source${of}`, labels, samples: ofCounters((entry) => entry.keyframes) },
    { name: `${ingest}_packets_lost_total`, type: 'counter', help: `RTP packets lost between source and ingest${of}`, labels, samples: ofCounters((entry) => entry.ingestPacketsLost) },
    { name: `${prefixed}_last_packet_age_seconds`, type: 'gauge', help: `Age of the last packet; no series before the first${of}`, labels, samples: ofViews(({ freshness }) => freshness.packetAgeMs === null ? null : freshness.packetAgeMs / 1000) },
    { name: `${prefixed}_last_keyframe_age_seconds`, type: 'gauge', help: `Age of the last keyframe; no series before the first${of}`, labels, samples: ofViews(({ freshness }) => freshness.keyframeAgeMs === null ? null : freshness.keyframeAgeMs / 1000) },
    { name: `${prefixed}_fps`, type: 'gauge', help: `Pictures a second${of}`, labels, samples: ofViews(({ media }) => media?.fps) },
    { name: `${prefixed}_bitrate_bits`, type: 'gauge', help: `Bits a second over the last seconds${of}`, labels, samples: ofViews(({ media }) => media?.bitrate) },
    { name: watched, type: 'gauge', help: `Viewers of ${whose}`, labels, samples: ofViews(({ viewers }) => viewers) },
  ];
}

function outputDefinitions(control: ControlPlane): Definition[] {
  return [{
    name: 'recording_bytes_total', type: 'counter', help: 'Bytes recorded', labels: ['camera'],
    samples: () => control.counters().map((entry): Sample => ({ labels: { camera: entry.id }, value: entry.recordingBytes })),
  }, {
    name: 'output_state', type: 'gauge', help: '1 for the state an output is in', labels: ['camera', 'output', 'state'],
    samples: () => control.cameras().flatMap((camera) => Object.entries(camera.outputs).map(([output, { state }]): Sample => ({ labels: { camera: camera.id, output, state }, value: 1 }))),
  }];
}

function primerDefinitions(control: ControlPlane): Definition[] {
  const of = (value: (primers: ReturnType<ControlPlane['primers']>) => number) => () => [{ labels: {}, value: value(control.primers()) }];
  return [
    { name: 'primers', type: 'gauge', help: 'Primers: streams that show a joining browser the first pictures, until the camera\'s next keyframe', labels: [], samples: of(({ active }) => active) },
    { name: 'primers_started_total', type: 'counter', help: 'Primers that began to play', labels: [], samples: of(({ started }) => started) },
    { name: 'primers_refused_total', type: 'counter', help: 'Joining browsers that had no primer because `primers.most` played already: they waited for a keyframe', labels: [], samples: of(({ refused }) => refused) },
    { name: 'primers_failed_total', type: 'counter', help: 'Primers that ended by a failure: no port, a source that ended, more than `primers.maxBytes` waiting', labels: [], samples: of(({ failed }) => failed) },
    { name: 'primers_repeats_total', type: 'counter', help: 'Times a primer began again, slower, because its browser had lost pictures and asked for a keyframe', labels: [], samples: of(({ repeats }) => repeats) },
    { name: 'catch_ups', type: 'gauge', help: 'Catch-ups: processes that decode, for joining browsers, what a camera sent since its last keyframe, and go on from the present', labels: [], samples: of(({ catchUps }) => catchUps.active) },
    { name: 'catch_ups_started_total', type: 'counter', help: 'Catch-ups that were started', labels: [], samples: of(({ catchUps }) => catchUps.started) },
    { name: 'catch_ups_refused_total', type: 'counter', help: 'Joining browsers that had no catch-up because `primers.catchUps` ran already: they decoded by themselves', labels: [], samples: of(({ catchUps }) => catchUps.refused) },
    { name: 'catch_ups_failed_total', type: 'counter', help: 'Catch-ups that ended by a failure: their browsers decoded by themselves', labels: [], samples: of(({ catchUps }) => catchUps.failed) },
    { name: 'primers_bytes_total', type: 'counter', help: 'Bytes that primers sent', labels: [], samples: of(({ bytes }) => bytes) },
  ];
}

function systemDefinitions(control: ControlPlane, store: Store): Definition[] {
  const one = (value: () => number) => () => [{ labels: {}, value: value() }];
  return [
    { name: 'hosts', type: 'gauge', help: 'Host processes, by what they run', labels: ['role'], samples: () => [...Map.groupBy(control.hosts(), (host) => host.role)].map(([role, hosts]) => ({ labels: { role }, value: new Set(hosts.map(({ pid }) => pid)).size })) },
    { name: 'host_rss_bytes', type: 'gauge', help: 'Resident memory of the host processes of a camera; of a process that several share, its part', labels: ['camera', 'role'], samples: () => [...Map.groupBy(control.hosts(), (host) => `${host.camera}\n${host.role}`).values()].map((hosts) => ({ labels: { camera: hosts[0]?.camera ?? '', role: hosts[0]?.role ?? '' }, value: Math.round(hosts.reduce((sum, host) => sum + host.rssBytes / host.sharedBy, 0)) })) },
    { name: 'orphans', type: 'gauge', help: 'Processes and UDP ports of this instance that nobody holds a lease on, seen by looking at the operating system; must read 0', labels: [], samples: one(() => control.system().orphans) },
    { name: 'transcode_cores', type: 'gauge', help: 'Cores that transcodes for WebRTC viewers take, by estimate', labels: [], samples: one(() => control.transcodes().used) },
    { name: 'transcode_budget_cores', type: 'gauge', help: 'Cores that all transcodes together may take', labels: [], samples: one(() => control.transcodes().budget) },
    { name: 'transcode_refused_total', type: 'counter', help: 'Viewers refused because the cores for transcodes were in use', labels: [], samples: one(() => control.transcodes().refused) },
    { name: 'watchdog_passed', type: 'gauge', help: '1 while a limit of the watchdog is passed: `delay` of the event loop, `memory`', labels: ['limit'], samples: () => watchdogSamples(control.system()) },
    { name: 'store_up', type: 'gauge', help: '1 while the store can be written', labels: [], samples: one(() => (store.status().ok ? 1 : 0)) },
    { name: 'journal_dropped_events_total', type: 'counter', help: 'Journal rows lost because the store could not be written for long', labels: [], samples: one(() => store.status().droppedEvents) },
  ];
}

const watchdogSamples = ({ passed = [] }: SystemView): Sample[] => (['delay', 'memory'] as const).map((limit) => ({ labels: { limit }, value: passed.includes(limit) ? 1 : 0 }));

/** No series where TLS is off. */
function certificateDefinitions(certificates: Certificates | undefined): Definition[] {
  const one = (value: (own: Certificates) => number) => (): Sample[] => (certificates ? [{ labels: {}, value: value(certificates) }] : []);
  return [
    { name: 'tls_not_after_seconds', type: 'gauge', help: 'When the certificate that is served ends, seconds since the epoch; no series without TLS', labels: [], samples: one((own) => Date.parse(own.status().notAfter) / 1000) },
    { name: 'tls_refused', type: 'gauge', help: '1 while the files of the certificate cannot be used and an older one is served', labels: [], samples: one((own) => (own.status().refused === null ? 0 : 1)) },
  ];
}

function workerDefinitions(control: ControlPlane): Definition[] {
  const labels = ['worker'];
  type Worker = ReturnType<ControlPlane['workers']>[number];
  const of = (value: (worker: Worker) => number | null) => () => control.workers().flatMap((worker): Sample[] => {
    const number = value(worker);
    return number === null ? [] : [{ labels: { worker: worker.index }, value: number }];
  });
  return [
    { name: 'sfu_worker_up', type: 'gauge', help: '1 while the mediasoup worker process runs', labels, samples: of((worker) => (worker.pid === null ? 0 : 1)) },
    { name: 'sfu_worker_restarts_total', type: 'counter', help: 'Times a worker was started again', labels, samples: of((worker) => worker.restarts) },
    { name: 'sfu_worker_routers', type: 'gauge', help: 'Routers (cameras) on a worker', labels, samples: of((worker) => worker.routers) },
    { name: 'sfu_worker_cpu_seconds_total', type: 'counter', help: 'CPU time a worker has used', labels, samples: of((worker) => worker.cpu) },
    { name: 'sfu_worker_rss_bytes', type: 'gauge', help: 'Resident memory of a worker', labels, samples: of((worker) => worker.rssBytes) },
  ];
}
