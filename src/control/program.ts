/** The program without its terminal: builds every part in order, and takes it down in the opposite one. */
import { join } from 'node:path';
import { waitFor } from 'xstate';
import { createAdmission } from '../actors/admission.ts';
import { createEdges } from '../actors/edges.ts';
import { createSounds } from '../actors/sounds.ts';
import { createTranscodes } from '../actors/transcodes.ts';
import { createMediaPlane } from '../actors/media-plane.ts';
import { createCatchUps } from '../actors/catch-ups.ts';
import { createPrimers } from '../actors/primers.ts';
import { createTree, type Root } from '../actors/tree.ts';
import { buildApp } from '../api/app.ts';
import { ensureAdminToken } from '../api/auth.ts';
import { openCertificates } from '../api/certificates.ts';
import type { ControlPlane } from '../api/control.ts';
import { parseCamera } from '../camera-config.ts';
import { redactText } from '../camera-url.ts';
import type { Config } from '../config.ts';
import { planeLog, type Log } from '../log.ts';
import { createFlightRecorder } from '../native/flight-recorder.ts';
import { createHostPool } from '../native/host-pool.ts';
import type { HostPool } from '../native/host.ts';
import { clearOrphans } from '../native/orphans.ts';
import { createPorts } from '../native/ports.ts';
import { createPrimerPump } from '../native/primer-pump.ts';
import { createRegistry, type Registry } from '../native/registry.ts';
import { createResolver } from '../native/resolve.ts';
import { createKeeper } from '../recordings/keeper.ts';
import { openStore } from '../store/index.ts';
import { streamOfKey } from '../streams.ts';
import type { Store } from '../store/types.ts';
import { awayRow, startAliveMark } from './alive-mark.ts';
import { child, createCameras } from './cameras.ts';
import { createControlPlane, createDeltaBus } from './control-plane.ts';
import { createDeclared } from './declared.ts';
import { createDemo, type Demo } from './demo.ts';
import { createDiskFaults } from './disk-faults.ts';
import { createExports } from './exports.ts';
import { createFigures } from './figures.ts';
import { createFrames } from './frames.ts';
import { createHlsLive } from './hls-live.ts';
import { createIncidents } from './incidents.ts';
import { createInspector } from './inspector.ts';
import { listen, warnOfSmallBuffers } from './listen.ts';
import { createObserver, plainEvent, type Observer } from './observer.ts';
import { createPlayback } from './playback.ts';
import { startRecordingWishes } from './recording-wishes.ts';
import { startRetention } from './recording-retention.ts';
import { createRecordings } from './recordings.ts';
import { createReload } from './reload.ts';
import { recycleBytes, supervisorSettings } from './settings.ts';
import { createSnapshots } from './snapshots.ts';
import { sampleSystem, type SystemSampler } from './system.ts';
import { createTrends } from './trends.ts';
import { createViewers } from './viewer-service.ts';
import { createWatchdog } from './watchdog.ts';
import { tellHls, tellSound, tellTranscode } from './wants.ts';

/** What a program is started with. */
export type ProgramOptions = {
  config: Config;
  instance: string;
  version: string;
  log: Log;
  /** Token of the login link, the same after every restart by the guardian; made where it is absent. */
  linkToken?: string | undefined;
  /** Reads the configuration again; where it is absent, it stays as it is. */
  reload?: () => Config;
};

/** A running program. */
export type Program = {
  /** Where it listens, without a token. */
  readonly url: string;
  /** Its port, which the address leaves out where it is the usual one. */
  readonly port: number;
  /** Where gRPC listens; null where it does not. */
  grpcPort(): number | null;
  /** The link that opens the page logged in; its token never reaches a log. */
  readonly loginLink: string;
  readonly demo: boolean;
  /** The actor tree, for inspection. */
  readonly root: Root;
  /** Resolves with the reason when the supervisor gave up by itself. */
  readonly escalated: Promise<string>;
  /** Reads the configuration again and applies what can be, or refuses it whole; never throws. */
  reload(reason: string): Promise<void>;
  /** Orderly end: new work refused, viewers told, everything reaped. Idempotent. */
  stop(): Promise<void>;
};

const repository = join(import.meta.dirname, '..', '..');
const ingestWaitMs = 8_000;

/** Starts everything. Rejects where a part cannot start, with nothing left running. */
export async function startProgram(given: ProgramOptions): Promise<Program> {
  const { config, instance, log } = given;
  const cleared = await clearOrphans({ instance });
  if (cleared.length > 0) log.warn({ pids: cleared }, 'processes of an earlier run were still there and have been ended');
  warnOfSmallBuffers(config, log);

  const certificates = config.tls && openCertificates(config.tls, log);
  const store = await openStore({ dir: config.data, secretFile: config.secretFile, rowsPerCamera: config.journal.rowsPerCamera, flightsPerCamera: config.journal.flightsPerCamera, log });
  const parts = createParts(given, store);
  const { root, pool, registry, cameras } = parts;
  const demo = createDemo({ cameras, registry, log });
  const { control, sampler } = createControl(parts, demo);
  root.start();
  const sync: typeof parts.declared.sync = async (wanted) => {
    if (wanted.length > 0) await demo.stop();
    return parts.declared.sync(wanted);
  };
  await Promise.all([parts.recordings.begin(), parts.hls.clear(), parts.frames.clear(), parts.exports.clear()]);
  // Before the interfaces: the cameras' processes start on other cores while this one builds them.
  const alive = await startAliveMark(store.settings, log);
  const known = await startCameras({ given, parts, before: alive.before, sync });
  const app = await buildApp({ control, store, config, log, pageDir: join(repository, 'visualizer', 'dist'), certificates });
  parts.changed.grpcPort = () => app.grpc?.port() ?? null;
  const { url, port } = await listen(app, config);
  await app.grpc?.tried;
  const { token } = await ensureAdminToken({ store, config, linkToken: given.linkToken });
  if (known === 0 && config.demo) await demo.start();
  const reload = createReload({ load: given.reload ?? (() => config), running: config, sync, note: parts.observer.note, log });

  let stopping: Promise<void> | undefined;
  const escalated = Promise.race([parts.watchdog.gaveUp, waitFor(root, ({ context }) => context.escalation !== null, { timeout: Infinity }).then(
    ({ context }) => context.escalation ?? '',
    (error: unknown) => (stopping ? new Promise<string>(() => undefined) : `the supervisor itself ended: ${String(error)}`),
  )]);
  const end = async (): Promise<void> => {
    reload.stop();
    certificates?.close();
    await stopTree(root, log);
    await demo.stop();
    await app.close();
    sampler.stop();
    parts.incidents.stop();
    parts.inspector.stop();
    parts.retention.stop();
    parts.wishes.stop();
    await Promise.all([parts.hls.stop(), parts.exports.stop()]);
    await alive.stop();
    await parts.pump.stop();
    await pool.close();
    for (const lease of registry.leases({ kind: 'pid' })) await lease.release();
    await parts.recordings.settled();
    await parts.keeper.stop();
    await store.close();
  };
  return { url, grpcPort: parts.changed.grpcPort, loginLink: `${url}/#token=${token}`, demo: demo.running(), root, escalated, port, reload: async (reason) => void await Promise.all([reload.now(reason), certificates?.reload()]), stop: () => (stopping ??= end()) };
}

/** Starts the cameras that are stored or declared; resolves with their number. */
async function startCameras({ given: { config }, parts, before, sync }: { given: ProgramOptions; parts: ReturnType<typeof createParts>; before: number | null; sync: (cameras: Config['cameras']) => Promise<unknown> }): Promise<number> {
  const declared = new Set<string>(config.cameras.map(({ id }) => id));
  const stored = (await parts.store.cameras.list()).filter(({ id }) => !declared.has(id));
  for (const id of [...stored.map((camera) => camera.id), ...declared]) if (before !== null) parts.observer.note(awayRow(id, before));
  for (const camera of stored) await parts.cameras.restore(parseCamera(camera));
  await sync(config.cameras);
  return stored.length + declared.size;
}

/** The pool of hosts, with a spare one if it is to be warm. */
function createHosts({ config, instance }: ProgramOptions, registry: Registry, log: Log): HostPool {
  const { sourcesPerHost, outputsPerHost } = config.hosts;
  return createHostPool({
    registry, instance,
    heartbeatMs: config.hosts.heartbeatMs,
    frozenMs: config.hosts.frozenMs,
    spares: config.hosts.warm > 0 ? 1 : 0,
    sourcesPerHost, outputsPerHost, wornRssBytes: { source: recycleBytes(config, sourcesPerHost), output: recycleBytes(config, outputsPerHost) },
    onStderr: (line, pid) => log.warn({ pid, line }, 'a host wrote to stderr'),
  });
}

/** The parts behind the interfaces: hosts, ports, the actor tree and who watches it. Nothing runs yet but the spare host. */
function createParts(given: ProgramOptions, store: Store) {
  const { config, instance, log } = given;
  const { supervision, sfu, rtsp } = config;
  const registry = createRegistry();
  const resolver = createResolver();
  const [mediaLog, sfuLog] = [planeLog(log, 'media'), planeLog(log, 'sfu')];
  const pool = createHosts(given, registry, mediaLog);
  const ports = createPorts({ registry, range: { from: sfu.internalPortMin, to: sfu.internalPortMax } });
  const plane = createMediaPlane();
  const bus = createDeltaBus((error) => log.error({ err: error }, 'a subscriber failed'));
  const figures = createFigures();
  const snapshots = createSnapshots({ pool, idleMs: config.hosts.pictureIdleMs, most: config.hosts.pictures });
  const pump = createPrimerPump();
  const catchUps = createCatchUps({ pool, most: config.primers.catchUps });
  const primers = createPrimers({ plane, catchUps, ports, registry, pump, most: config.primers.most, maxBytes: config.primers.maxBytes, recvBufferBytes: sfu.recvBufferBytes });
  const edges = createEdges({ ports, recvBufferBytes: sfu.recvBufferBytes });
  const sounds = createSounds({ plane, ports, ingestWaitMs, want: (camera, wanted) => tellSound(root, camera, wanted) });
  const transcodes = createTranscodes({ budget: config.transcode.cores, want: (camera, wanted) => tellTranscode(root, camera, wanted) });
  const viewers = createViewers({ plane, edges, primers, sounds, transcodes, ingestWaitMs, freshness: figures.freshness, primer: config.primers });
  const recorder = createFlightRecorder();
  const changed = { announce: (_camera: string): void => undefined, grpcPort: (): number | null => null };
  const incidents = createIncidents({ note: (event) => observer.note(event) });
  const observer: Observer = createObserver({ journal: store.journal, log, tell: bus.tell, incidents, recorder, changed: (camera) => changed.announce(camera) });
  const inspector = createInspector(() => root, log, (event) => observer.note(event));
  const diskFaults = createDiskFaults();
  const watchdog = createWatchdog({ settings: config.watchdog, log });
  const keeper = createKeeper(config.recordings.dir);
  const recordings = createRecordings({ store, keeper, dir: config.recordings.dir, log, note: (event) => observer.note(event) });
  const hls = createHlsLive({ dir: join(config.data, 'hls'), settings: config.hls, send: (camera, wanted) => tellHls(root, camera, wanted), log });
  const frames = createFrames({ registry, instance });
  const exports = createExports({ segments: store.segments, dir: join(config.data, 'exports'), recordings: config.recordings.dir, minFreeBytes: config.recordings.minFreeBytes, log, note: (event) => observer.note(event) });
  const playback = createPlayback({ segments: store.segments, keeper });
  const probeMs = rtsp.connectMs + rtsp.answerMs;
  const admission = createAdmission(supervision.admission);
  const root = createTree({
    settings: supervisorSettings(config),
    registry, resolver, log, probeMs,
    admission,
    source: { pool, recorder, latencyMs: rtsp.latencyMs, health: supervision.health, faults: config.faults.enabled },
    ingest: { plane, recvBufferBytes: sfu.recvBufferBytes, requestMs: sfu.requestMs, log: sfuLog },
    output: { pool, recordings, hls, frames, sounds, transcodes, record: config.recordings, afflict: diskFaults.afflict },
    sfu: {
      plane,
      log: sfuLog,
      worker: { registry, stateDir: config.data, portMin: sfu.portMin, portMax: sfu.portMax, listenIp: sfu.listenIp, announcedAddress: sfu.announcedAddress, requestMs: sfu.requestMs },
    },
    viewer: viewers.machine,
    forgetViewer: (id) => viewers.forget(id),
    presenceMs: supervision.presence.intervalMs,
    inspect: (event) => void [observer, inspector].forEach((each) => each.inspect(event)),
  });
  const wishes = startRecordingWishes({ root, settings: store.settings });
  const retention = startRetention({
    segments: store.segments, keeper, settings: config.recordings, log, note: (event) => observer.note(event),
    rules: () => new Map(Object.values(root.getSnapshot().context.cameras).map((entry) => [entry.config.id, entry.config.outputs.record.retention])),
  });
  const cameras = createCameras({
    root, store, ports, observer,
    onStreamRemoved(key) {
      observer.forget(key);
      figures.forget(key);
      recorder.forget(key);
      // Those of a demo camera, and of a failure while it was removed.
      store.flights.remove(key).catch((error: unknown) => log.warn({ err: error, camera: key }, 'recordings of a removed camera stay'));
      changed.announce(key);
    },
    onRemoved(id) {
      snapshots.forget(id);
      wishes.forget(id);
      hls.forget(id);
      frames.forget(id);
      bus.tell({ type: 'camera', id, camera: null });
    },
  });
  const declared = createDeclared({ root, cameras, store, observer, log });
  const probe = { pool, resolver, describeMs: probeMs, latencyMs: rtsp.latencyMs, health: supervision.health, transcode: config.transcode };
  return { given, store, registry, pool, plane, bus, figures, snapshots, viewers, primers, pump, observer, incidents, inspector, root, cameras, declared, probe, admission, changed, keeper, recordings, hls, frames, retention, wishes, diskFaults, exports, playback, watchdog, transcodes };
}

/** The control plane over the parts, and everything that feeds its subscribers. */
function createControl(parts: ReturnType<typeof createParts>, demo: Demo): { control: ControlPlane; sampler: SystemSampler } {
  const { given, registry, bus, root, plane, figures, observer, changed } = parts;
  const { instance, version } = given;
  const sampler = sampleSystem({ instance, registry, ports: { from: given.config.sfu.internalPortMin, to: given.config.sfu.internalPortMax }, onSample: () => onSample() });
  const trends = createTrends();
  const control = createControlPlane({
    ...parts,
    trends,
    cameras: parts.declared.guard(demo.endedByFirst(parts.cameras)),
    sampler: () => sampler,
    faultsEnabled: given.config.faults.enabled,
    about: { version, instance, startedAt: Date.now(), demo: () => demo.running(), grpcPort: () => changed.grpcPort() },
  });
  const onSample = (): void => {
    parts.watchdog.look(sampler.latest(), performance.now());
    const cameras = control.cameras();
    bus.tell({ type: 'system', system: control.system(cameras) });
    trends.sample(cameras, Date.now());
    for (const ingest of plane.ingests()) void ingest.counters().catch(() => undefined);
  };
  changed.announce = (key) => {
    const context = child(root, key)?.getSnapshot().context;
    if (context) figures.take(key, context);
    const { camera: id } = streamOfKey(key);
    const camera = control.camera(id);
    if (camera) parts.snapshots.heard(camera);
    if (camera) bus.tell({ type: 'camera', id, camera });
  };
  root.on('actor.crashed', ({ child: crashed, error }) => {
    const [kind, id = ''] = crashed.split(':');
    if (kind === 'camera') observer.note({ ...plainEvent(id, 'actor.crashed', 'The actor of this camera threw; it is cleaned up and started again.'), class: 'local', code: 'actor-crashed', evidence: redactText(String(error)).slice(0, 500) });
  });
  root.on('actor.restarted', ({ child: restarted }) => bus.tell({ type: 'actor-restarted', actor: restarted.split(':')[0] ?? restarted, id: restarted }));
  return { control, sampler };
}

async function stopTree(root: Root, log: Log): Promise<void> {
  root.send({ type: 'supervisor.stop' });
  await waitFor(root, ({ status }) => status === 'done', { timeout: 9_000 }).catch(() => log.error('the actor tree did not stop in time; what it leased is ended now'));
}
