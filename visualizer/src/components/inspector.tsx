/** The inspector's place in the page: its code, the layout engine and its style are fetched when somebody looks. */
import type { FunctionComponent, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../adapter.ts';
import { CannotLoad } from './placeholders.tsx';

type View = FunctionComponent<{ actor: string | null }>;
let loaded: View | undefined;

export function Inspector({ actor }: { actor: string | null }): JSX.Element {
  const [view, setView] = useState<{ View: View | undefined; problem: string | null }>({ View: loaded, problem: null });
  useEffect(() => {
    if (loaded) return;
    import('../inspect/view.tsx').then(({ InspectView }) => {
      loaded = InspectView;
      setView({ View: loaded, problem: null });
    }, (error: unknown) => setView({ View: undefined, problem: messageOf(error) }));
  }, []);
  if (view.View) return <view.View actor={actor} />;
  return <main class="inspect-waiting" id="main"><h1 class="hidden">Inspector</h1>{view.problem !== null && <CannotLoad what="The inspector" problem={view.problem} />}</main>;
}
