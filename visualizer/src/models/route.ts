/** Where the page is: the fragment of the address, so that links work behind any server and every view can be bookmarked. */
import { signal, type ReadonlySignal } from '@preact/signals';

/** `event`: the number of the journal row that is meant; `day`: as `2026-11-28`, without it today. */
export type Route = { view: 'wall' } | { view: 'cameras' } | { view: 'camera'; id: string; event?: number } | { view: 'recordings'; camera: string | null; day?: string } | { view: 'inspect'; actor: string | null };

export type Router = {
  route: ReadonlySignal<Route>;
  go: (route: Route) => void;
  /** The same without a step of its own in the browser's history. */
  replace: (route: Route) => void;
  dispose: () => void;
};

/** The address of a view. */
export function href(route: Route): string {
  if (route.view === 'camera') return `#/camera/${encodeURIComponent(route.id)}${route.event === undefined ? '' : `/event/${route.event}`}`;
  if (route.view === 'inspect') return route.actor === null ? '#/inspect' : `#/inspect/${encodeURIComponent(route.actor)}`;
  if (route.view === 'recordings') return route.camera === null ? '#/recordings' : `#/recordings/${encodeURIComponent(route.camera)}${route.day === undefined ? '' : `/${route.day}`}`;
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
    replace: (to) => {
      history.replaceState(null, '', href(to));
      changed();
    },
    dispose: () => removeEventListener('hashchange', changed),
  };
}

function parse(hash: string): Route {
  const [, view, id, part, number] = hash.split('/');
  if (view === 'camera' && id) return { view: 'camera', id: decode(id), ...(part === 'event' && /^[1-9]\d*$/u.test(number ?? '') ? { event: Number(number) } : {}) };
  if (view === 'inspect') return { view: 'inspect', actor: id ? decode(id) : null };
  if (view === 'recordings') return { view: 'recordings', camera: id ? decode(id) : null, ...(/^\d{4}-\d\d-\d\d$/u.test(part ?? '') ? { day: part! } : {}) };
  return view === 'cameras' ? { view: 'cameras' } : { view: 'wall' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
