/** Sound of a camera, in the single view and on its tile: muted until somebody wants it, and in words where there is none. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CameraView, StreamName } from '../../../src/api/protocol.ts';
import { streamFor, type Playback } from '../models/playbacks.ts';
import { MutedIcon, SoundIcon } from './icons.tsx';

/** Why this camera cannot be heard live, or null where it can. Each stream has a sound of its own. */
export function silence(camera: CameraView, stream: StreamName): string | null {
  const { media, sub, outputs: { sound } } = camera;
  if (stream === 'sub') {
    if (!sub?.media) return 'It is not known yet whether the sub stream has sound.';
    return sub.media.audio ? null : `The sub stream has no sound.${media?.audio ? ' Open the camera to hear it.' : ''}`;
  }
  if (media && !media.audio) return 'This camera has no sound.';
  if (sound?.verdicts && !sound.verdicts.webrtc.ok) return sound.verdicts.webrtc.why;
  return media ? null : 'It is not known yet whether this camera has sound.';
}

/** What can be heard now: `why` not, where nothing can be; `trouble`: why nothing is though it is on. */
type Hearing = { why: string | null; on: boolean; stream: MediaStream | null; trouble: string | null; toggle: () => void };

/** Leaving the camera mutes it. `playback` is null where it does not play over WebRTC. */
function useHearing(camera: CameraView, playback: Playback | null, stream: StreamName): Hearing {
  const sound = playback?.sound.value;
  const on = sound?.on === true;
  useEffect(() => () => playback?.setSound(false), [playback]);
  return {
    why: silence(camera, stream) ?? (playback ? null : 'Sound comes with live video, which this camera does not have here.'),
    on,
    stream: sound?.stream ?? null,
    trouble: on && !sound.stream ? sound.why ?? camera.outputs.sound?.lastError?.message ?? null : null,
    toggle: () => playback?.setSound(!on),
  };
}

/** The button of the single view and, while it is on, what plays. */
export function SoundButton({ camera, playback }: { camera: CameraView; playback: Playback | null }): JSX.Element {
  const { why, on, stream, trouble, toggle } = useHearing(camera, playback, 'main');
  const label = why ?? (on ? 'Mute' : 'Listen');
  return (
    <>
      <button type="button" class="icon-button" aria-label={label} title={why ?? `${label} (M)`} aria-pressed={on} disabled={why !== null} data-action="sound" data-sound={stateOf({ on, stream })} onClick={toggle}>
        {on ? <SoundIcon /> : <MutedIcon />}
      </button>
      {trouble !== null && <span class="muted" role="status">{trouble}</span>}
      {stream && <Heard stream={stream} />}
    </>
  );
}

/** The mark of a tile, in a place of its own: nothing where the camera has no sound, a dim one that says why where it cannot be heard. */
export function TileSound({ camera, playback, focused }: { camera: CameraView; playback: Playback | null; focused: boolean }): JSX.Element | null {
  const { why, on, stream, trouble, toggle } = useHearing(camera, playback, streamFor('sub', camera));
  if (!camera.media?.audio && !camera.sub?.media?.audio) return null;
  if (why !== null) return <span class="tile-sound tile-sound-none" role="img" aria-label={why} title={why}><MutedIcon /></span>;
  const label = `${on ? 'Mute' : 'Listen to'} ${camera.name}`;
  return (
    <>
      <button type="button" class="tile-sound" tabIndex={focused ? 0 : -1} aria-label={label} title={trouble ?? `${label} (M)`} aria-pressed={on} data-action="sound" data-sound={stateOf({ on, stream })} onClick={toggle}>
        {on ? <SoundIcon /> : <MutedIcon />}
      </button>
      {trouble !== null && <span class="hidden" role="status">{camera.name}: {trouble}</span>}
      {stream && <Heard stream={stream} />}
    </>
  );
}

const stateOf = ({ on, stream }: Pick<Hearing, 'on' | 'stream'>): 'playing' | 'waiting' | 'off' => (on ? (stream ? 'playing' : 'waiting') : 'off');

function Heard({ stream }: { stream: MediaStream }): JSX.Element {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const element = audio.current;
    if (!element) return undefined;
    element.srcObject = stream;
    void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  return <audio ref={audio} autoPlay />;
}
