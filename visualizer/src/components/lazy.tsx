/** Views whose code and style are fetched when somebody looks. */
import type { FunctionComponent, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../adapter.ts';
import { CannotLoad } from './placeholders.tsx';

/** `place`: the class it will have; `title` and `what` name it, alone and in "… cannot be loaded"; `part`: it is no view of its own but part of one. */
type Place = { place: string; title: string; what: string; part?: true };

/** A component that fetches another one at its first sight, and is it from then on. */
export function lazily<Props extends object>(load: () => Promise<FunctionComponent<Props>>, { place, title, what, part }: Place): (props: Props) => JSX.Element {
  let loaded: FunctionComponent<Props> | undefined;
  return function Lazy(props: Props): JSX.Element {
    const [view, setView] = useState<{ View: FunctionComponent<Props> | undefined; problem: string | null }>({ View: loaded, problem: null });
    useEffect(() => {
      if (loaded) return;
      load().then((View) => {
        loaded = View;
        setView({ View, problem: null });
      }, (error: unknown) => setView({ View: undefined, problem: messageOf(error) }));
    }, []);
    if (view.View) return <view.View {...props} />;
    const problem = view.problem !== null && <CannotLoad what={what} problem={view.problem} />;
    if (part) return <div class={place}>{problem}</div>;
    return <main class={place} id="main"><h1 class="hidden">{title}</h1>{problem}</main>;
  };
}

/** The inspector, with the layout engine. */
export const Inspector = lazily(() => import('../inspect/view.tsx').then(({ InspectView }) => InspectView), { place: 'inspect-waiting', title: 'Inspector', what: 'The inspector' });

/** The recordings; the player comes when something is played. */
export const Recordings = lazily(() => import('../recordings/view.tsx').then(({ RecordingsView }) => RecordingsView), { place: 'recordings', title: 'Recordings', what: 'The view of recordings' });

const trends = { title: 'Last hour', what: 'The last hour', part: true } as const;

/** The last hour of a camera; uPlot comes with it. */
export const CameraTrends = lazily(() => import('../trends/view.tsx').then((view) => view.CameraTrends), { ...trends, place: 'trends-waiting' });

/** The last hour of the fleet. */
export const FleetTrends = lazily(() => import('../trends/view.tsx').then((view) => view.FleetTrends), { ...trends, place: 'trends-waiting trends-waiting-wide' });
