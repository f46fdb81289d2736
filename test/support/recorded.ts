/** A program that has recorded simulated cameras of H.264, H.265 and B-frames, one of them with a gap: what playback and export are tested on. */
import type { RecordingView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from './eventually.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { startSimulator } from './simulator.ts';

/** It records no more; `files` are the closed recordings of a camera, oldest first. */
export type Recorded = AsyncDisposable & { lookout: Lookout; simulator: SimulatorProcess; files(camera: string): Promise<RecordingView[]> };

const cameras = { gate: 'tiny-320x180-main', hevc: 'hevc-360p', bframes: 'bframes-360p-high' };

/** Records files of 2 s: of `gate` two, a gap, and two more. */
export async function recordCameras(): Promise<Recorded> {
  const simulator = await startSimulator({ mounts: Object.entries(cameras).map(([name, video]) => ({ name, video })) });
  const lookout = await startLookout({ config: { faults: { enabled: true } } });
  const files = async (camera: string): Promise<RecordingView[]> => (await lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${camera}`)).recordings.toReversed();
  const recorded = (camera: string, count: number): Promise<unknown> => eventually(async () => (await files(camera)).filter(({ closed }) => closed).length >= count, { timeoutMs: 60_000, what: `${count} recordings of ${camera}` });
  const set = (camera: string, verb: 'start' | 'stop'): Promise<unknown> => lookout.api('POST', `/api/v1/cameras/${camera}/recording/${verb}`);
  const stopped = async (camera: string): Promise<void> => {
    await set(camera, 'stop');
    await eventually(async () => (await files(camera)).every(({ closed }) => closed), { timeoutMs: 20_000, what: `the last recording of ${camera} to be closed` });
  };
  for (const id of Object.keys(cameras)) {
    await lookout.add({ id, url: simulator.url(id), outputs: { record: { mode: 'manual', segmentSeconds: 2 } } });
    // What a recorder gets that is there before the first keyframe cannot be shown, nor exported.
    await eventually(async () => (await lookout.camera(id)).freshness.keyframeAgeMs !== null, { timeoutMs: 30_000, what: `a keyframe of ${id}` });
    await set(id, 'start');
  }
  const others = Object.keys(cameras).filter((id) => id !== 'gate').map((id) => recorded(id, 2).then(() => stopped(id)));
  await recorded('gate', 2);
  await stopped('gate');
  const { length } = await files('gate');
  const last = Date.parse((await files('gate')).at(-1)!.endAt!);
  await eventually(() => Date.now() > last + 2_500, { timeoutMs: 10_000, what: 'a gap' });
  await set('gate', 'start');
  await recorded('gate', length + 2);
  await Promise.all([stopped('gate'), ...others]);
  return {
    lookout, simulator, files,
    async [Symbol.asyncDispose]() {
      await lookout[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
