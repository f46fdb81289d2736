/** The stage of the fault matrix: eight cameras, the real program, a browser that watches all of them, and a control stream beside it. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { FaultView, FaultRequest } from '../../src/api/faults.ts';
import type { CameraView, EventView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from './eventually.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { watchPage, type ConsumerReading, type PageViewers } from './page-viewers.ts';
import { udpSockets } from './procfs.ts';
import { RtspPlayer } from './rtsp-player.ts';
import { startSimulator } from './simulator.ts';

/** The stage. */
export type FaultRig = AsyncDisposable & {
  ids: readonly string[];
  cameras: SimulatorProcess;
  lookout: Lookout;
  viewers: PageViewers;
  inject(id: string, request: FaultRequest): Promise<FaultView>;
  /** Removes the camera and adds it again, so that it has no past. `before` runs in between. */
  renew(id: string, before: () => Promise<unknown>): Promise<void>;
  /** Everything that must be the same again after a fault. */
  state(): Promise<RigState>;
  /** RTP packets that a stream past Lookout lost since the last call: above 0 this machine was too busy to judge by. */
  controlLoss(): number;
};

/** One moment of the stage. */
export type RigState = { cameras: Map<string, CameraView>; consumers: Record<string, ConsumerReading>; workers: Map<string, number> };

/** Short limits, so that each row takes seconds, also of a camera that has failed many times; silence, heartbeats and the rest are as shipped. */
const config = {
  faults: { enabled: true },
  recordings: { minFreeBytes: 0 },
  // What a tile without a picture asks for, a still or HLS, leaves nothing behind for long.
  hosts: { pictureIdleMs: 500 },
  hls: { idleSeconds: 5 },
  rtsp: { connectMs: 1_000, answerMs: 1_000 },
  sfu: { workers: 2 },
  supervision: {
    backoff: Object.fromEntries(['auth', 'not-found', 'busy', 'local', 'server-error', 'storage', 'reset', 'eos', 'timeout', 'refused', 'silent', 'host-crash', 'native-frozen'].map((cls) => [cls, { minMs: 500, maxMs: 1_000 }])),
    health: { keyframeMs: 2_000, ptsJumpMs: 2_000 },
    quarantineProbeMs: 5_000,
    // The matrix fails one camera more often than any quarantine would forgive.
    intensity: { failures: 10_000 },
    authLimit: 100,
    actors: { restarts: 100 },
  },
};

/** Starts everything and waits until all pictures move; what was started ends again where that fails. `more` is configuration. */
export async function startFaultRig(count = 8, more: object = {}): Promise<FaultRig> {
  await using started = new AsyncDisposableStack();
  const ids = Array.from({ length: count }, (_, index) => `cam${index + 1}`);
  const cameras = started.use(await startSimulator({ mounts: [...ids, 'control'].map((name) => ({ name, video: 'tiny-320x180-main', audio: 'beep-pcmu', phase: 'random' as const })) }));
  const lookout = started.use(await startLookout({ config: { ...config, ...more } }));
  const add = (id: string): Promise<CameraView> => lookout.add({ id, url: cameras.url(id), transport: 'tcp', outputs: { live: { feed: 'always' } } });
  for (const id of ids) await add(id);
  for (const id of ids) await lookout.until(id, 'streaming.live');
  const viewers = started.use(await watchPage(lookout.loginLink));
  await eventually(async () => Object.values(await viewers.read()).filter(({ decoded }) => decoded > 0).length === count, { timeoutMs: 20_000, what: `${count} pictures` });
  const control = await RtspPlayer.play(cameras.url('control'), { transport: 'udp' });
  started.defer(() => control.vanish());
  const all = started.move();

  return {
    ids, cameras, lookout, viewers,
    inject: (id, body) => lookout.api<FaultView>('POST', `/api/v1/cameras/${id}/faults`, { body }),
    async renew(id, before) {
      await lookout.api('DELETE', `/api/v1/cameras/${id}`);
      await before();
      await add(id);
    },
    async state() {
      const [views, consumers, sfu] = await Promise.all([lookout.cameras(), viewers.read(), lookout.sfu()]);
      return { cameras: new Map(views.map((view) => [view.id, view])), consumers, workers: new Map(sfu.routers.map(({ camera, worker }) => [camera, worker])) };
    },
    controlLoss() {
      const packets = control.video.splice(0);
      control.packets.length = 0;
      return packets.slice(1).reduce((sum, packet, index) => sum + ((packet.sequence - (packets[index]?.sequence ?? 0) - 1) & 0xffff), 0);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Rows of a camera's journal that are younger than `seq`, oldest first. */
export async function journalAfter(lookout: Lookout, id: string, seq: number): Promise<EventView[]> {
  return (await lookout.events(id)).filter((event) => event.seq > seq).toReversed();
}

/** Frames a second of every clip. */
const fps = 25;
/** One frame may be under way at each end, and one is the issue's. */
const framesGrace = 3;

/** What the neighbours suffered between two moments: one sentence each, none where they lost nothing. */
export function harm(before: RigState, after: RigState, { victim, spared }: { victim: string; spared: (id: string) => boolean }): string[] {
  return [...before.cameras.values()].filter(({ id }) => id !== victim).flatMap((was) => {
    const now = after.cameras.get(was.id);
    const told: string[] = [];
    if (now?.host?.pid !== was.host?.pid) told.push(`${was.id} has another host`);
    if (now?.since !== was.since) told.push(`${was.id} changed its state`);
    if (spared(was.id)) return told;
    const [a, b] = [before.consumers[was.id], after.consumers[was.id]];
    if (!a || !b) return [...told, `${was.id} has no consumer`];
    if (a.connection !== b.connection) return [...told, `${was.id} was negotiated again`];
    if (b.lost > a.lost || b.nacks > a.nacks) told.push(`${was.id}: ${b.lost - a.lost} sequence gaps, ${b.nacks - a.nacks} NACKs`);
    return told;
  });
}

/**
 * Neighbours that did not decode every frame of the time between two moments, one sentence each. A busy machine decodes
 * late, which is no loss: `later` may be a moment after `after`.
 */
export function undecoded([before, after, later]: [RigState, RigState, RigState], { victim, spared }: { victim: string; spared: (id: string) => boolean }): string[] {
  return [...before.cameras.keys()].filter((id) => id !== victim && !spared(id)).flatMap((id) => {
    const [a, b, c] = [before.consumers[id], after.consumers[id], later.consumers[id]];
    if (!a || !b || !c) return [];
    const expected = Math.floor(((b.at - a.at) / 1_000) * fps) - framesGrace;
    return c.decoded - a.decoded < expected ? [`${id}: ${c.decoded - a.decoded} frames decoded, ${expected} expected`] : [];
  });
}

/** What the program holds of the operating system: child processes, and UDP ports of its internal range. */
export function holdings(pid: number): { children: number; ports: number } {
  return { children: childrenOf(pid).length, ports: internalPorts(pid).length };
}

/**
 * What the program holds once nothing transient is left, in one reading: a tile without a picture asks for a still, whose
 * host comes and goes, and a viewer that joins has a primer, whose port does. A baseline with one would be none.
 */
export async function settledHoldings({ lookout, ids }: Pick<FaultRig, 'lookout' | 'ids'>): Promise<ReturnType<typeof holdings>> {
  return await eventually(() => {
    const held = holdings(lookout.pid);
    return held.children === ids.length + 3 && held.ports === ids.length * 2 ? held : undefined;
  }, { timeoutMs: 15_000, what: 'a host and two ports for each camera, the spare host and both workers' }) as ReturnType<typeof holdings>;
}

/** UDP ports of the internal range that the program and its children have bound: an ingest's and a feed's for each camera. */
export function internalPorts(pid: number): number[] {
  const inodes = new Set([String(pid), ...childrenOf(pid)].flatMap(socketsOf));
  return udpSockets().filter(({ port, inode }) => inodes.has(inode) && port >= 20_000 && port < 30_000).map(({ port }) => port);
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /socket:\[(\d+)\]/u.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? []);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Fails where the control stream lost packets too: such a run proves nothing. */
export class VoidRun extends Error {
  override readonly name = 'VoidRun';
}
