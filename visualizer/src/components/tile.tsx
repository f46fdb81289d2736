/** One camera on the wall: picture, name, state, age, and in words why it is not live. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { sentence, type Tone } from '../models/describe.ts';
import type { Playback } from '../models/playbacks.ts';
import { href } from '../models/route.ts';
import { CameraOffIcon } from './icons.tsx';
import { Picture } from './picture.tsx';
import { Dot, FrameAge, useDescription } from './state.tsx';

/** Tiles just outside of the screen already play, so that scrolling shows pictures and not their loading. */
const sightMargin = '120px';

export function Tile({ id, focused, width, onFocus }: { id: string; focused: boolean; width: number; onFocus: () => void }): JSX.Element | null {
  const { fleet } = useApp();
  const entry = fleet.camera(id).value;
  const { ref, inSight } = useInSight();
  const carried = entry?.view.outputs.live.verdict?.ok !== false;
  const playback = usePlayback(id, inSight && carried);
  if (!entry) return null;
  return (
    <li class="tile-slot" ref={ref}>
      <a class="tile" href={href({ view: 'camera', id })} tabIndex={focused ? 0 : -1} data-tile={id} data-state={entry.view.state} onFocus={onFocus}>
        <div class="tile-picture">
          <NoPicture entry={entry} />
          <Picture id={id} playback={playback} stillWidth={width > 480 ? 960 : 480} refresh={inSight && (!carried || playback?.phase.value.phase === 'unsupported')} />
          <Away entry={entry} playback={playback} />
        </div>
        <Caption entry={entry} />
      </a>
    </li>
  );
}

function Caption({ entry }: { entry: CameraEntry }): JSX.Element {
  const { tone, title } = useDescription(entry);
  return (
    <div class="tile-caption">
      <Dot tone={tone} />
      <span class="tile-name">{entry.view.name}</span>{' '}
      <span class={`tile-state tone-${tone}`}>{title}</span>{' '}
      <FrameAge entry={entry} />
    </div>
  );
}

/** The words over a picture that is not live. */
export function Away({ entry, playback }: { entry: CameraEntry; playback: Playback | null }): JSX.Element | null {
  const description = useDescription(entry);
  const verdict = entry.view.outputs.live.verdict;
  if (description.tone === 'live') {
    if (verdict?.ok === false) return <Label tone="off" title="Still pictures" text={verdict.why} />;
    const phase = playback?.phase.value;
    if (phase?.phase === 'unsupported') return <Label tone="off" title="Still pictures" text={phase.why} />;
    if (phase?.phase === 'waiting') return <Label tone="busy" title="Viewer reconnecting" text={phase.why} />;
    return null;
  }
  return <Label tone={description.tone} title={description.title} text={sentence(description)} />;
}

function Label({ tone, title, text }: { tone: Tone; title: string; text: string | null }): JSX.Element {
  return (
    <p class="away">
      <Dot tone={tone} />
      <span class="away-words"><strong>{title}</strong>{' '}{text !== null && <span>{text}</span>}</span>
    </p>
  );
}

/** What lies under the picture until there is one. */
export function NoPicture({ entry }: { entry: CameraEntry }): JSX.Element {
  const live = entry.view.state === 'streaming' || entry.view.state === 'connecting';
  return <div class={live ? 'no-picture no-picture-loading' : 'no-picture'}>{!live && <CameraOffIcon />}</div>;
}

/** Plays while `wanted`. */
export function usePlayback(id: string, wanted: boolean): Playback | null {
  const { playbacks } = useApp();
  const [playback, setPlayback] = useState<Playback | null>(null);
  useEffect(() => {
    if (!wanted) return undefined;
    const acquired = playbacks.acquire(id);
    setPlayback(acquired.playback);
    return () => {
      setPlayback(null);
      acquired.release();
    };
  }, [id, wanted]);
  return playback;
}

function useInSight(): { ref: { current: HTMLLIElement | null }; inSight: boolean } {
  const ref = useRef<HTMLLIElement>(null);
  const [inSight, setInSight] = useState(false);
  useEffect(() => {
    if (!ref.current) return undefined;
    const observer = new IntersectionObserver((entries) => setInSight(entries.at(-1)?.isIntersecting ?? false), { rootMargin: sightMargin });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [ref.current === null]);
  return { ref, inSight };
}
