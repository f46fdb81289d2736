/** Keys that work everywhere. Typing in a field and open dialogs keep theirs. */
import type { App } from '../app.ts';
import { nextTheme } from './topbar.tsx';

/** Listens until the returned function is called. */
export function handleKeys(app: App): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || app.dialog.peek() !== null || isField(event.target)) return;
    if (app.session.state.peek().status !== 'ready') return;
    if (event.key.length === 1 && app.preferences.shortcuts.peek() === 'off') return;
    const action = actionOf(event.key, app);
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}

function actionOf(key: string, app: App): (() => void) | undefined {
  const { router, dialog, preferences } = app;
  const { view } = router.route.peek();
  const single = view === 'camera';
  const click = (selector: string): (() => void) => () => document.querySelector<HTMLElement>(selector)?.click();
  switch (key) {
    case '/': return single || view === 'inspect' || view === 'recordings' ? undefined : () => document.getElementById('search')?.focus();
    case '?': return () => { dialog.value = { kind: 'keys' }; };
    case 'a': return () => { dialog.value = { kind: 'add' }; };
    case 'c': return () => router.go({ view: 'cameras' });
    case 'w': return () => router.go({ view: 'wall' });
    case 'i': return () => router.go({ view: 'inspect', actor: null });
    case 'r': return () => router.go({ view: 'recordings', camera: null });
    case 't': return () => { preferences.theme.value = nextTheme(preferences.theme.peek()); };
    case 'f': return single || view === 'wall' ? click('[data-action="fullscreen"]') : undefined;
    case 'm': return single ? click('[data-action="sound"]') : view === 'wall' ? () => document.activeElement?.closest('.tile-slot')?.querySelector<HTMLElement>('[data-action="sound"]')?.click() : undefined;
    case 'ArrowLeft': return single ? click('[data-neighbour="Previous camera"]') : undefined;
    case 'ArrowRight': return single ? click('[data-neighbour="Next camera"]') : undefined;
    case 'Escape': return router.route.peek().view === 'wall' ? undefined : () => router.go({ view: 'wall' });
    default: return undefined;
  }
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
