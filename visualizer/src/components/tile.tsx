/** One camera on the wall: picture, name, state, age, and in words why it is not live. */
import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import type { Playback } from '../models/playbacks.ts';
import { sentence, subSentence, type Tone } from '../models/describe.ts';
import { href } from '../models/route.ts';
import { wayWord } from '../models/ways.ts';
import { CameraOffIcon } from './icons.tsx';
import { Picture } from './picture.tsx';
import { useInSight, type Sight } from './sight.ts';
import { TileSound } from './sound.tsx';
import { Dot, FrameAge, useDescription } from './state.tsx';
import { useShown, type Shown } from './way.ts';

/** Tiles just outside of the screen already play, so that scrolling shows pictures and not their loading. */
export const tileMargin = '120px';

export function Tile({ id, sight, focused, width, onFocus }: { id: string; sight: Sight; focused: boolean; width: number; onFocus: (id: string) => void }): JSX.Element {
  const { fleet } = useApp();
  const { ref, inSight } = useInSight<HTMLLIElement>(sight);
  const link = useRef<HTMLAnchorElement>(null);
  const heard = useSignal<Playback | null>(null);
  return (
    <li class="tile-slot" ref={ref} draggable>
      <a class="tile" ref={link} draggable={false} href={href({ view: 'camera', id })} tabIndex={focused ? 0 : -1} data-tile={id} onFocus={() => onFocus(id)}>
        {inSight ? <Content id={id} width={width} link={link} heard={heard} /> : <><div class="tile-picture" /><div class="tile-caption"><span class="tile-name">{fleet.camera(id).peek()?.view.name}</span></div></>}
      </a>
      {/* Beside the link: a link may hold no button. */}
      {inSight && <Sound id={id} heard={heard} focused={focused} />}
    </li>
  );
}

/** What a tile in sight shows. Out of sight it hears of nothing. */
function Content({ id, width, link, heard }: { id: string; width: number; link: { current: HTMLElement | null }; heard: Signal<Playback | null> }): JSX.Element | null {
  const { fleet } = useApp();
  const entry = fleet.camera(id).value;
  const state = entry?.view.state;
  const shown = useShown(id, entry, 'sub');
  const live = shown.choice.way === 'webrtc' ? shown.playback : null;
  useLayoutEffect(() => {
    heard.value = live;
    return () => { heard.value = null; };
  }, [live]);
  useEffect(() => {
    const element = link.current;
    if (state !== undefined) element?.setAttribute('data-state', state);
    return () => element?.removeAttribute('data-state');
  }, [state]);
  if (!entry) return null;
  return (
    <>
      <div class="tile-picture">
        <NoPicture entry={entry} />
        <Picture id={id} shown={shown} stillWidth={width > 480 ? 960 : 480} />
        <Away entry={entry} shown={shown} />
      </div>
      <Caption entry={entry} playback={shown.playback} />
    </>
  );
}

function Sound({ id, heard, focused }: { id: string; heard: Signal<Playback | null>; focused: boolean }): JSX.Element | null {
  const { fleet } = useApp();
  const view = fleet.camera(id).value?.view;
  return view ? <TileSound camera={view} playback={heard.value} focused={focused} /> : null;
}

function Caption({ entry, playback }: { entry: CameraEntry; playback: Playback | null }): JSX.Element {
  const { tone, title } = useDescription(entry);
  return (
    <div class="tile-caption">
      <Dot tone={tone} />
      <span class="tile-name">{entry.view.name}</span>{' '}
      <span class={`tile-state tone-${tone}`}>{title}<Instead entry={entry} playback={playback} /></span>{' '}
      <FrameAge entry={entry} />
    </div>
  );
}

/** Says that the first stream plays where the second one should. */
function Instead({ entry: { view }, playback }: { entry: CameraEntry; playback: Playback | null }): JSX.Element | null {
  const { clock } = useApp();
  if (!playback?.fellBack.value || playback.shows.value !== 'main') return null;
  return <span class="tone-warn" data-stream="main" title={subSentence(view, clock.serverNow()) ?? 'The sub stream has no picture yet.'}> · main stream</span>;
}

/** The words over a picture that is not live. */
export function Away({ entry, shown: { playback, choice } }: { entry: CameraEntry; shown: Shown }): JSX.Element | null {
  const description = useDescription(entry);
  const { transcode } = entry.view.outputs;
  if (description.tone === 'live') {
    if (choice.way !== 'webrtc') return <Label tone="off" title={wayWord(choice, entry.view)} text={choice.why} />;
    if (transcode?.state === 'backoff') return <Label tone="warn" title="Transcode failed" text={transcode.lastError?.message ?? null} />;
    const phase = playback?.phase.value;
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
