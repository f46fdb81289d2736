/** The stage of the mutants: cameras that the real simulator mutates, the real program with every output of each of them on, and one camera beside that nobody touches. */
import assert from 'node:assert/strict';
import type { Mutant, MutantKind } from '../../src/camera-sim/mutator.ts';
import type { MountConfig } from '../../src/camera-sim/types.ts';
import { mutantKinds } from '../../src/camera-sim/mutator.ts';
import { seeded } from '../../src/camera-sim/random.ts';
import { eventually } from './eventually.ts';
import { watchFeed } from './feed-watch.ts';
import { startPool } from './hosts.ts';
import { startLookout } from './lookout.ts';
import { frameForm, journalFaults, MutantCamera, type MutantMount } from './mutant-camera.ts';
import { startSimulator } from './simulator.ts';

/** A mutant and the codec and sound that it is for. */
export type MutantCase = { seed: number; kind: MutantKind };

/** How a mutant went: seconds until all outputs delivered again, and the classes in the journal. */
export type MutantOutcome = MutantCase & { camera: string; classes: string[]; seconds: number; faults: string[] };

/** The stage. `run` mutates one camera and waits until all of its outputs deliver again. */
export type MutantRig = AsyncDisposable & {
  cameras: readonly MutantCamera[];
  run(camera: MutantCamera, mutant: MutantCase): Promise<MutantOutcome>;
  /** Ends all recordings, looks at what is left, at the camera beside, and at what remained. Resolves with faults. */
  finish(): Promise<string[]>;
};

/** As many ms as a mutant lasts: more than a GOP, so that it meets a keyframe. */
const stretchMs = 1_600;
const backMs = 25_000;

/** The case of a seed. */
export function caseOf(seed: number): MutantCase {
  return { seed, kind: seeded(seed, 77).pick(mutantKinds) };
}

/** Whether a mutant says something about a camera of this kind. */
export function fits({ kind }: MutantCase, { codec, sound }: MutantMount): boolean {
  if (kind === 'sound-headers') return sound === 'AAC';
  if (kind.startsWith('sound-')) return sound !== null;
  return kind !== 'parameter-change' || codec === 'H264';
}

const config = {
  hls: { segmentSeconds: 1, segments: 10, idleSeconds: 600 },
  // A machine that others load is no frozen host.
  hosts: { frozenMs: 15_000 },
  recordings: { minFreeBytes: 0 },
  supervision: {
    backoff: Object.fromEntries(['auth', 'not-found', 'busy', 'local', 'server-error', 'storage', 'reset', 'eos', 'silent', 'no-keyframe', 'timestamps', 'video-missing', 'media-changed'].map((cls) => [cls, { minMs: 200, maxMs: 500 }])),
    health: { keyframeMs: 4_000 },
    intensity: { failures: 10_000 },
    actors: { restarts: 1_000 },
  },
};

/** What plays on each kind of camera; the sizes differ so that a mix-up would show. */
export const mutantMounts: readonly (MutantMount & { video: string; audio?: string })[] = [
  { id: 'tiny', codec: 'H264', sound: 'AAC', gopMs: 1_000, video: 'tiny-320x180-main', audio: 'beep-aac' },
  { id: 'server', codec: 'H264', sound: 'PCMU', gopMs: 1_000, video: 'server-360p-main', audio: 'beep-pcmu' },
  { id: 'hevc', codec: 'H265', sound: 'AAC', gopMs: 2_000, video: 'hevc-360p', audio: 'beep-aac' },
  { id: 'bare', codec: 'H264', sound: null, gopMs: 1_000, video: 'entrance-360p-baseline' },
];

/** Starts it with the mounts given and waits until every output delivers. */
export async function startMutantRig(mounts: typeof mutantMounts): Promise<MutantRig> {
  await using started = new AsyncDisposableStack();
  const simulated = (name: string, { video, audio }: { video: string; audio?: string }): MountConfig => ({ name, video, ...(audio === undefined ? {} : { audio }) });
  const simulator = started.use(await startSimulator({ mounts: [...mounts.map((mount) => simulated(mount.id, mount)), simulated('beside', { video: 'tiny-320x180-main' })] }));
  const lookout = started.use(await startLookout({ config }));
  const hosts = startPool();
  started.defer(() => hosts.close());
  const outputs = { live: { feed: 'always' }, hls: { mode: 'always' }, record: { mode: 'continuous', segmentSeconds: 2 }, frames: frameForm } as const;
  for (const id of [...mounts.map((mount) => mount.id), 'beside']) await lookout.add({ id, url: simulator.url(id), transport: 'tcp', outputs });
  const cameras: MutantCamera[] = [];
  for (const mount of mounts) {
    const feed = mount.codec === 'H264' ? await watchFeed(hosts, simulator.url(mount.id)) : null;
    const camera = new MutantCamera(lookout, mount, feed);
    started.defer(() => camera.end());
    camera.begin();
    cameras.push(camera);
  }
  const back = (camera: MutantCamera, since: number): Promise<unknown> => {
    let missing: string[] = [];
    return eventually(async () => (missing = await camera.missing(since)).length === 0, { timeoutMs: backMs, intervalMs: 150, what: 'all outputs' }).catch((error: unknown) => {
      throw new Error(`Of ${camera.mount.id} there is no ${missing.join(', no ') || String(error)} ${backMs} ms later.`);
    });
  };
  await Promise.all(cameras.map((camera) => back(camera, Date.now())));
  await lookout.until('beside', 'streaming.live');
  const beside = await lookout.camera('beside');
  const seen = new Map<string, number>();
  const all = started.move();

  return {
    cameras,
    async run(camera, { seed, kind }) {
      const { id } = camera.mount;
      const began = performance.now();
      const mutant: Mutant = { kind, seed, ms: stretchMs, ...(kind === 'parameter-change' ? { clip: 'odd-504x282-baseline' } : {}) };
      await simulator.act(id, { type: 'mutate', mutant });
      await eventually(async () => !(await simulator.stats(id)).mutates, { timeoutMs: 10_000, what: 'the end of the mutant' });
      const faults: string[] = [];
      await back(camera, Date.now()).catch((error: unknown) => void faults.push(error instanceof Error ? error.message : String(error)));
      const seconds = (performance.now() - began) / 1_000;
      await camera.check();
      const journal = await journalFaults(lookout, id, seen.get(id) ?? 0);
      seen.set(id, journal.seq);
      return { seed, kind, camera: id, classes: journal.classes, seconds, faults: [...faults, ...camera.faults.splice(0), ...journal.faults] };
    },
    async finish() {
      const faults: string[] = [];
      for (const { mount: { id } } of cameras) await lookout.api('PATCH', `/api/v1/cameras/${id}`, { body: { outputs: { record: { mode: 'off' } } } });
      for (const camera of cameras) {
        await eventually(async () => (await camera.recordings()).every(({ closed }) => closed), { timeoutMs: 10_000, what: 'every recording to be closed' });
        await camera.check();
        faults.push(...camera.faults.splice(0));
      }
      const now = await lookout.camera('beside');
      assert.deepEqual([now.host?.pid, now.state, now.restarts], [beside.host?.pid, beside.state, beside.restarts], 'the camera beside heard nothing');
      const { producers } = await lookout.sfu();
      faults.push(...producers.filter(({ camera, packetsLost }) => camera === 'beside' && packetsLost > 0).map(({ packetsLost }) => `The camera beside lost ${packetsLost} packets.`));
      faults.push(...(await journalFaults(lookout, 'beside', 0)).classes.map((cls) => `The camera beside: ${cls}`));
      const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
      assert.match(metrics, /^vms_media_orphans 0$/mu);
      return faults;
    },
    [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
  };
}
