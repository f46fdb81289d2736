/** Plays recordings in a video element by their wall-clock time, an hour at a time; hls.js is fetched with the first one. */
import { signal, type ReadonlySignal } from '@preact/signals';
import type Hls from 'hls.js';
import { messageOf, type Recordings } from '../adapter.ts';

/** Of what there is in one playlist: the server reads the index of every file in it. */
const stretchMs = 3_600_000;

export type RecordedPlayer = {
  /** What is shown, in ms since the epoch; null before the first picture. */
  at: ReadonlySignal<number | null>;
  status: ReadonlySignal<'empty' | 'loading' | 'ready' | 'ended'>;
  problem: ReadonlySignal<string | null>;
  /** Goes to this moment, or to the first recorded one after it before `end`, and plays. */
  play: (from: number, end: number) => void;
  dispose: () => void;
};

/** Makes a player for one camera. `following` is where to go on at the end of a stretch, if anywhere. */
export function createPlayer({ video, camera, door, following }: { video: HTMLVideoElement; camera: string; door: Recordings; following: (at: number) => { from: number; to: number } | null }): RecordedPlayer {
  const at = signal<number | null>(null);
  const status = signal<'empty' | 'loading' | 'ready' | 'ended'>('empty');
  const problem = signal<string | null>(null);
  let hls: Hls | null = null;
  let asked = 0;
  let loaded: { from: number; to: number } | null = null;
  const onTime = (): void => {
    const date = hls?.playingDate;
    if (date && status.value === 'ready') at.value = date.getTime();
  };
  const fail = (text: string): void => {
    problem.value = text;
    status.value = 'empty';
    loaded = null;
    hls?.destroy();
    hls = null;
  };
  const load = async (from: number, end: number): Promise<void> => {
    asked += 1;
    const mine = asked;
    at.value = from;
    problem.value = null;
    status.value = 'loading';
    loaded = null;
    try {
      const { default: Player } = await import('hls.js/light');
      if (mine !== asked) return;
      if (!Player.isSupported()) return fail('This browser has no Media Source Extensions. Export the span, and play the file.');
      hls?.destroy();
      const player = new Player({ enableWorker: false, startPosition: 0, maxBufferLength: 20 });
      hls = player;
      attach(player, Player, { from, to: Math.min(end, from + stretchMs) });
    } catch (error) {
      if (mine === asked) fail(messageOf(error));
    }
  };
  const attach = (player: Hls, { Events }: typeof Hls, span: { from: number; to: number }): void => {
    // The first segment is the one that holds the moment; before it is here there is nothing to seek in.
    player.once(Events.FRAG_BUFFERED, () => {
      const fragments = player.latestLevelDetails?.fragments ?? [];
      loaded = { from: fragments[0]?.programDateTime ?? span.from, to: span.to };
      status.value = 'ready';
      video.currentTime = placeOf(fragments, span.from);
      video.play().catch(() => undefined);
    });
    player.on(Events.ERROR, (_, { fatal, details, response }) => {
      if (fatal && player === hls) fail(wordsFor(details, response?.code));
    });
    player.loadSource(door.playlist({ camera, ...span }));
    player.attachMedia(video);
  };
  const ended = (): void => {
    const next = loaded && following(loaded.to);
    if (next) void load(next.from, next.to);
    else status.value = 'ended';
  };
  for (const event of ['timeupdate', 'seeked']) video.addEventListener(event, onTime);
  video.addEventListener('ended', ended);
  return {
    at, status, problem,
    play: (from, end) => {
      const fragments = hls?.latestLevelDetails?.fragments;
      const last = fragments?.at(-1);
      // What is being recorded grows: the playlist ends where it ended when it was fetched.
      if (loaded && fragments && last && from >= loaded.from && from < (last.programDateTime ?? 0) + last.duration * 1_000) {
        video.currentTime = placeOf(fragments, from);
        at.value = from;
        status.value = 'ready';
        video.play().catch(() => undefined);
      } else void load(from, end);
    },
    dispose: () => {
      asked += 1;
      hls?.destroy();
      hls = null;
      for (const event of ['timeupdate', 'seeked']) video.removeEventListener(event, onTime);
      video.removeEventListener('ended', ended);
    },
  };
}

type Placed = { start: number; duration: number; programDateTime: number | null };

/** Where in the film a moment is, in seconds; of a gap, where the film goes on after it. */
export function placeOf(fragments: readonly Placed[], at: number): number {
  for (const { start, duration, programDateTime } of fragments) {
    if (programDateTime === null || at >= programDateTime + duration * 1_000) continue;
    return start + Math.max(0, at - programDateTime) / 1_000;
  }
  return 0;
}

function wordsFor(details: string, status: number | undefined): string {
  if (status === 404) return 'Nothing is recorded here any more.';
  if (/codec/iu.test(details)) return 'This browser cannot decode this camera’s video (H.265 needs a decoder of the system). Export the span, and play the file.';
  if (/load/iu.test(details)) return `The recording cannot be fetched${status ? ` (status ${status})` : ''}.`;
  return `The recording cannot be played (${details}).`;
}
