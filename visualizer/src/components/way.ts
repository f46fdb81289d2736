/** The way that a camera is shown in this browser, and its changes. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { StreamName } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { isCarried, type Playback } from '../models/playbacks.ts';
import { chooseWay, type Choice } from '../models/ways.ts';

/** HLS that failed is tried again after this. */
const hlsAgainMs = 30_000;

/** How it is shown. `hlsFailed` is told by whoever plays it over HLS. */
export type Shown = { playback: Playback | null; choice: Choice; hlsFailed: (text: string) => void };

/** Plays it over WebRTC where that can be, and chooses. WebRTC that was refused goes on trying beside the other way. */
export function useShown(id: string, entry: CameraEntry | undefined, wish: StreamName): Shown {
  const carried = entry !== undefined && isCarried(wish, entry.view);
  const playback = usePlayback(id, carried, wish);
  const [hlsProblem, setHlsProblem] = useState<string | null>(null);
  const live = entry?.view.state === 'streaming';
  useEffect(() => {
    if (hlsProblem === null) return undefined;
    const timer = setTimeout(() => setHlsProblem(null), hlsAgainMs);
    return () => clearTimeout(timer);
  }, [hlsProblem]);
  // Another camera, or one that came back, has not failed yet.
  useEffect(() => setHlsProblem(null), [id, live]);
  const refusal = playback?.refusal.value ?? null;
  const choice: Choice = entry ? chooseWay(entry.view, { carried, refusal, hlsProblem, supports }) : { way: 'webrtc', why: null };
  return { playback, choice, hlsFailed: setHlsProblem };
}

const supports = (type: string): boolean => 'MediaSource' in globalThis && MediaSource.isTypeSupported(type);

/** Plays while `wanted`; `wish`: which stream. */
function usePlayback(id: string, wanted: boolean, wish: StreamName): Playback | null {
  const { playbacks } = useApp();
  const [playback, setPlayback] = useState<Playback | null>(null);
  // Before anything is painted: what another view shows of the camera is there at once.
  useLayoutEffect(() => {
    if (!wanted) return undefined;
    const acquired = playbacks.acquire(id, wish);
    setPlayback(acquired.playback);
    return () => {
      setPlayback(null);
      acquired.release();
    };
  }, [id, wanted]);
  return playback;
}
