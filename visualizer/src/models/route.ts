/** Where the page is: the fragment of the address, so that links work behind any server and every view can be bookmarked. */
import { signal, type ReadonlySignal } from '@preact/signals';

export type Route = { view: 'wall' } | { view: 'cameras' } | { view: 'camera'; id: string } | { view: 'recordings'; camera: string | null } | { view: 'inspect'; actor: string | null };

export type Router = { route: ReadonlySignal<Route>; go: (route: Route) => void; dispose: () => void };

/** The address of a view. */
export function href(route: Route): string {
  if (route.view === 'camera') return `#/camera/${encodeURIComponent(route.id)}`;
  if (route.view === 'inspect') return route.actor === null ? '#/inspect' : `#/inspect/${encodeURIComponent(route.actor)}`;
  if (route.view === 'recordings') return route.camera === null ? '#/recordings' : `#/recordings/${encodeURIComponent(route.camera)}`;
  return route.view === 'cameras' ? '#/cameras' : '#/';
}

/** Follows the address bar. */
export function createRouter(): Router {
  const route = signal(parse(location.hash));
  const changed = (): void => {
    route.value = parse(location.hash);
  };
  addEventListener('hashchange', changed);
  return {
    route,
    go: (to) => {
      location.hash = href(to);
    },
    dispose: () => removeEventListener('hashchange', changed),
  };
}

function parse(hash: string): Route {
  const [, view, id] = hash.split('/');
  if (view === 'camera' && id) return { view: 'camera', id: decode(id) };
  if (view === 'inspect') return { view: 'inspect', actor: id ? decode(id) : null };
  if (view === 'recordings') return { view: 'recordings', camera: id ? decode(id) : null };
  return view === 'cameras' ? { view: 'cameras' } : { view: 'wall' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
