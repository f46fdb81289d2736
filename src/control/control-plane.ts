/** The supervisor as the interfaces see it: joins the actor tree, the managed cameras and the figures. */
import type { ActorRefFrom } from 'xstate';
import type { Admission } from '../actors/admission.ts';
import type { MediaPlane } from '../actors/media-plane.ts';
import type { Primers } from '../actors/primers.ts';
import type { Transcodes } from '../actors/transcodes.ts';
import type { Root } from '../actors/tree.ts';
import type { CameraCounters, ControlPlane, Delta, HlsService, Snapshot, ViewerService } from '../api/control.ts';
import type { AvailabilityView, CameraState, CameraView, ExplanationView, StreamName, SystemView } from '../api/protocol.ts';
import { FailureError, LookoutError } from '../errors.ts';
import type { sfuMachine, WorkerStatus } from '../machines/sfu.ts';
import { readFlight } from '../native/flight-recorder.ts';
import type { HostPool } from '../native/host.ts';
import type { Registry } from '../native/registry.ts';
import type { Store } from '../store/types.ts';
import { streamKey, streamOfKey } from '../streams.ts';
import { availabilityOf } from './availability.ts';
import { child, type Cameras } from './cameras.ts';
import type { DiskFaults } from './disk-faults.ts';
import { createFaults } from './faults.ts';
import { explain, type ExplanationFacts } from './explanation.ts';
import type { Exports } from './exports.ts';
import type { Figures } from './figures.ts';
import { framesAccess, notLive, packetsAccess } from './attach.ts';
import type { Frames } from './frames.ts';
import type { HlsLive } from './hls-live.ts';
import { playlistText } from './hls-playlist.ts';
import type { Incidents } from './incidents.ts';
import type { Inspector } from './inspector.ts';
import { plainEvent, type Observer } from './observer.ts';
import type { Playback } from './playback.ts';
import { probe, type ProbeDeps } from './probe.ts';
import type { RecordingWishes } from './recording-wishes.ts';
import type { Recordings } from './recordings.ts';
import { sfuView, workerViews } from './sfu-view.ts';
import type { Snapshots } from './snapshots.ts';
import type { SystemSampler } from './system.ts';
import type { Trends } from './trends.ts';
import type { createViewers } from './viewer-service.ts';
import { createViews } from './views.ts';
import type { Watchdog } from './watchdog.ts';

/** What the control plane joins. */
export type ControlDeps = {
  root: Root;
  store: Store;
  plane: MediaPlane;
  pool: HostPool;
  cameras: Cameras;
  declared: { has(id: string): boolean };
  observer: Observer;
  incidents: Incidents;
  inspector: Inspector;
  registry: Registry;
  figures: Figures;
  trends: Trends;
  recordings: Recordings;
  exports: Exports;
  playback: Playback;
  hls: HlsLive;
  frames: Frames;
  wishes: RecordingWishes;
  diskFaults: DiskFaults;
  snapshots: Snapshots;
  viewers: ReturnType<typeof createViewers>;
  primers: Primers;
  transcodes: Transcodes;
  sampler: () => SystemSampler;
  watchdog: Pick<Watchdog, 'passed' | 'reasons'>;
  probe: ProbeDeps;
  admission: Admission;
  faultsEnabled: boolean;
  /** What does not change while the program runs; `demo` asks each time. */
  about: { version: string; instance: string; startedAt: number; demo: () => boolean; grpcPort: () => number | null };
  bus: DeltaBus;
};

/** Who listens to changes. */
export type DeltaBus = { tell(delta: Delta): void; subscribe(listener: (delta: Delta) => void): () => void };

/** Makes a bus. A listener that throws does not hinder the others. */
export function createDeltaBus(onError: (error: unknown) => void): DeltaBus {
  const listeners = new Set<(delta: Delta) => void>();
  return {
    tell(delta) {
      for (const listener of [...listeners]) {
        try {
          listener(delta);
        } catch (error) {
          onError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Joins everything. */
export function createControlPlane(deps: ControlDeps): ControlPlane {
  const { root, store, plane, pool, observer, bus } = deps;
  const statuses = (): readonly WorkerStatus[] => (root.getSnapshot().children['sfu'] as ActorRefFrom<typeof sfuMachine> | undefined)?.getSnapshot().context.workers ?? [];
  const { ids, view, all, must } = createViews(deps);
  const viewers: ViewerService = deps.viewers.service(root);
  const inject = createFaults({ enabled: deps.faultsEnabled, root, pool, plane, viewers, observer, diskFaults: deps.diskFaults });
  /** New work is refused from the first moment of the end; reading goes on. */
  const accepting = async (): Promise<void> => {
    if (root.getSnapshot().value !== 'running') throw new LookoutError('LOOKOUT_SHUTTING_DOWN');
  };

  return {
    system: (cameras = all()) => systemView(deps, cameras),
    readiness() {
      const reasons: string[] = [];
      if (root.getSnapshot().value !== 'running') reasons.push('Lookout is shutting down.');
      if (!statuses().some(({ state }) => state === 'running')) reasons.push('No media worker is running.');
      reasons.push(...deps.watchdog.reasons().map((reason) => `The watchdog: ${reason}`));
      return { ready: reasons.length === 0, reasons };
    },
    cameras: all,
    camera: view,
    counters: (stream = 'main') => ids().flatMap((id) => countersOf(deps, { camera: id, stream }) ?? []),
    hosts: () => pool.hosts().map(({ owner, pid, rssBytes, beside }) => {
      const [who = owner, role = 'spare'] = owner.split('/');
      const { camera, stream } = streamOfKey(who.startsWith('camera:') ? who.slice('camera:'.length) : '');
      return { camera, role: stream === 'main' ? role : `${stream}-${role}`, pid, rssBytes, sharedBy: beside.length + 1 };
    }),
    workers: () => workerViews(statuses(), plane),
    transcodes: deps.transcodes.figures,
    sfu: () => sfuView(statuses(), plane, deps.primers.list()),
    ...cameraCommands(deps, accepting, must),
    inject: (id, request) => accepting().then(() => inject(id, request)),
    async events(id, query) {
      must(id);
      return store.journal.list({ camera: id, ...query });
    },
    journal: (query) => store.journal.list(query),
    async recording(id, seq) {
      must(id);
      const copy = await store.flights.find({ camera: id, seq }) ?? await store.flights.find({ camera: streamKey({ camera: id, stream: 'sub' }), seq });
      if (!copy) throw new LookoutError('LOOKOUT_FLIGHT_NOT_FOUND', { cameraId: id });
      return readFlight(copy, { camera: id, seq });
    },
    explanation: (id) => explanationOf(deps, must(id)),
    availability: (id, days) => availability(store, must(id).id, days),
    trend: (id) => deps.trends.of(must(id).id),
    fleetTrend: (ids) => deps.trends.together(ids),
    incidents: () => deps.incidents.list(),
    resources: () => ({ actors: countActors(root), leases: deps.registry.leases().map(({ kind, owner, value }) => ({ kind, owner, value })), admission: deps.admission.figures() }),
    probe: (url, seconds, signal) => accepting().then(() => probe(deps.probe, url, { seconds, signal })),
    snapshot: (id, { width }) => accepting().then(() => pictureOf(deps, must(id), width)),
    frames: (id) => framesAccess(must(id), deps.frames.place(id)),
    packets: (id) => packetsAccess(must(id), child(root, id)?.getSnapshot().context.host?.hubPort ?? null),
    async record(id, wanted) {
      await accepting();
      must(id);
      await deps.wishes.set(id, wanted);
      observer.note(plainEvent(id, `recording.${wanted ? 'start' : 'stop'}`, `An operator asked: ${wanted ? 'record' : 'stop recording'}.`));
      return must(id);
    },
    recordings: deps.recordings,
    exports: { ...deps.exports, create: (input) => accepting().then(() => deps.exports.create(input)) },
    hls: hlsService(deps, must, accepting),
    viewers,
    inspect: deps.inspector.open,
    subscribe: bus.subscribe,
  };
}

/** What changes cameras; refused at the end. */
function cameraCommands({ cameras }: ControlDeps, accepting: () => Promise<void>, must: (id: string) => CameraView): Pick<ControlPlane, 'create' | 'patch' | 'setup' | 'remove' | 'command'> {
  return {
    async create(input) {
      await accepting();
      return must(await cameras.create(input));
    },
    async patch(id, patch) {
      await accepting();
      await cameras.patch(id, patch);
      return must(id);
    },
    async setup(input) {
      await accepting();
      const outcome = await cameras.setup(input);
      return { camera: must(input.id), outcome };
    },
    remove: (id) => accepting().then(() => cameras.remove(id)),
    async command(id, verb) {
      await accepting();
      await cameras.command(id, verb);
      return must(id);
    },
  };
}

/** HLS, live and recorded; what was recorded stays readable to the end. */
function hlsService(deps: ControlDeps, must: (id: string) => CameraView, accepting: () => Promise<void>): HlsService {
  return {
    playlist: async (id, token) => accepting().then(() => deps.hls.playlist(must(id))).then((playlist) => playlistText(playlist, token)),
    file: (id, session, name) => deps.hls.file(must(id).id, session, name),
    recorded: async (span, token) => playlistText(await deps.playback.playlist(span), token, true),
    recordedSegment: (id, recording, name) => deps.playback.segment(id, recording, name),
  };
}

async function pictureOf({ root, snapshots, figures }: ControlDeps, camera: CameraView, width: number): Promise<Snapshot> {
  const { id } = camera;
  const hubPort = child(root, id)?.getSnapshot().context.host?.hubPort;
  if (camera.state !== 'streaming' || !hubPort || !camera.media) throw notLive(camera);
  try {
    return await snapshots.take({ camera: id, hubPort, codec: camera.media.codec, keyframes: figures.of(id).keyframes, keyframeAt: figures.freshness(id).keyframeAt }, width);
  } catch (error) {
    if (error instanceof FailureError) throw new LookoutError('LOOKOUT_NOT_LIVE', { cameraId: id, message: error.failure.message, failure: error.failure, cause: error });
    throw error;
  }
}

/** An actor and all below it. */
function countActors(actor: { getSnapshot(): unknown }): number {
  const { children } = (actor.getSnapshot() ?? {}) as { children?: Record<string, { getSnapshot(): unknown } | undefined> };
  return Object.values(children ?? {}).reduce((sum, below) => sum + (below ? countActors(below) : 0), 1);
}

const dayMs = 86_400_000;
const explainedDays = 30;
const explainedRows = 20;

async function availability(store: Store, camera: string, days: number): Promise<AvailabilityView> {
  const to = Date.now();
  const from = to - days * dayMs;
  return availabilityOf(camera, await store.journal.transitions({ camera, since: from }), { from, to });
}

async function explanationOf({ root, store, observer, incidents }: ControlDeps, camera: CameraView): Promise<ExplanationView> {
  const { id, sub } = camera;
  const now = Date.now();
  const factsOf = async (stream: StreamName, health: ExplanationFacts['camera']): Promise<ExplanationFacts> => {
    const key = streamKey({ camera: id, stream });
    const rows = await store.journal.list({ camera: id, stream, limit: explainedRows });
    return { camera: health, trace: observer.trace(key), decision: child(root, key)?.getSnapshot().context.why ?? null, rows, incident: stream === 'main' ? incidents.of(id) : null, now };
  };
  return explain(...await Promise.all([factsOf('main', camera), availability(store, id, explainedDays), sub && factsOf('sub', { ...sub, id })]));
}

function systemView({ about, pool, sampler, watchdog }: ControlDeps, cameras: CameraView[]): SystemView {
  const { heapLimitBytes: _, ...sample } = sampler().latest();
  return {
    version: about.version,
    startedAt: new Date(about.startedAt).toISOString(),
    instance: about.instance,
    demo: about.demo(),
    grpcPort: about.grpcPort(),
    cameras: cameras.length,
    live: cameras.filter(({ substate }) => substate === 'live').length,
    viewers: cameras.reduce((sum, { viewers, sub }) => sum + viewers + (sub?.viewers ?? 0), 0),
    hosts: new Set(pool.hosts().map(({ pid }) => pid)).size,
    ...sample,
    passed: watchdog.passed(),
  };
}

function countersOf({ root, observer, figures, plane, recordings }: ControlDeps, one: { camera: string; stream: StreamName }): CameraCounters | undefined {
  const id = streamKey(one);
  const snapshot = child(root, id)?.getSnapshot();
  const trace = observer.trace(id);
  if (snapshot?.status !== 'active' || !trace) return undefined;
  const stateSeconds: Partial<Record<CameraState, number>> = { ...trace.seconds };
  stateSeconds[trace.state] = (stateSeconds[trace.state] ?? 0) + (Date.now() - trace.since) / 1_000;
  return { id: one.camera, ...figures.of(id), ingestPacketsLost: plane.ingest(id)?.lost() ?? 0, restarts: snapshot.context.restarts, stateSeconds, recordingBytes: recordings.bytes(id) };
}
