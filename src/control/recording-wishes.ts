/** Whether cameras record whose mode leaves that to an operator (`manual`) or to a timetable (`scheduled`). */
import type { Root } from '../actors/tree.ts';
import type { RecordWindow } from '../camera-config.ts';
import { LookoutError } from '../errors.ts';
import type { Store } from '../store/types.ts';
import { cameraIds, child } from './cameras.ts';

/** The wishes. An operator's outlives the program. */
export type RecordingWishes = {
  /** Throws `LOOKOUT_RECORDING_MODE` for a camera that is not recorded by hand. */
  set(camera: string, wanted: boolean): Promise<void>;
  forget(camera: string): void;
  stop(): void;
};

const checkMs = 1_000;
const key = (camera: string): string => `recording.${camera}`;
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const dayMinutes = 1_440;

/** Starts to tell the cameras. They are told again where an actor came anew and knows nothing. */
export function startRecordingWishes({ root, settings }: { root: Root; settings: Store['settings'] }): RecordingWishes {
  const manual = new Map<string, boolean>();
  const asked = new Set<string>();
  const tell = (camera: string): void => {
    const actor = child(root, camera);
    const snapshot = actor?.getSnapshot();
    if (snapshot?.status !== 'active') return;
    const { config: { outputs: { record } }, recordingWanted } = snapshot.context;
    const wanted = record.mode === 'manual' ? manual.get(camera) ?? false : record.mode === 'scheduled' && isScheduled(record.schedule, new Date());
    if (wanted !== recordingWanted) actor?.send({ type: 'recording.set', wanted });
  };
  const remember = (camera: string): void => {
    if (asked.has(camera)) return;
    asked.add(camera);
    settings.get(key(camera)).then((value) => void (manual.has(camera) || manual.set(camera, value === 'true')), () => asked.delete(camera));
  };
  const timer = setInterval(() => {
    for (const camera of cameraIds(root)) {
      remember(camera);
      tell(camera);
    }
  }, checkMs).unref();

  return {
    async set(camera, wanted) {
      const mode = child(root, camera)?.getSnapshot().context.config.outputs.record.mode;
      if (mode !== 'manual') throw new LookoutError('LOOKOUT_RECORDING_MODE', { cameraId: camera });
      await settings.put(key(camera), String(wanted));
      manual.set(camera, wanted);
      tell(camera);
    },
    forget(camera) {
      asked.delete(camera);
      if (manual.delete(camera)) settings.put(key(camera), 'false').catch(() => undefined);
    },
    stop: () => clearInterval(timer),
  };
}

/** Whether a moment lies in one of the windows, in local time; one that ends before it begins ends on the next day. Pure. */
export function isScheduled(schedule: readonly RecordWindow[], at: Date): boolean {
  const now = at.getHours() * 60 + at.getMinutes();
  const today = days[at.getDay()];
  const yesterday = days[(at.getDay() + 6) % 7];
  return schedule.some((window) => {
    const [from, to] = [minutes(window.from), minutes(window.to)];
    const on = (day: string | undefined): boolean => window.days.some((name) => name === day);
    if (from < to) return on(today) && now >= from && now < to;
    return (on(today) && now >= from) || (on(yesterday) && now < to);
  });
}

function minutes(text: string): number {
  const [hours = 0, rest = 0] = text.split(':').map(Number);
  return (hours * 60 + rest) % dayMinutes;
}
