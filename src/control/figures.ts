/** Cumulative figures of a camera over all its sources, since the program started. */
import type { CameraContext } from '../machines/camera.ts';

type Sums = { packets: number; bytes: number; keyframes: number };
type Entry = Freshness & { source: number; before: Sums; current: Sums; stats: CameraContext['stats'] };

/** When the newest packet and keyframe came, ms since the epoch. They outlive their source, so that ages go on growing while a camera is away. */
export type Freshness = { packetAt: number | null; keyframeAt: number | null };

/** The book of figures. */
export type Figures = {
  /** Takes a camera's newest counters; a new source begins at 0 again, so the last one's are kept. */
  take(camera: string, context: Pick<CameraContext, 'stats' | 'sourcesStarted'>): void;
  of(camera: string): Sums;
  freshness(camera: string): Freshness;
  forget(camera: string): void;
};

const zero: Sums = { packets: 0, bytes: 0, keyframes: 0 };
const add = (a: Sums, b: Sums): Sums => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes, keyframes: a.keyframes + b.keyframes });

/** Makes an empty book. */
export function createFigures(): Figures {
  const entries = new Map<string, Entry>();
  return {
    take(camera, { stats, sourcesStarted }) {
      const known = entries.get(camera);
      // The same counters again, with another event: their ages were right when they came.
      if (!stats || known?.stats === stats) return;
      const at = (ageMs: number | null, last: number | null | undefined): number | null => (ageMs === null ? last ?? null : Date.now() - ageMs);
      const fresh = { stats, packetAt: at(stats.packetAgeMs, known?.packetAt), keyframeAt: at(stats.keyframeAgeMs, known?.keyframeAt) };
      const entry = known?.source === sourcesStarted ? known : { ...fresh, source: sourcesStarted, before: known ? add(known.before, known.current) : zero, current: zero };
      entries.set(camera, { ...entry, ...fresh, current: { packets: stats.packets, bytes: stats.bytes, keyframes: stats.keyframes } });
    },
    of(camera) {
      const entry = entries.get(camera);
      return entry ? add(entry.before, entry.current) : zero;
    },
    freshness: (camera) => entries.get(camera) ?? { packetAt: null, keyframeAt: null },
    forget: (camera) => void entries.delete(camera),
  };
}
