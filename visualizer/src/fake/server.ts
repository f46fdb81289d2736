/** What stands for the server: a fleet of plain views that can be put into any state, told to whoever listens. */
import type { CameraView } from '../../../src/api/protocol.ts';
import { ApiError, type StatusListener } from '../adapter.ts';
import { idOf, liveCamera, systemView, troubled, troubles, type Trouble } from './fleet.ts';

/** What a test may do from outside. */
export type FakeControl = {
  set: (id: string, trouble: Trouble | null) => void;
  offline: (offline: boolean) => void;
  calls: string[];
};

export type FakeServer = FakeControl & {
  /** Remembers a call and takes as long as a server would. */
  call: (text: string) => Promise<void>;
  view: (id: string) => CameraView;
  seed: (id: string) => number;
  ids: () => string[];
  update: (id: string, view: CameraView | null) => void;
  listen: (listener: StatusListener | undefined) => void;
};

const latencyMs = 120;
/** Calls remembered for tests. */
const maxCalls = 200;

/** Makes a fleet of `count` live cameras. */
export function createFakeServer(count: number): FakeServer {
  const cameras = new Map<string, { view: CameraView; seed: number }>();
  for (let index = 0; index < count; index += 1) cameras.set(idOf(index), { view: liveCamera(index, Date.now()), seed: index });
  const calls: string[] = [];
  let listener: StatusListener | undefined;

  const view = (id: string): CameraView => {
    const found = cameras.get(id);
    if (!found) throw new ApiError({ code: 'LOOKOUT_CAMERA_NOT_FOUND', statusCode: 404, message: 'There is no camera with this id.' });
    return found.view;
  };
  const seed = (id: string): number => cameras.get(id)?.seed ?? cameras.size;
  const update: FakeServer['update'] = (id, next) => {
    if (next === null) cameras.delete(id);
    else cameras.set(id, { view: next, seed: seed(id) });
    listener?.camera({ id, camera: next, at: new Date().toISOString() });
  };
  const snapshot = (): void => {
    const now = Date.now();
    const workers = [0, 1].map((index) => ({ index, pid: 3988 + index, state: 'ready', restarts: 0, routers: Math.ceil(cameras.size / 2), port: 40_000 + index, cpu: 0.1, rssBytes: 30e6 }));
    listener?.snapshot({ system: systemView(cameras.size, now), cameras: [...cameras.values()].map((camera) => camera.view), workers, at: new Date(now).toISOString() });
  };
  return {
    calls, view, seed, update,
    ids: () => [...cameras.keys()],
    listen: (to) => { listener = to; },
    call: async (text) => {
      calls.push(text);
      if (calls.length > maxCalls) calls.shift();
      await new Promise((resolve) => setTimeout(resolve, latencyMs));
    },
    set: (id, trouble) => {
      const before = view(id);
      update(id, trouble ? troubled(before, trouble, Date.now()) : { ...liveCamera(seed(id), Date.now()), id, name: before.name, url: before.url, since: new Date().toISOString(), restarts: before.restarts, lastError: before.lastError });
      listener?.journal({ seq: Date.now(), at: new Date().toISOString(), camera: id, type: 'camera.transition', from: before.state, to: trouble?.state ?? 'streaming', class: trouble?.class ?? null, code: null, message: trouble?.message ?? 'Live again.', evidence: null, attempt: null, delayMs: null, recording: false });
    },
    offline: (offline) => {
      listener?.connection(offline ? { status: 'offline', since: Date.now(), reason: 'transport close' } : { status: 'online' });
      if (!offline) snapshot();
    },
  };
}

/** Puts the troubles on some cameras, not next to one another. */
export function spreadTroubles(server: FakeServer): void {
  const ids = server.ids();
  const step = Math.max(1, Math.floor(ids.length / troubles.length));
  troubles.slice(0, Math.max(1, Math.floor(ids.length / 4))).forEach((trouble, index) => server.set(ids[(index * step + 3) % ids.length]!, trouble));
}

/** One camera after the other fails and returns; the returned function ends it. */
export function flap(server: FakeServer, everyMs: number): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    const ids = server.ids();
    const id = ids[turn % ids.length]!;
    const live = server.view(id).state === 'streaming';
    server.set(id, live ? troubles[turn % 4]! : null);
    turn += live ? 0 : 1;
  }, everyMs);
  return () => clearInterval(timer);
}
