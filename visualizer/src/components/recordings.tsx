/** The place of the recordings in the page: their code is fetched when somebody looks, the player when something is played. */
import type { FunctionComponent, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../adapter.ts';
import { CannotLoad } from './placeholders.tsx';

type View = FunctionComponent<{ camera: string | null }>;
let loaded: View | undefined;

export function Recordings({ camera }: { camera: string | null }): JSX.Element {
  const [view, setView] = useState<{ View: View | undefined; problem: string | null }>({ View: loaded, problem: null });
  useEffect(() => {
    if (loaded) return;
    import('../recordings/view.tsx').then(({ RecordingsView }) => {
      loaded = RecordingsView;
      setView({ View: loaded, problem: null });
    }, (error: unknown) => setView({ View: undefined, problem: messageOf(error) }));
  }, []);
  if (view.View) return <view.View camera={camera} />;
  return <main class="recordings" id="main"><h1 class="hidden">Recordings</h1>{view.problem !== null && <CannotLoad what="The view of recordings" problem={view.problem} />}</main>;
}
