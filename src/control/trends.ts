/** The last hour of every camera as figures every 5 s: a ring of typed arrays each, about 11 kB a camera whatever happens. */
import type { CameraView, FleetTrendView, TrendState, TrendView } from '../api/protocol.ts';

/** ms between two points, and how many are kept: one hour. */
export const trendStepMs = 5_000;
export const trendPoints = 720;

/** States as they are drawn; their place in this list is what a ring holds. */
const states: readonly TrendState[] = ['live', 'stalled', 'connecting', 'backoff', 'quarantined', 'off'];
const unknown = 255;

type Ring = { bitrate: Float32Array; fps: Float32Array; ageMs: Float32Array; restarts: Uint16Array; state: Uint8Array; restartsSeen: number };

/** Keeps the figures. */
export type Trends = {
  /** Takes the cameras as they are at `now` (ms since the epoch). The newest sample of a step is the one that stays. */
  sample(cameras: readonly CameraView[], now: number): void;
  /** One camera; `LOOKOUT_CAMERA_NOT_FOUND` is its caller's business: of a camera never sampled there are no points. */
  of(camera: string): TrendView;
  /** These cameras together: bitrates and restarts are sums, `live` counts them. */
  together(cameras: readonly string[]): FleetTrendView;
};

/** Makes it, empty. */
export function createTrends(): Trends {
  const rings = new Map<string, Ring>();
  /** Steps since the epoch: the first one ever sampled, and the newest. */
  let first = NaN;
  let newest = NaN;

  /** Step numbers that are kept, oldest first. */
  const kept = (): number[] => {
    const from = Math.max(first, newest - trendPoints + 1);
    return Number.isNaN(from) ? [] : Array.from({ length: newest - from + 1 }, (_, index) => from + index);
  };
  const head = (steps: number[]): { from: string; stepMs: number } => ({ from: new Date((steps[0] ?? 0) * trendStepMs).toISOString(), stepMs: trendStepMs });

  return {
    sample(cameras, now) {
      const step = Math.floor(now / trendStepMs);
      if (Number.isNaN(first) || step < first) first = newest = step;
      // Steps in which nobody sampled (the program was frozen) are unknown, not what they were an hour ago.
      const skipped = Math.min(trendPoints, Math.max(0, step - newest));
      for (const ring of rings.values()) for (let n = 0; n < skipped; n += 1) clear(ring, (step - n) % trendPoints);
      newest = Math.max(newest, step);
      const present = new Set<string>();
      for (const camera of cameras) {
        present.add(camera.id);
        let ring = rings.get(camera.id);
        if (!ring) rings.set(camera.id, (ring = emptyRing(camera.restarts)));
        put(ring, step % trendPoints, camera);
      }
      for (const id of rings.keys()) if (!present.has(id)) rings.delete(id);
    },
    of(camera) {
      const ring = rings.get(camera);
      const steps = ring ? kept() : [];
      // What was before the camera existed is left out.
      const known = ring ? steps.findIndex((step) => ring.state[step % trendPoints] !== unknown) : -1;
      const shown = known < 0 ? [] : steps.slice(known);
      const column = (values: Float32Array | undefined): (number | null)[] => shown.map((step) => finite(values?.[step % trendPoints]));
      return {
        camera, ...head(shown),
        bitrate: column(ring?.bitrate), fps: column(ring?.fps), packetAgeMs: column(ring?.ageMs),
        restarts: shown.map((step) => ring?.restarts[step % trendPoints] ?? 0),
        state: shown.map((step) => states[ring?.state[step % trendPoints] ?? unknown] ?? null),
      };
    },
    together(cameras) {
      const steps = kept();
      const these = cameras.flatMap((id) => rings.get(id) ?? []);
      const sum = (value: (ring: Ring, slot: number) => number): number[] => steps.map((step) => these.reduce((total, ring) => total + value(ring, step % trendPoints), 0));
      return {
        ...head(steps),
        cameras: sum((ring, slot) => (ring.state[slot] === unknown ? 0 : 1)),
        live: sum((ring, slot) => (ring.state[slot] === 0 ? 1 : 0)),
        bitrate: sum((ring, slot) => finite(ring.bitrate[slot]) ?? 0),
        restarts: sum((ring, slot) => ring.restarts[slot] ?? 0),
      };
    },
  };
}

/** The state as a trend draws it; the page names its own samples the same way. */
function trendState({ state, substate }: Pick<CameraView, 'state' | 'substate'>): TrendState {
  if (state === 'streaming') return substate === 'stalled' ? 'stalled' : 'live';
  if (state === 'stopped' || state === 'idle') return 'off';
  return state === 'teardown' ? 'backoff' : state;
}

function emptyRing(restartsSeen: number): Ring {
  const figures = (): Float32Array => new Float32Array(trendPoints).fill(NaN);
  return { bitrate: figures(), fps: figures(), ageMs: figures(), restarts: new Uint16Array(trendPoints), state: new Uint8Array(trendPoints).fill(unknown), restartsSeen };
}

function clear(ring: Ring, slot: number): void {
  ring.bitrate[slot] = ring.fps[slot] = ring.ageMs[slot] = NaN;
  ring.restarts[slot] = 0;
  ring.state[slot] = unknown;
}

function put(ring: Ring, slot: number, camera: CameraView): void {
  const flowing = camera.state === 'streaming';
  ring.bitrate[slot] = (flowing ? camera.media?.bitrate : null) ?? NaN;
  ring.fps[slot] = (flowing ? camera.media?.fps : null) ?? NaN;
  ring.ageMs[slot] = camera.freshness.packetAgeMs ?? NaN;
  ring.restarts[slot] = (ring.restarts[slot] ?? 0) + Math.max(0, camera.restarts - ring.restartsSeen);
  ring.restartsSeen = camera.restarts;
  ring.state[slot] = states.indexOf(trendState(camera));
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? Math.round(value * 100) / 100 : null;
}
