/** Plays a camera over HLS in a video element; hls.js is fetched with the first one. */
import type Hls from 'hls.js';
import { messageOf } from '../adapter.ts';

/** Kept behind the moment that is shown, in seconds: nobody goes back in a live picture. */
const keptSeconds = 10;

/** Plays until the returned function is called; `onProblem` hears, once, why it cannot. */
export function playLive(video: HTMLVideoElement, playlist: string, onProblem: (text: string) => void): () => void {
  let player: Hls | undefined;
  let over = false;
  const fail = (text: string): void => {
    if (over) return;
    stop();
    onProblem(text);
  };
  const stop = (): void => {
    over = true;
    player?.destroy();
  };
  import('hls.js/light').then(({ default: Player }) => {
    if (over) return;
    if (!Player.isSupported()) return fail('This browser has no Media Source Extensions for HLS.');
    player = new Player({ enableWorker: false, liveSyncDurationCount: 2, backBufferLength: keptSeconds });
    player.on(Player.Events.ERROR, (_, { fatal, details, response }) => {
      if (fatal) fail(wordsFor(details, response?.code));
    });
    player.on(Player.Events.FRAG_BUFFERED, () => void video.play().catch(() => undefined));
    player.loadSource(playlist);
    player.attachMedia(video);
  }).catch((error: unknown) => fail(messageOf(error)));
  return stop;
}

function wordsFor(details: string, status: number | undefined): string {
  if (/codec/iu.test(details)) return 'This browser cannot decode what HLS carries.';
  return status ? `HLS cannot be fetched (status ${status}).` : `HLS cannot be played (${details}).`;
}
