/** Fault injection: breaks one thing of one camera in the way reality would, and says so in the journal. */
import type { MediaPlane } from '../actors/media-plane.ts';
import type { Root } from '../actors/tree.ts';
import type { ViewerService } from '../api/control.ts';
import { faults, lastingFaults, type FaultName, type FaultRequest, type FaultView } from '../api/faults.ts';
import { LookoutError } from '../errors.ts';
import type { Host, HostPool } from '../native/host.ts';
import { streamKey, streamOfKey } from '../streams.ts';
import { child } from './cameras.ts';
import type { DiskFaults } from './disk-faults.ts';
import { plainEvent, type Observer } from './observer.ts';

/** What injecting needs. `enabled` is the explicit switch, `faults.enabled`. */
export type FaultDeps = { enabled: boolean; root: Root; pool: HostPool; plane: MediaPlane; viewers: ViewerService; observer: Observer; diskFaults: DiskFaults };

/** One order, complete. `camera` is the key of the stream. */
type Order = { camera: string; seconds: number; rate: number; target: string };

/** Breaks one thing; the pid of the process that was hit, or null. */
type Injection = (order: Order, deps: FaultDeps) => number | null;

const signalHost = (signal: NodeJS.Signals): Injection => (order, { pool }) => {
  const { pid } = hostOf(pool, order);
  process.kill(pid, signal);
  return pid;
};

const signalWorker = (signal: NodeJS.Signals): Injection => ({ camera }, { plane }) => {
  const ingest = plane.ingest(camera);
  if (!ingest) throw impossible(camera, 'no media worker carries it at the moment');
  process.kill(ingest.worker.pid, signal);
  return ingest.worker.pid;
};

const disturb = (kind: 'drop' | 'corrupt', always?: number): Injection => ({ camera, seconds, rate }, { pool }) => {
  const host = hostOf(pool, { camera, target: 'source' });
  host.send({ type: 'fault.disturb', kind, rate: always ?? rate, ms: seconds * 1_000 });
  return host.pid;
};

const injections: Record<FaultName, Injection> = {
  'kill-host': signalHost('SIGKILL'),
  'crash-host': signalHost('SIGSEGV'),
  'freeze-host': signalHost('SIGSTOP'),
  'native-hang': (order, { pool }) => {
    const host = hostOf(pool, order);
    host.send({ type: 'fault.hang', ms: order.seconds * 1_000 });
    return host.pid;
  },
  'drop-packets': disturb('drop'),
  'corrupt-packets': disturb('corrupt'),
  'silence': disturb('drop', 1),
  'disk-full': ({ camera, seconds }, { pool, diskFaults }) => {
    const host = hostOf(pool, { camera, target: 'record' });
    diskFaults.begin({ camera, pid: host.pid, ms: seconds * 1_000 });
    return host.pid;
  },
  'kill-worker': signalWorker('SIGKILL'),
  'freeze-worker': signalWorker('SIGSTOP'),
  'throw-in-actor': ({ camera }, { root }) => {
    // No chart throws by itself; an event whose payload breaks its contract makes it.
    child(root, camera)?.send({ type: 'camera.update', config: null as never });
    return null;
  },
  'viewer-flood': (order, { viewers }) => {
    void flood(order, viewers);
    return null;
  },
};

/** Makes the injector. It throws `LOOKOUT_FAULTS_DISABLED`, `LOOKOUT_VALIDATION`, `LOOKOUT_NOT_LIVE`. */
export function createFaults(deps: FaultDeps): (camera: string, request: FaultRequest) => Promise<FaultView> {
  return async (id, { fault, seconds, rate, stream = 'main', target = 'source' }) => {
    if (!deps.enabled) throw new LookoutError('LOOKOUT_FAULTS_DISABLED', { cameraId: id });
    const camera = streamKey({ camera: id, stream });
    if (!child(deps.root, camera)) throw new LookoutError('LOOKOUT_VALIDATION', { cameraId: id, message: 'This camera has no second stream.' });
    const order = { camera, target, ...checked(fault, { seconds, rate }) };
    const beside = hitsHost.has(fault) ? sharers(deps.pool, fault === 'disk-full' ? { camera, target: 'record' } : order) : [];
    // Written first: what the fault does to the cameras must stand behind it in the journal.
    deps.observer.note(plainEvent(camera, 'fault.injected', `${sentence(fault, order)}${beside.length > 0 ? ` The process is shared by ${beside.join(', ')}.` : ''}`));
    for (const other of beside) deps.observer.note(plainEvent(other, 'fault.injected', `An administrator injected a fault into the process that this camera shares with ${camera}: ${fault}.`));
    const pid = injections[fault](order, deps);
    const lasts = lastingFaults[fault] !== undefined;
    return { camera: id, ...(stream === 'sub' && { stream }), fault, pid, rate: faults[fault].rate ? order.rate : null, until: lasts ? new Date(Date.now() + order.seconds * 1_000).toISOString() : null };
  };
}

/** A number that the fault has no use for is a mistake, not something to ignore. */
function checked(fault: FaultName, { seconds, rate }: { seconds: number | undefined; rate: number | undefined }): { seconds: number; rate: number } {
  const rule = faults[fault].rate;
  const lasts = lastingFaults[fault];
  if (seconds !== undefined && lasts === undefined) throw new LookoutError('LOOKOUT_VALIDATION', { message: `"${fault}" happens once: it takes no "seconds".` });
  if (rate !== undefined && rule === null) throw new LookoutError('LOOKOUT_VALIDATION', { message: `"${fault}" takes no "rate".` });
  if (rate !== undefined && rule && rate > rule.max) throw new LookoutError('LOOKOUT_VALIDATION', { message: `The "rate" of "${fault}" is a ${rule.means}, at most ${rule.max}.` });
  return { seconds: seconds ?? lasts ?? 0, rate: rate ?? rule?.fallback ?? 0 };
}

function sentence(fault: FaultName, { seconds, rate, target }: Order): string {
  const { rate: rule } = faults[fault];
  const details = [
    ...(target === 'source' ? [] : [target]),
    ...(rule ? [`${rate} ${rule.means}`] : []),
    ...(lastingFaults[fault] === undefined ? [] : [`${seconds} s`]),
  ];
  return `An administrator injected a fault: ${fault}${details.length > 0 ? ` (${details.join(', ')})` : ''}.`;
}

function hostOf(pool: HostPool, { camera, target }: Pick<Order, 'camera' | 'target'>): Host {
  const host = pool.find(`camera:${camera}/${target}`);
  if (!host) throw impossible(camera, `it has no ${target} host at the moment`);
  return host;
}

/** What hits a process hits whoever sits in it. */
const hitsHost: ReadonlySet<FaultName> = new Set(['kill-host', 'crash-host', 'freeze-host', 'native-hang', 'disk-full']);

/** The other cameras, or second streams, whose sources or outputs run in the same process. */
function sharers(pool: HostPool, { camera, target }: Pick<Order, 'camera' | 'target'>): string[] {
  const host = pool.find(`camera:${camera}/${target}`);
  const row = pool.hosts().find(({ owner, pid }) => owner === `camera:${camera}/${target}` && pid === host?.pid);
  const others = (row?.beside ?? []).flatMap((owner) => /^camera:([^/]+)\//u.exec(owner)?.[1] ?? []).filter((other) => other !== camera);
  return [...new Set(others)];
}

function impossible(camera: string, why: string): LookoutError {
  return new LookoutError('LOOKOUT_NOT_LIVE', { cameraId: streamOfKey(camera).camera, message: `The fault cannot be injected: ${why}.` });
}

/** Joins as a browser would, up to the point where a browser would connect. All of them leave at the end. */
async function flood({ camera, seconds, rate }: Order, viewers: ViewerService): Promise<void> {
  const owner = `fault:${camera}:${performance.now()}`;
  const notify = { viewer: () => undefined, gone: () => undefined };
  const join = async (): Promise<void> => {
    const { viewer } = await viewers.join({ ...streamOfKey(camera), owner, notify });
    await viewers.transport({ viewer, owner, rtpCapabilities: {} });
  };
  const until = performance.now() + seconds * 1_000;
  const joining: Promise<void>[] = [];
  while (performance.now() < until) {
    // Refusals are what a flood must expect.
    joining.push(join().catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, 1_000 / rate));
  }
  await Promise.all(joining);
  viewers.leaveAll(owner);
}
