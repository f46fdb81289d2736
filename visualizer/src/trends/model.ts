/** The last hour of a camera or of the fleet: fetched once, then continued from what the status feed brings. */
import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { App } from '../app.ts';
import { messageOf } from '../adapter.ts';
import { appended, pointsOf, stateOf, type Points } from './points.ts';

export type TrendState = { status: 'loading' } | { status: 'failed'; message: string } | { status: 'ready'; points: Points };

export type Trend = { state: ReadonlySignal<TrendState>; retry: () => void; dispose: () => void };

/** The server's step; the page goes on in the same one. */
const stepMs = 5_000;

type Needs = Pick<App, 'adapter' | 'fleet' | 'clock' | 'session'>;

/** Follows a camera; null the fleet. After a lost connection it is fetched anew: what the page missed, the server has. */
export function createTrend({ adapter, fleet, clock, session }: Needs, camera: string | null): Trend {
  const state = signal<TrendState>({ status: 'loading' });
  let restartsSeen: number | null = null;
  let asked = 0;

  const views = () => (camera === null ? (fleet.ids.peek() ?? []) : [camera]).flatMap((id) => fleet.camera(id).peek()?.view ?? []);
  const load = (): void => {
    const mine = (asked += 1);
    adapter.trends(camera).then((trend) => {
      if (mine !== asked) return;
      restartsSeen = restartsOf(views());
      state.value = { status: 'ready', points: pointsOf(trend) };
    }, (error: unknown) => {
      if (mine === asked && state.peek().status !== 'ready') state.value = { status: 'failed', message: messageOf(error) };
    });
  };
  const sample = (): void => {
    const before = state.peek();
    const now = views();
    if (before.status !== 'ready' || session.connection.peek().status !== 'online' || (camera !== null && now.length === 0)) return;
    const restarts = restartsOf(now);
    const common = { restarts: Math.max(0, restarts - (restartsSeen ?? restarts)) };
    restartsSeen = restarts;
    const [one] = now;
    const values = camera !== null && one
      ? { ...common, bitrate: one.state === 'streaming' ? one.media?.bitrate ?? null : null, fps: one.state === 'streaming' ? one.media?.fps ?? null : null, age: fleet.packetAge(fleet.camera(camera).peek()!, Date.now()) }
      : { ...common, cameras: now.length, live: now.filter((view) => stateOf(view) === 'live').length, bitrate: now.reduce((sum, view) => sum + (view.state === 'streaming' ? view.media?.bitrate ?? 0 : 0), 0) };
    state.value = { status: 'ready', points: appended(before.points, { at: clock.serverNow() / 1_000, values, ...(camera !== null && one ? { state: stateOf(one) } : {}) }) };
  };
  const stopFollowing = effect(() => {
    if (session.connection.value.status === 'online') load();
  });
  const timer = setInterval(sample, stepMs);
  return {
    state,
    retry: () => {
      state.value = { status: 'loading' };
      load();
    },
    dispose: () => {
      asked += 1;
      stopFollowing();
      clearInterval(timer);
    },
  };
}

function restartsOf(views: readonly { restarts: number }[]): number {
  return views.reduce((sum, { restarts }) => sum + restarts, 0);
}
