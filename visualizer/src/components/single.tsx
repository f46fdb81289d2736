/** One camera large, and beside it everything an engineer asks next. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { sentence, unheard } from '../models/describe.ts';
import { href } from '../models/route.ts';
import { moment, timeText } from '../models/times.ts';
import { Commands } from './commands.tsx';
import { BackIcon, ExpandIcon, NextIcon, RecordIcon } from './icons.tsx';
import { JournalAround, JournalList } from './journal-list.tsx';
import { CameraTrends } from './lazy.tsx';
import { Picture } from './picture.tsx';
import { UnknownCamera } from './placeholders.tsx';
import { FrameAge, Since, StateLabel, useDescription } from './state.tsx';
import { SoundButton } from './sound.tsx';
import { StreamFacts, SubFacts, ViewerFacts } from './facts.tsx';
import { Away, NoPicture } from './tile.tsx';
import { useShown, type Shown } from './way.ts';

export function Single({ id, event }: { id: string; event: number | null }): JSX.Element {
  const { fleet } = useApp();
  const entry = fleet.camera(id).value;
  const shown = useShown(id, entry, 'main');
  if (!entry) return <main class="single" id="main">{fleet.ids.value !== null && <UnknownCamera id={id} />}</main>;
  return (
    <main class="single" id="main" data-state={entry.view.state}>
      <Stage entry={entry} shown={shown} />
      <aside class="side" aria-label="Details">
        <Health entry={entry} />
        {event === null ? <JournalList id={id} /> : <JournalAround id={id} seq={event} />}
        <StreamFacts camera={entry.view} />
        {entry.view.sub && <SubFacts camera={entry.view} sub={entry.view.sub} />}
        <ViewerFacts camera={entry.view} choice={shown.choice} />
      </aside>
      <CameraTrends key={id} id={id} />
    </main>
  );
}

function Stage({ entry, shown }: { entry: CameraEntry; shown: Shown }): JSX.Element {
  const { id, name } = entry.view;
  const frame = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [id]);
  return (
    <section class="stage" aria-label="Picture">
      <header class="stage-head">
        <a class="icon-button" href="#/" aria-label="Back to the wall" title="Back to the wall (Esc)"><BackIcon /></a>
        <h1 ref={heading} tabIndex={-1}>{name}</h1>
        <StateLabel entry={entry} />
        <FrameAge entry={entry} />
        <SoundButton key={id} camera={entry.view} playback={shown.choice.way === 'webrtc' ? shown.playback : null} />
        <Neighbours id={id} />
        <a class="icon-button" href={href({ view: 'recordings', camera: id })} aria-label="Recordings of this camera" title="Recordings of this camera"><RecordIcon /></a>
        <button type="button" class="icon-button" aria-label="Full screen" title="Full screen (F)" data-action="fullscreen" onClick={() => void frame.current?.requestFullscreen().catch(() => undefined)}><ExpandIcon /></button>
      </header>
      <div class="stage-picture" ref={frame}>
        <NoPicture entry={entry} />
        <Picture key={id} id={id} shown={shown} stillWidth={1280} />
        <Away entry={entry} shown={shown} />
      </div>
    </section>
  );
}

/** Ways to the cameras before and after, which the arrow keys take too. */
function Neighbours({ id }: { id: string }): JSX.Element {
  const { fleet } = useApp();
  const ids = fleet.ids.value ?? [];
  const index = ids.indexOf(id);
  const link = (to: string | undefined, label: string, Icon: () => JSX.Element): JSX.Element => (to === undefined
    ? <span class="icon-button" aria-disabled="true"><Icon /></span>
    : <a class="icon-button" href={href({ view: 'camera', id: to })} aria-label={label} title={label} data-neighbour={label}><Icon /></a>);
  return <span class="neighbours">{link(ids[index - 1], 'Previous camera', BackIcon)}{link(ids[index + 1], 'Next camera', NextIcon)}</span>;
}

function Health({ entry }: { entry: CameraEntry }): JSX.Element {
  const { view } = entry;
  const description = useDescription(entry);
  return (
    <section class="panel" aria-labelledby="health">
      <h2 id="health">{description.title}{description !== unheard && <> for <Since entry={entry} /></>}</h2>
      <p class="panel-lead">{sentence(description) ?? (view.lastError ? 'No trouble at the moment.' : 'No trouble since the start.')}</p>
      {view.lastError && (
        <p class="last-error">
          <span class="muted">Last error, <time dateTime={view.lastError.at} title={moment(view.lastError.at)}>{timeText(view.lastError.at)}</time></span>
          {view.lastError.message}
          <code>{view.lastError.class} · {view.lastError.code}</code>
        </p>
      )}
      <Commands camera={view} labels />
    </section>
  );
}
