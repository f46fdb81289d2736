/** A `ControlPlane` whose cameras and answers the test decides: the other side of the interfaces' tests. */
import type { CameraInput, CameraSetup } from '../../src/camera-config.ts';
import { CameraUrl } from '../../src/camera-url.ts';
import type { CameraCounters, ControlPlane, Delta, InspectTell, RecordingService, Snapshot, ViewerNotify, ViewerService, ExportService } from '../../src/api/control.ts';
import type { AvailabilityView, CameraView, EventView, IncidentView, FlightView, RecordingView, SfuView, SystemView, ExportView } from '../../src/api/protocol.ts';
import { framesAccess, packetsAccess } from '../../src/control/attach.ts';
import { LookoutError } from '../../src/errors.ts';
import { cameraView, exportView } from './scripted-views.ts';

export { cameraView, exportView };

/** The script: what the test reads and changes while it runs. */
export type Script = {
  control: ControlPlane;
  cameras: Map<string, CameraView>;
  counters: Map<string, CameraCounters>;
  events: EventView[];
  flights: FlightView[];
  /** What `setup` was asked for. */
  inputs: CameraSetup[];
  incidents: IncidentView[];
  sfu: SfuView;
  /** Every call that reached the supervisor, in order: `verb id`. */
  calls: string[];
  readiness: { ready: boolean; reasons: string[] };
  snapshot: (id: string, width: number) => Promise<Snapshot>;
  probe: ControlPlane['probe'];
  /** Recordings, newest first, and where the bytes of all of them are. */
  recordings: RecordingView[];
  recordingFile: string;
  /** Exports; the bytes are those of recordings. */
  exports: ExportView[];
  /** Viewers by id, with the socket that owns them. */
  viewers: Map<string, { owner: string; notify: ViewerNotify; camera: string }>;
  /** Replaces one call of the viewer service. */
  override: Partial<ViewerService>;
  /** Who looks at the actors. */
  looks: Set<InspectTell>;
  emit(delta: Delta): void;
  listeners(): number;
};

const system: SystemView = {
  version: '0.1.0', startedAt: '2026-01-01T00:00:00.000Z', instance: 'test', demo: false, cameras: 1, live: 1, viewers: 0, hosts: 1, orphans: 0,
  cpu: 0.1, rssBytes: 100_000_000, eventLoopDelayMs: 1,
};

const sfu: SfuView = {
  workers: [{ index: 0, pid: 4712, state: 'ready', restarts: 0, routers: 1, port: 40000, cpu: 0.1, rssBytes: 2000 }],
  routers: [{ id: 'r', camera: 'gate', worker: 0 }],
  transports: [{ id: 't', kind: 'plain', camera: 'gate', viewer: null }],
  producers: [{ id: 'p', camera: 'gate', kind: 'video', paused: false, packetCount: 10, byteCount: 1000, keyframeCount: 1, packetsLost: 0 }],
  consumers: [{ id: 'c', camera: 'gate', viewer: 'v', kind: 'video', paused: false }],
  primers: [],
};

/** Makes a script with the cameras given. */
export function scriptedControl(ids: string[] = ['gate']): Script {
  const listeners = new Set<(delta: Delta) => void>();
  const script: Omit<Script, 'control'> = {
    cameras: new Map(ids.map((id) => [id, cameraView(id)])),
    counters: new Map(ids.map((id) => [id, { id, packets: 1000, bytes: 2_000_000, keyframes: 40, ingestPacketsLost: 0, restarts: { reset: 2 }, stateSeconds: { streaming: 60, backoff: 1.5 }, recordingBytes: 3_000_000 }])),
    events: [],
    recordings: [],
    recordingFile: '/nowhere',
    exports: [],
    flights: [],
    inputs: [],
    incidents: [],
    sfu,
    calls: [],
    readiness: { ready: true, reasons: [] },
    snapshot: () => Promise.resolve({ jpeg: Buffer.from([0xff, 0xd8, 0xff, 0xd9]), takenAt: Date.now() - 2500, width: 640, height: 360 }),
    probe: (url) => Promise.resolve({
      url: url.safe, server: 'simulator', media: null, gopMs: null, bFrames: null,
      verdicts: { webrtc: { ok: true, why: '' }, hls: { ok: true, why: '' }, recording: { ok: true, why: '' }, frames: { ok: true, why: '' } }, picture: null,
    }),
    viewers: new Map(),
    override: {},
    looks: new Set(),
    emit: (delta) => listeners.forEach((listener) => listener(delta)),
    listeners: () => listeners.size,
  };
  const control = createControl(script, listeners);
  return Object.assign(script, { control });
}

const availability = (camera: string): AvailabilityView => ({
  camera, from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z', uptime: 1, liveSeconds: 86_400, gapSeconds: 0, gapMinutes: 0, restingSeconds: 0, unknownSeconds: 0,
  losses: 0, recovery: null, byClass: [],
});

function createControl(script: Omit<Script, 'control'>, listeners: Set<(delta: Delta) => void>): ControlPlane {
  const shown = (id: string) => script.cameras.get(id) ?? cameraView(id);
  return {
    system: () => ({ ...system, cameras: script.cameras.size }),
    readiness: () => script.readiness,
    cameras: () => [...script.cameras.values()],
    camera: (id) => script.cameras.get(id),
    counters: (stream = 'main') => (stream === 'main' ? [...script.counters.values()] : []),
    hosts: () => [...script.cameras.keys()].map((camera) => ({ camera, role: 'source', pid: 4711, rssBytes: 1000, sharedBy: 1 })),
    workers: () => sfu.workers,
    transcodes: () => ({ used: 0.3, budget: 1, refused: 2 }),
    primers: () => ({ active: 1, started: 5, refused: 2, failed: 1, repeats: 3, bytes: 4_000_000, catchUps: { active: 1, started: 3, refused: 1, failed: 0 } }),
    sfu: () => Promise.resolve(script.sfu),
    async create(input: CameraInput) {
      const id = input.id ?? 'made';
      const url = CameraUrl.parse(input.url);
      if (script.cameras.has(id)) throw new LookoutError('LOOKOUT_CAMERA_EXISTS', { cameraId: id });
      script.calls.push(`create ${id}`);
      script.cameras.set(id, cameraView(id, { url: url.safe, name: input.name ?? id }));
      return shown(id);
    },
    async patch(id, patch) {
      script.calls.push(`patch ${id}`);
      script.cameras.set(id, { ...shown(id), ...(patch.name === undefined ? {} : { name: patch.name }) });
      return shown(id);
    },
    async setup(input) {
      const outcome = script.cameras.has(input.id) ? 'unchanged' as const : 'created' as const;
      script.calls.push(`setup ${input.id}`);
      script.inputs.push(input);
      if (outcome === 'created') script.cameras.set(input.id, cameraView(input.id, { name: input.name ?? input.id }));
      return { camera: shown(input.id), outcome };
    },
    async remove(id) {
      script.calls.push(`remove ${id}`);
      script.cameras.delete(id);
      script.counters.delete(id);
    },
    async command(id, verb) {
      script.calls.push(`${verb} ${id}`);
      return shown(id);
    },
    async inject(id, { fault }) {
      script.calls.push(`inject ${fault} ${id}`);
      return { camera: id, fault, pid: 4711, rate: null, until: null };
    },
    journal: async ({ camera, limit }) => script.events.filter((event) => camera === undefined || event.camera === camera).slice(0, limit),
    events: async (id, { limit, before }) => script.events.filter((event) => event.camera === id && event.seq < (before ?? Infinity)).slice(0, limit),
    async recording(id, seq) {
      const found = script.flights.find((recording) => recording.camera === id && recording.seq === seq);
      if (!found) throw new LookoutError('LOOKOUT_FLIGHT_NOT_FOUND', { cameraId: id });
      return found;
    },
    explanation: async (id) => ({
      camera: id, state: shown(id).state, substate: shown(id).substate, since: shown(id).since, downSince: null, why: 'Live.', lastError: null, evidence: null,
      nextRetryAt: null, attempts: 0, incident: null, before: [], availability: availability(id),
    }),
    availability: async (id) => availability(id),
    trend: (camera) => ({ camera, from: '2026-01-01T00:00:00.000Z', stepMs: 5_000, bitrate: [2e6, null], fps: [25, null], packetAgeMs: [12, 3_000], restarts: [0, 1], state: ['live', 'backoff'] }),
    fleetTrend: (ids) => ({ from: '2026-01-01T00:00:00.000Z', stepMs: 5_000, cameras: [ids.length], live: [ids.length], bitrate: [2e6], restarts: [0] }),
    incidents: () => script.incidents,
    resources: () => ({ actors: 3, leases: [{ kind: 'pid', owner: 'camera:gate/source', value: '4711' }], admission: { holding: 1, waiting: 0, peak: 4 } }),
    probe: (url, seconds, signal) => script.probe(url, seconds, signal),
    snapshot: (id, { width }) => script.snapshot(id, width),
    frames: (id) => framesAccess(shown(id), { port: 40_000, socket: '/dev/shm/lookout-test.sock' }),
    packets: (id) => packetsAccess(shown(id), shown(id).state === 'streaming' ? 40_001 : null),
    async record(id, wanted) {
      script.calls.push(`record ${id}: ${wanted}`);
      return shown(id);
    },
    recordings: createRecordings(script),
    exports: createExports(script),
    hls: {
      playlist: async (camera, token) => `#EXTM3U\n# ${camera} ${token ?? 'no token'}\n`,
      file: () => ({ path: script.recordingFile, type: 'video/mp2t' }),
      recorded: async ({ camera }) => `#EXTM3U\n# ${camera}\n`,
      recordedSegment: async () => ({ bytes: Buffer.from('segment'), type: 'video/iso.segment' }),
    },
    viewers: createViewers(script),
    inspect(tell) {
      const actor = { id: 'supervisor', parent: null, machine: 'supervisor', status: 'active' as const, value: 'running' };
      script.looks.add(tell);
      return {
        charts: () => [],
        actors: () => [actor],
        watch(id) {
          if (id !== null && id !== actor.id) throw new LookoutError('LOOKOUT_ACTOR_NOT_FOUND');
          return id === null ? null : { actor, steps: [], timers: [] };
        },
        sequence: (below) => void script.calls.push(`sequence ${below}`),
        send(id, event, by) {
          if (id !== actor.id) throw new LookoutError('LOOKOUT_ACTOR_NOT_FOUND');
          script.calls.push(`${by} sends ${JSON.stringify(event)}`);
        },
        close: () => void script.looks.delete(tell),
      };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function createRecordings(script: Omit<Script, 'control'>): RecordingService {
  const must = (id: string): RecordingView => {
    const found = script.recordings.find((recording) => recording.id === id);
    if (!found) throw new LookoutError('LOOKOUT_RECORDING_NOT_FOUND', { message: `There is no recording "${id}".` });
    return found;
  };
  return {
    async list(query) {
      script.calls.push(`list ${JSON.stringify(query)}`);
      return { recordings: script.recordings.filter(({ camera }) => query.cameras?.includes(camera) ?? true).slice(0, query.limit), next: null };
    },
    get: async (id) => must(id),
    file: async (id) => ({ path: script.recordingFile, name: `${must(id).id}.mkv` }),
    async remove(id) {
      if (!must(id).closed) throw new LookoutError('LOOKOUT_RECORDING_OPEN');
      script.calls.push(`remove recording ${id}`);
    },
  };
}

function createExports(script: Omit<Script, 'control'>): ExportService {
  const must = (id: string): ExportView => {
    const found = script.exports.find((made) => made.id === id);
    if (!found) throw new LookoutError('LOOKOUT_EXPORT_NOT_FOUND', { message: `There is no export "${id}".` });
    return found;
  };
  return {
    list: () => script.exports,
    get: must,
    file(id) {
      if (must(id).state !== 'done') throw new LookoutError('LOOKOUT_EXPORT_OPEN');
      return { path: script.recordingFile, name: `${id}.mp4` };
    },
    async create({ camera, from, to, format }) {
      script.calls.push(`export ${camera} ${from} ${to} ${format}`);
      const made = exportView(`${camera}-${script.exports.length}`, camera, { format, state: 'waiting' });
      script.exports.unshift(made);
      return made;
    },
    async remove(id) {
      script.exports.splice(script.exports.indexOf(must(id)), 1);
    },
  };
}

function createViewers(script: Omit<Script, 'control'>): ViewerService {
  let next = 1;
  const own = ({ viewer, owner }: { viewer: string; owner: string }) => {
    if (script.viewers.get(viewer)?.owner !== owner) throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND');
  };
  const service: ViewerService = {
    async join({ camera, owner, notify }) {
      if (!script.cameras.has(camera)) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND');
      const viewer = `viewer-${next++}`;
      script.viewers.set(viewer, { owner, notify, camera });
      return { viewer, routerRtpCapabilities: { codecs: [] } };
    },
    async transport(request) {
      own(request);
      return { id: 'transport-1', iceParameters: {}, iceCandidates: [], dtlsParameters: {} };
    },
    async answer(request) {
      own(request);
      const [format] = request.video;
      script.calls.push(`answer ${JSON.stringify(request.video)}`);
      return {
        iceParameters: { usernameFragment: 'ufrag', password: 'password' }, fingerprints: [{ algorithm: 'sha-256', value: 'AB:CD' }],
        iceCandidates: [{ foundation: 'udpcandidate', priority: 1, address: '127.0.0.1', protocol: 'udp', port: 40_000 }, { foundation: 'tcpcandidate', priority: 0, address: '127.0.0.1', protocol: 'tcp', port: 40_000, tcpType: 'passive' }],
        video: { payloadType: 0, profileLevelId: '', ...format, ssrc: 4711, cname: 'gate' },
      };
    },
    connect: async (request) => own(request),
    async consume(request) {
      own(request);
      return [{ id: 'consumer-1', producerId: 'producer-1', kind: 'video', rtpParameters: {} }];
    },
    resume: async (request) => own(request),
    pause: async (request) => own(request),
    tookOver: async (request) => own(request),
    async leave(request) {
      own(request);
      script.viewers.delete(request.viewer);
    },
    leaveAll(owner) {
      for (const [id, viewer] of script.viewers) if (viewer.owner === owner) script.viewers.delete(id);
    },
  };
  // A call that was overridden is looked up when it is made, so that tests may change it while a socket is open.
  return new Proxy(service, { get: (target, name) => script.override[name as keyof ViewerService] ?? target[name as keyof ViewerService] });
}
