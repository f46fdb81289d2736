/** What pictures show of a camera: the stream that was asked for, or the other one for as long as that is away. */
import { batch, computed, effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals';
import type { CameraView, StreamName } from '../../../src/api/protocol.ts';
import type { Adapter } from '../adapter.ts';
import type { Fleet } from './cameras.ts';
import { createPlayers, type Played, type Players } from './players.ts';

/** Kept this long after the last one who showed it: opening a tile or scrolling back costs no new join. */
const lingerMs = 2_000;
/** A second stream that has no picture for this long gives way to the first. */
const patienceMs = 3_000;

/** What a picture component needs of a camera's video. */
export type Playback = Omit<Played, 'seen'> & {
  /** When a frame was painted last, ms since the epoch; plain, since it changes with every frame. */
  lastFrameAt: () => number | null;
  /** True once any frame was painted, whatever happened since. */
  seen: ReadonlySignal<boolean>;
  /** Which stream is shown. */
  shows: ReadonlySignal<StreamName>;
  /** Where its last frame is, whichever view painted it: another view begins with that; plain. */
  lastPicture: { from: HTMLVideoElement | HTMLCanvasElement | null };
  /** The second stream was asked for and is away: the first one is shown, or is about to be. */
  fellBack: ReadonlySignal<boolean>;
};

export type Playbacks = {
  /** Shows a camera until `release`; `sub` where a small picture will do. */
  acquire: (camera: string, wish?: StreamName) => { playback: Playback; release: () => void };
  /** The playback of a camera that somebody shows at the moment. */
  peek: (camera: string) => Playback | undefined;
  dispose: () => void;
};

type Held = { camera: string; playback: Playback; users: number; linger: ReturnType<typeof setTimeout> | undefined; close: () => void };

/** Makes the pool. */
export function createPlaybacks(adapter: Adapter, fleet: Fleet): Playbacks {
  const players = createPlayers(adapter, fleet);
  const held = new Map<string, Held>();
  const lastPictures = new Map<string, Playback['lastPicture']>();
  const close = (key: string): void => {
    const entry = held.get(key);
    entry?.close();
    held.delete(key);
    if (entry && ![...held.values()].some(({ camera }) => camera === entry.camera)) lastPictures.delete(entry.camera);
  };
  const begin = (camera: string, wish: StreamName): Held => {
    const lastPicture = lastPictures.get(camera) ?? { from: null };
    lastPictures.set(camera, lastPicture);
    const { playback, close: end } = choose({ players, fleet, camera, wish });
    return { camera, playback: { ...playback, lastPicture }, close: end, users: 0, linger: undefined };
  };

  return {
    acquire: (camera, wish = 'main') => {
      const key = `${camera} ${wish}`;
      const entry = held.get(key) ?? begin(camera, wish);
      held.set(key, entry);
      clearTimeout(entry.linger);
      entry.users += 1;
      let released = false;
      return {
        playback: entry.playback,
        release: () => {
          if (released) return;
          released = true;
          entry.users -= 1;
          if (entry.users === 0) entry.linger = setTimeout(() => close(key), lingerMs);
        },
      };
    },
    peek: (camera) => {
      const mine = [...held.values()].filter((entry) => entry.camera === camera);
      return (mine.find(({ users }) => users > 0) ?? mine[0])?.playback;
    },
    dispose: () => {
      [...held.keys()].forEach(close);
      players.dispose();
    },
  };
}

/** The stream that a wish means for a camera: the second one where there is one that WebRTC carries. */
export function streamFor(wish: StreamName, view: CameraView | undefined): StreamName {
  return wish === 'sub' && view?.sub && view.sub.live.verdict?.ok !== false ? 'sub' : 'main';
}

/** Whether WebRTC carries what a wish means for a camera. */
export function isCarried(wish: StreamName, view: CameraView): boolean {
  return streamFor(wish, view) === 'sub' || view.outputs.live.verdict?.ok !== false;
}

type Taken = ReturnType<Players['take']>;

/** Shows one stream and keeps what it shows until another has a picture, so that nobody sees a seam. */
function choose({ players, fleet, camera, wish }: { players: Players; fleet: Fleet; camera: string; wish: StreamName }): { playback: Omit<Playback, 'lastPicture'>; close: () => void } {
  const view = computed(() => fleet.camera(camera).value?.view);
  const wanted = computed(() => streamFor(wish, view.value));
  const taken: Signal<Partial<Record<StreamName, Taken>>> = signal({});
  const fellBack = signal(false);
  const target = computed<StreamName>(() => (fellBack.value ? 'main' : wanted.value));
  const other: StreamName = wanted.peek() === 'sub' ? 'main' : 'sub';
  const begins = (name: StreamName): boolean => players.peek(camera, name)?.seen.peek() === true;
  // What another view shows of it already is there at once.
  const shows = signal<StreamName>(!begins(wanted.peek()) && begins(other) ? other : wanted.peek());
  const playedOf = (name: StreamName): Played | undefined => taken.value[name]?.played;

  const stopHolding = effect(() => {
    const needed = new Set<StreamName>([shows.value, target.value, wanted.value]);
    untracked(() => {
      const now = { ...taken.value };
      for (const name of ['main', 'sub'] as const) {
        if (needed.has(name)) now[name] ??= players.take(camera, name);
        else {
          now[name]?.release();
          delete now[name];
        }
      }
      if (now.main !== taken.value.main || now.sub !== taken.value.sub) taken.value = now;
    });
  });
  const away = computed(() => awayOf(view.value, playedOf('sub')));
  const stopWaiting = effect(() => {
    const how = wanted.value === 'sub' ? away.value : 'here';
    if (how !== 'moment') fellBack.value = how === 'long';
    if (how !== 'moment' || fellBack.peek()) return undefined;
    const timer = setTimeout(() => { fellBack.value = true; }, patienceMs);
    return () => clearTimeout(timer);
  });
  // Nothing to keep: what comes is shown as it comes.
  const stopJumping = effect(() => {
    if (playedOf(shows.value)?.stream.value == null && playedOf(target.value)?.stream.value) shows.value = target.value;
  });
  const playback = joined({ shows, target, fellBack, playedOf, own: () => playedOf(wanted.value) });
  return {
    playback,
    close: () => {
      stopJumping();
      stopWaiting();
      stopHolding();
      for (const each of Object.values(taken.peek())) each.release();
    },
  };
}

/** `moment`: it may be back before anybody notices. */
function awayOf(view: CameraView | undefined, played: Played | undefined): 'here' | 'moment' | 'long' {
  const { sub } = view ?? {};
  const phase = played?.phase.value.phase;
  if (view?.outputs.live.verdict?.ok === false) return 'here';
  if (sub?.state === 'streaming' && sub.substate === 'live' && phase === 'flowing' && played?.stream.value) return 'here';
  return sub?.state === 'backoff' || sub?.state === 'quarantined' || phase === 'unsupported' || phase === 'refused' ? 'long' : 'moment';
}

type Joined = { shows: Signal<StreamName>; target: ReadonlySignal<StreamName>; fellBack: ReadonlySignal<boolean>; playedOf: (name: StreamName) => Played | undefined; /** That of the wish, which is the one to be heard. */ own: () => Played | undefined };

const silence = { on: false, stream: null, why: null };

/** Both streams as one. */
function joined({ shows, target, fellBack, playedOf, own }: Joined): Omit<Playback, 'lastPicture'> {
  let lastFrameAt: number | null = null;
  const seen = signal(false);
  const current = (): Played | undefined => playedOf(shows.value);
  return {
    shows, fellBack, seen,
    stream: computed(() => current()?.stream.value ?? null),
    next: computed(() => (shows.value === target.value ? current()?.next.value : playedOf(target.value)?.stream.value) ?? null),
    phase: computed(() => current()?.phase.value ?? { phase: 'joining', why: null }),
    refusal: computed(() => playedOf(target.value)?.refusal.value ?? null),
    sound: computed(() => own()?.sound.value ?? silence),
    setSound: (on) => own()?.setSound(on),
    lastFrameAt: () => lastFrameAt,
    frame: () => batch(() => {
      lastFrameAt = Date.now();
      seen.value = true;
      current()?.frame();
    }),
    tookOver: () => {
      if (shows.peek() === target.peek()) untracked(() => current()?.tookOver());
      else shows.value = target.peek();
    },
    stats: async () => untracked(() => current())?.stats() ?? null,
  };
}
