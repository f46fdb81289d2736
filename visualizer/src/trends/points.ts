/** The last hour as columns that grow at one end and are bounded: pure, of a camera and of the fleet. */
import type { CameraView, FleetTrendView, TrendState, TrendView } from '../../../src/api/protocol.ts';

/** What is drawn. */
export const hourMs = 3_600_000;

type Value = number | null;

/** `at`: s since the epoch on the server's clock, as uPlot wants it; the columns are as long. */
export type Points = { at: number[]; columns: Record<string, Value[]>; states: (TrendState | null)[] };

/** From the server's columns. */
export function pointsOf(trend: TrendView | FleetTrendView): Points {
  const { from, stepMs } = trend;
  const begin = Date.parse(from);
  const { restarts, bitrate } = trend;
  const at = restarts.map((_, index) => (begin + index * stepMs) / 1_000);
  if ('camera' in trend) return { at, columns: { bitrate, fps: trend.fps, age: trend.packetAgeMs, restarts }, states: trend.state };
  return { at, columns: { bitrate, live: trend.live, cameras: trend.cameras, restarts }, states: [] };
}

/** With one more point; what is older than an hour before it goes. */
export function appended({ at, columns, states }: Points, point: { at: number; values: Record<string, Value>; state?: TrendState }): Points {
  const last = at.at(-1);
  // The server's newest step, or a clock that was set back.
  if (last !== undefined && point.at <= last) return { at, columns, states };
  const begin = at.findIndex((moment) => moment >= point.at - hourMs / 1_000);
  const kept = <T>(list: readonly T[]): T[] => (begin < 0 ? [] : list.slice(begin));
  return {
    at: [...kept(at), point.at],
    columns: Object.fromEntries(Object.entries(columns).map(([name, list]) => [name, [...kept(list), point.values[name] ?? null]])),
    states: point.state === undefined ? states : [...kept(states), point.state],
  };
}

/** The state of a camera as the server's trends name it. */
export function stateOf({ state, substate }: Pick<CameraView, 'state' | 'substate'>): TrendState {
  if (state === 'streaming') return substate === 'stalled' ? 'stalled' : 'live';
  if (state === 'stopped' || state === 'idle') return 'off';
  return state === 'teardown' ? 'backoff' : state;
}

export type Stretch = { state: TrendState | null; from: number; to: number };

/** Stretches of the same state; one ends where the next begins, the last one at `end` (s). */
export function stretches({ at, states }: Pick<Points, 'at' | 'states'>, end: number): Stretch[] {
  const found: Stretch[] = [];
  states.forEach((state, index) => {
    const from = at[index]!;
    const last = found.at(-1);
    if (last?.state === state) return;
    if (last) last.to = from;
    found.push({ state, from, to: end });
  });
  return found;
}

/** `live 98 %, backoff 2 %`, most first; of the time that is known. */
export function shares(parts: readonly Stretch[]): string {
  const sums = new Map<TrendState, number>();
  for (const { state, from, to } of parts) if (state !== null) sums.set(state, (sums.get(state) ?? 0) + to - from);
  const all = [...sums.values()].reduce((sum, one) => sum + one, 0);
  if (all <= 0) return 'nothing known yet';
  return [...sums].sort(([, a], [, b]) => b - a).map(([state, sum]) => `${state} ${percent(sum / all)}`).join(', ');
}

/** Never 100 % of what was interrupted, never 0 % of what was. */
function percent(share: number): string {
  const rounded = Math.round(share * 100);
  return share < 1 && rounded === 100 ? '> 99 %' : share > 0 && rounded === 0 ? '< 1 %' : `${rounded} %`;
}

/** Least, most and newest of a column. */
export function range(values: readonly Value[]): { least: number; most: number; newest: number } | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : { least: Math.min(...known), most: Math.max(...known), newest: known.at(-1)! };
}
