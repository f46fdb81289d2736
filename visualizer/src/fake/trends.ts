/** A scripted last hour: a loss half an hour ago, as the scripted journal tells it. */
import type { FleetTrendView, TrendState, TrendView } from '../../../src/api/protocol.ts';

const stepMs = 5_000;
const points = 720;
/** Steps of the loss, and what state each of them was in. */
const loss: TrendState[] = ['stalled', 'backoff', 'backoff', 'connecting', 'backoff', 'backoff', 'backoff', 'backoff', 'backoff', 'connecting', 'connecting', 'connecting'];
const lossAt = 360;
const waves = (index: number, seed: number): number => 1 + 0.12 * Math.sin((index + seed * 37) / 23) + 0.05 * Math.sin((index * 7 + seed) / 5);
const begin = (now: number): string => new Date(now - (points - 1) * stepMs).toISOString();
const indices = Array.from({ length: points }, (_, index) => index);

/** One camera. */
export function cameraTrend(camera: string, seed: number, now: number): TrendView {
  const lost = (index: number): TrendState | undefined => loss[index - lossAt];
  return {
    camera, from: begin(now), stepMs,
    bitrate: indices.map((index) => (lost(index) ? null : Math.round((1_600_000 + ((seed * 377) % 1200) * 1000) * waves(index, seed)))),
    fps: indices.map((index) => (lost(index) ? null : 25 - (index % 97 === 0 ? 1 : 0))),
    packetAgeMs: indices.map((index) => (lost(index) ? (index - lossAt + 1) * stepMs : 20 + ((index * 13 + seed) % 30))),
    restarts: indices.map((index) => (index === lossAt + 3 || index === lossAt + 9 ? 1 : 0)),
    state: indices.map((index) => lost(index) ?? 'live'),
  };
}

/** All of them. */
export function fleetTrend(count: number, now: number): FleetTrendView {
  const away = (index: number): number => (index >= lossAt && index < lossAt + loss.length ? Math.ceil(count / 4) : index % 211 < 4 ? 1 : 0);
  return {
    from: begin(now), stepMs,
    cameras: indices.map(() => count),
    live: indices.map((index) => Math.max(0, count - away(index))),
    bitrate: indices.map((index) => Math.round(Math.max(0, count - away(index)) * 2_100_000 * waves(index, 3))),
    restarts: indices.map((index) => (away(index) > 0 && away(index - 1) === 0 ? away(index) : 0)),
  };
}
