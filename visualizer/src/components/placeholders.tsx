/** What stands where cameras would be: nothing yet, nothing at all, nothing found, no connection at all. */
import type { ComponentChildren, JSX } from 'preact';
import { useApp } from '../app.ts';
import { CameraIcon, Logo, PlusIcon, SearchIcon, WarnIcon } from './icons.tsx';
import type { WallLayout } from './wall-layout.ts';

/** Tiles without content while the first snapshot is on its way. */
export function WallSkeleton({ layout }: { layout: WallLayout }): JSX.Element {
  return (
    <ul class="wall-grid" style={{ '--columns': String(layout.columns), '--tile': `${layout.tileWidth}px` }} aria-label="Loading cameras" aria-busy="true">
      {[0, 1, 2, 3].map((index) => (
        <li class="tile-slot" key={index}><div class="tile"><div class="tile-picture"><div class="no-picture no-picture-loading" /></div><div class="tile-caption" /></div></li>
      ))}
    </ul>
  );
}

function Message({ icon, title, children }: { icon: ComponentChildren; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="message">
      <div class="message-icon">{icon}</div>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Empty(): JSX.Element {
  const { dialog } = useApp();
  return (
    <Message icon={<CameraIcon />} title="No cameras yet">
      <p>Add the RTSP address of a camera. Lookout tests it first and tells what it found.</p>
      <button type="button" class="button button-primary" onClick={() => { dialog.value = { kind: 'add' }; }}><PlusIcon />Add camera</button>
    </Message>
  );
}

export function NothingFound(): JSX.Element {
  const { search } = useApp();
  return (
    <Message icon={<SearchIcon />} title="No camera matches">
      <p>No name, id or address contains “{search.value.trim()}”.</p>
      <button type="button" class="button" onClick={() => { search.value = ''; }}>Clear search</button>
    </Message>
  );
}

/** The filter by state leaves none. */
export function NothingInState({ onAll }: { onAll: () => void }): JSX.Element {
  return (
    <Message icon={<SearchIcon />} title="No camera is in this state">
      <button type="button" class="button" onClick={onAll}>Show all</button>
    </Message>
  );
}

export function UnknownCamera({ id }: { id: string }): JSX.Element {
  return (
    <Message icon={<WarnIcon />} title="There is no such camera">
      <p>“{id}” is not configured here. It may have been removed.</p>
      <a class="button" href="#/">Back to the wall</a>
    </Message>
  );
}

/** The code of a view did not arrive. */
export function CannotLoad({ what, problem }: { what: string; problem: string }): JSX.Element {
  return <Message icon={<WarnIcon />} title={`${what} cannot be loaded`}><p>{problem}</p></Message>;
}

/** Before anything is known of the session. */
export function Starting({ problem }: { problem: string | null }): JSX.Element {
  return (
    <main class="full" id="main" aria-live="polite">
      <Logo />
      <h1>{problem === null ? 'Opening Lookout …' : 'Lookout cannot be reached'}</h1>
      {problem !== null && <p>{problem} This page tries again by itself.</p>}
    </main>
  );
}
