/** Players shared by whoever shows a camera: the wall and the single view use one viewer, and a tile scrolled away gives its up. */
import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Adapter, Player, PlayerPhase, PlayerStats } from '../adapter.ts';
import type { Fleet } from './cameras.ts';

/** Kept this long after the last one who showed it: opening a tile or scrolling back costs no new join. */
const lingerMs = 2_000;
/** A page in a hidden tab is paused after this. */
const hiddenMs = 30_000;

/** What a picture component needs of a camera's video. */
export type Playback = {
  stream: ReadonlySignal<MediaStream | null>;
  /** What takes the place of `stream` with its first picture: `tookOver` says that it has. */
  next: ReadonlySignal<MediaStream | null>;
  /** What is heard, and why nothing is though it was asked for. */
  sound: ReadonlySignal<{ on: boolean; stream: MediaStream | null; why: string | null }>;
  setSound: (on: boolean) => void;
  phase: ReadonlySignal<{ phase: PlayerPhase; why: string | null }>;
  /** Why there is no WebRTC here, from the refusal until it flows after all; null where there is. */
  refusal: ReadonlySignal<string | null>;
  /** When a frame was painted last, ms since the epoch; plain, since it changes with every frame. */
  lastFrameAt: () => number | null;
  /** True once any frame was painted, whatever happened since. */
  seen: ReadonlySignal<boolean>;
  frame: () => void;
  tookOver: () => void;
  stats: () => Promise<PlayerStats | null>;
};

export type Playbacks = {
  /** Shows a camera until `release`. */
  acquire: (camera: string) => { playback: Playback; release: () => void };
  /** The playback of a camera that somebody shows at the moment. */
  peek: (camera: string) => Playback | undefined;
  dispose: () => void;
};

type Held = { playback: Playback; player: Player; users: number; linger: ReturnType<typeof setTimeout> | undefined; close: () => void };

/** Makes the pool. */
export function createPlaybacks(adapter: Adapter, fleet: Fleet): Playbacks {
  const held = new Map<string, Held>();
  const stopVisibility = onLongHidden((active) => {
    for (const { player } of held.values()) player.setActive(active);
  });
  const close = (camera: string): void => {
    held.get(camera)?.close();
    held.delete(camera);
  };

  return {
    acquire: (camera) => {
      const entry = held.get(camera) ?? open(adapter, fleet, camera);
      held.set(camera, entry);
      clearTimeout(entry.linger);
      entry.users += 1;
      let released = false;
      return {
        playback: entry.playback,
        release: () => {
          if (released) return;
          released = true;
          entry.users -= 1;
          if (entry.users === 0) entry.linger = setTimeout(() => close(camera), lingerMs);
        },
      };
    },
    peek: (camera) => held.get(camera)?.playback,
    dispose: () => {
      stopVisibility();
      [...held.keys()].forEach(close);
    },
  };
}

function open(adapter: Adapter, fleet: Fleet, camera: string): Held {
  const stream: Signal<MediaStream | null> = signal(null);
  const next: Signal<MediaStream | null> = signal(null);
  const phase = signal<{ phase: PlayerPhase; why: string | null }>({ phase: 'joining', why: null });
  const refusal = signal<string | null>(null);
  const seen = signal(false);
  const sound = signal<{ on: boolean; stream: MediaStream | null; why: string | null }>({ on: false, stream: null, why: null });
  let lastFrameAt: number | null = null;
  const player = adapter.play(camera, {
    stream: (value, later) => batch(() => {
      stream.value = value;
      next.value = later;
    }),
    phase: (value, why) => {
      phase.value = { phase: value, why };
      if (value === 'unsupported' || value === 'refused') refusal.value = why;
      else if (value === 'flowing') refusal.value = null;
    },
    sound: (value, why) => {
      sound.value = { on: sound.value.on, stream: value, why };
    },
  });
  const available = computed(() => {
    const state = fleet.camera(camera).value?.view.state;
    // An idle camera starts because somebody joins.
    return state === 'streaming' || state === 'idle';
  });
  const stopWatching = effect(() => player.setAvailable(available.value));
  const playback: Playback = {
    stream,
    next,
    sound,
    setSound: (on) => {
      sound.value = { on, stream: on ? sound.value.stream : null, why: null };
      player.setSound(on);
    },
    phase,
    refusal,
    seen,
    lastFrameAt: () => lastFrameAt,
    frame: () => {
      lastFrameAt = Date.now();
      seen.value = true;
      player.frame();
    },
    tookOver: () => {
      // Wall and single view may both show it.
      if (next.value === null) return;
      batch(() => {
        stream.value = next.value;
        next.value = null;
      });
      player.tookOver();
    },
    stats: () => player.stats(),
  };
  return { playback, player, users: 0, linger: undefined, close: () => { stopWatching(); player.close(); } };
}

/** Tells false when the page has been hidden for {@link hiddenMs}, true when it is seen again. */
function onLongHidden(tell: (active: boolean) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => tell(false), hiddenMs);
    else tell(true);
  };
  document.addEventListener('visibilitychange', changed);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', changed);
  };
}
