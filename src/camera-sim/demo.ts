/** The demo's four cameras: three that work, and one that fails in changing ways. */
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSimulator } from './process.ts';
import type { SimulatorProcess } from './process.ts';
import { healthy } from './types.ts';
import type { Behaviour, ClipMount, Incident, MountOptions } from './types.ts';

/** Cameras to be added to the supervisor, and the process that serves them. */
export type DemoCameras = {
  cameras: { id: string; name: string; url: string; sub?: { url: string } }[];
  /** Ends the process. */
  close(): Promise<void>;
  pid: number;
  /** Resolves when the process is reaped. */
  readonly exited: Promise<void>;
  /** Where they listen, by mount: another process at the same addresses takes these. */
  ports: DemoPorts;
};

/** Ports by mount. */
export type DemoPorts = ReadonlyMap<string, number>;

type ClipMountConfig = MountOptions & ClipMount;
type DemoCamera = { id: string; name: string; video: string; audio?: string; sub?: string };

/** What fails has one stream, so that its tile shows the failure and not how the other one stands in. */
const cameras: DemoCamera[] = [
  { id: 'entrance', name: 'Entrance', video: 'entrance-360p-baseline', audio: 'beep-pcmu', sub: 'entrance-180p-baseline' },
  { id: 'parking', name: 'Parking', video: 'parking-360p-main', sub: 'parking-180p-main' },
  { id: 'loading-dock', name: 'Loading dock', video: 'dock-360p-high', sub: 'dock-180p-main' },
  { id: 'server-room', name: 'Server room', video: 'server-360p-main' },
];
const subOf = (id: string): string => `${id}-sub`;
/** Of every clip of the demo. */
const clipSeconds = 10;
const failing = 'server-room';
const firstGoodPhaseMs = 15_000;
/** Long enough to watch the camera come back. */
const shortRestMs = 12_000;
/** Long enough for Lookout to forget the attempts (`resetAfterMs`, 30 s, after it is back), or delays would grow from failure to failure. */
const longRestMs = 38_000;

/** A failure of the fourth camera: it behaves like this, this happens to it, after a while it is healthy again, and stays so for `restMs`. */
export type Episode = { change?: Partial<Behaviour>; incident?: Incident; ms: number; restMs: number };

/**
 * The failures, in the order in which they are told, over and over. Short ones first, so that a newcomer sees three kinds in the
 * first minute. A story for eyes: 401 and 453 are missing because Lookout answers them with half a minute of patience and
 * more, and fewer than ten failures fall into five minutes because more would end in quarantine.
 */
export const episodes: readonly Episode[] = [
  { change: { media: 'none' }, ms: 6_000, restMs: shortRestMs },
  { incident: { type: 'reset' }, ms: 0, restMs: shortRestMs },
  { incident: { type: 'reboot', seconds: 6, unavailableMs: 1_500 }, ms: 7_500, restMs: longRestMs },
  // Ended before missing: every 404 counts as an attempt, and the delay after the next end of stream would have grown by them.
  { incident: { type: 'bye', close: true }, ms: 0, restMs: shortRestMs },
  { change: { status: { code: 404 } }, incident: { type: 'close' }, ms: 4_000, restMs: longRestMs },
  { change: { keyframes: false }, ms: 18_000, restMs: longRestMs },
  { change: { timestamps: 'frozen' }, ms: 12_000, restMs: longRestMs },
  { change: { answer: false, media: 'none' }, ms: 8_000, restMs: longRestMs },
];

/** Starts the demo's cameras, at the ports given; the fourth is healthy for 15 s, then fails every now and then. Rejects where a port is taken. */
export async function startDemoCameras(ports: DemoPorts = new Map()): Promise<DemoCameras> {
  const mounts = cameras.flatMap(mountsOf).map((mount) => ({ ...mount, port: ports.get(mount.name) ?? 0 }));
  const simulator = await spawnSimulator({ port: 'per-mount', mounts });
  const stop = new AbortController();
  const story = tell(simulator, stop.signal);
  return {
    cameras: cameras.map(({ id, name, sub }) => ({ id, name, url: simulator.url(id), ...(sub === undefined ? {} : { sub: { url: simulator.url(subOf(id)) } }) })),
    pid: simulator.pid,
    exited: simulator.exited,
    ports: new Map(mounts.map(({ name }) => [name, Number(new URL(simulator.url(name)).port)])),
    async close() {
      stop.abort();
      await story;
      await simulator.close();
    },
  };
}

/** Both streams of a camera show the same moment; cameras are out of step. */
function mountsOf({ id, video, audio, sub }: DemoCamera): ClipMountConfig[] {
  const phase = Math.random() * clipSeconds;
  return [{ name: id, video, phase, ...(audio === undefined ? {} : { audio }) }, ...(sub === undefined ? [] : [{ name: subOf(id), video: sub, phase }])];
}

/** Tells the story until stopped, or until the process is gone. */
async function tell(simulator: SimulatorProcess, signal: AbortSignal): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal });
  try {
    await pause(firstGoodPhaseMs);
    for (let turn = 0; ; turn += 1) {
      const { change = {}, incident, ms, restMs } = episodes[turn % episodes.length] as Episode;
      await simulator.script(failing, change);
      if (incident) await simulator.act(failing, incident);
      await pause(ms);
      await simulator.script(failing, healthy);
      await pause(restMs);
    }
  } catch {
    // Stopped, or the process ended: either way the story is over.
  }
}
