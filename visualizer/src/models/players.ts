/** Players shared by whoever shows a stream of a camera: one for each, as long as somebody does. */
import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { StreamName } from '../../../src/api/protocol.ts';
import type { Adapter, Player, PlayerPhase, PlayerStats } from '../adapter.ts';
import type { Fleet } from './cameras.ts';

/** A page in a hidden tab is paused after this. */
const hiddenMs = 30_000;

/** What one player has. */
export type Played = {
  stream: ReadonlySignal<MediaStream | null>;
  /** What takes the place of `stream` with its first picture: `tookOver` says that it has. */
  next: ReadonlySignal<MediaStream | null>;
  /** What is heard, and why nothing is though it was asked for. */
  sound: ReadonlySignal<{ on: boolean; stream: MediaStream | null; why: string | null }>;
  setSound: (on: boolean) => void;
  phase: ReadonlySignal<{ phase: PlayerPhase; why: string | null }>;
  /** Why there is no WebRTC here, from the refusal until it flows after all; null where there is. */
  refusal: ReadonlySignal<string | null>;
  /** True once any frame of it was painted, whatever happened since. */
  seen: ReadonlySignal<boolean>;
  frame: () => void;
  tookOver: () => void;
  stats: () => Promise<PlayerStats | null>;
};

export type Players = {
  /** The player of a stream, until `release`. */
  take: (camera: string, stream: StreamName) => { played: Played; release: () => void };
  /** One that somebody has at the moment. */
  peek: (camera: string, stream: StreamName) => Played | undefined;
  dispose: () => void;
};

type Held = { played: Played; player: Player; users: number; close: () => void };

/** Makes the pool. */
export function createPlayers(adapter: Adapter, fleet: Fleet): Players {
  const held = new Map<string, Held>();
  const keyOf = (camera: string, stream: StreamName): string => `${camera} ${stream}`;
  const stopVisibility = onLongHidden((active) => {
    for (const { player } of held.values()) player.setActive(active);
  });
  const close = (key: string): void => {
    held.get(key)?.close();
    held.delete(key);
  };

  return {
    take: (camera, stream) => {
      const key = keyOf(camera, stream);
      const entry = held.get(key) ?? open({ adapter, fleet, camera, stream });
      held.set(key, entry);
      entry.users += 1;
      let released = false;
      return {
        played: entry.played,
        release: () => {
          if (released) return;
          released = true;
          entry.users -= 1;
          if (entry.users === 0) close(key);
        },
      };
    },
    peek: (camera, stream) => held.get(keyOf(camera, stream))?.played,
    dispose: () => {
      stopVisibility();
      [...held.keys()].forEach(close);
    },
  };
}

function open({ adapter, fleet, camera, stream: name }: { adapter: Adapter; fleet: Fleet; camera: string; stream: StreamName }): Held {
  const stream: Signal<MediaStream | null> = signal(null);
  const next: Signal<MediaStream | null> = signal(null);
  const phase = signal<{ phase: PlayerPhase; why: string | null }>({ phase: 'joining', why: null });
  const refusal = signal<string | null>(null);
  const seen = signal(false);
  const sound = signal<{ on: boolean; stream: MediaStream | null; why: string | null }>({ on: false, stream: null, why: null });
  const sink = {
    stream: (value: MediaStream, later: MediaStream | null) => batch(() => {
      stream.value = value;
      next.value = later;
    }),
    phase: (value: PlayerPhase, why: string | null) => {
      phase.value = { phase: value, why };
      if (value === 'unsupported' || value === 'refused') refusal.value = why;
      else if (value === 'flowing') refusal.value = null;
    },
    sound: (value: MediaStream | null, why: string | null) => {
      sound.value = { on: sound.value.on, stream: value, why };
    },
  };
  const player = adapter.play(camera, sink, name);
  const available = computed(() => {
    const view = fleet.camera(camera).value?.view;
    const state = (name === 'sub' ? view?.sub : view)?.state;
    // What is idle starts because somebody joins.
    return state === 'streaming' || state === 'idle';
  });
  const stopWatching = effect(() => player.setAvailable(available.value));
  const played: Played = {
    stream, next, sound, phase, refusal, seen,
    setSound: (on) => {
      sound.value = { on, stream: on ? sound.value.stream : null, why: null };
      player.setSound(on);
    },
    frame: () => {
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
  return { played, player, users: 0, close: () => { stopWatching(); player.close(); } };
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
