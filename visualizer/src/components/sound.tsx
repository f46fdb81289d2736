/** Sound of the camera in the single view: muted until the button is pressed, and in words where there is none. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CameraView } from '../../../src/api/protocol.ts';
import type { Playback } from '../models/playbacks.ts';
import { MutedIcon, SoundIcon } from './icons.tsx';

/** Why this camera cannot be heard live, or null where it can. */
export function silence({ media, outputs: { sound } }: CameraView): string | null {
  if (media && !media.audio) return 'This camera has no sound.';
  if (sound?.verdicts && !sound.verdicts.webrtc.ok) return sound.verdicts.webrtc.why;
  return media ? null : 'It is not known yet whether this camera has sound.';
}

/** The button and, while it is on, what plays. Leaving the camera mutes it. */
export function SoundButton({ camera, playback }: { camera: CameraView; playback: Playback | null }): JSX.Element {
  const sound = playback?.sound.value;
  const why = silence(camera) ?? (playback ? null : 'Sound comes with live video, which this camera does not have here.');
  const on = sound?.on === true;
  useEffect(() => () => playback?.setSound(false), [playback]);
  const label = why ?? (on ? 'Mute' : 'Listen');
  const trouble = on ? sound.why ?? camera.outputs.sound?.lastError?.message ?? null : null;
  return (
    <>
      <button type="button" class="icon-button" aria-label={label} title={label} aria-pressed={on} disabled={why !== null} data-action="sound" data-sound={on ? (sound.stream ? 'playing' : 'waiting') : 'off'}
        onClick={() => playback?.setSound(!on)}>
        {on ? <SoundIcon /> : <MutedIcon />}
      </button>
      {trouble !== null && sound?.stream == null && <span class="muted" role="status">{trouble}</span>}
      {sound?.stream && <Heard stream={sound.stream} />}
    </>
  );
}

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
