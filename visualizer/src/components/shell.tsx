/** The page: session first, then bar, banners and the view of the route. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApp } from '../app.ts';
import { ConnectionBanner, DemoBanner, NoticeList } from './banners.tsx';
import { Cameras } from './cameras.tsx';
import { Dialogs } from './dialogs.tsx';
import { handleKeys } from './keyboard.ts';
import { Inspector, Recordings } from './lazy.tsx';
import { Login } from './login.tsx';
import { Starting } from './placeholders.tsx';
import { Single } from './single.tsx';
import { Topbar } from './topbar.tsx';
import { Wall } from './wall.tsx';

export function Shell(): JSX.Element {
  const app = useApp();
  const state = app.session.state.value;
  const route = app.router.route.value;
  useEffect(() => handleKeys(app), [app]);
  if (state.status === 'checking' || state.status === 'unreachable') return <Starting problem={state.status === 'unreachable' ? state.message : null} />;
  if (state.status === 'login') return <Login key={state.message} message={state.message} />;
  return (
    <div class={app.session.connection.value.status === 'offline' ? 'shell shell-offline' : 'shell'}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.querySelector<HTMLElement>('a, button, [tabindex="0"]')?.focus(); }}>Skip to the cameras</a>
      <Topbar />
      <ConnectionBanner />
      <DemoBanner />
      {route.view === 'wall' && <Wall />}
      {route.view === 'cameras' && <Cameras />}
      {route.view === 'camera' && <Single id={route.id} event={route.event ?? null} />}
      {route.view === 'recordings' && <Recordings camera={route.camera} day={route.day ?? null} />}
      {route.view === 'inspect' && <Inspector actor={route.actor} />}
      <NoticeList />
      <Dialogs />
    </div>
  );
}
