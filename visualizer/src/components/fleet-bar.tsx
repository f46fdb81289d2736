/** Above the list: which states it shows, and what shall happen to all cameras that are selected. */
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Verb } from '../adapter.ts';
import { useApp } from '../app.ts';
import type { Tone } from '../models/describe.ts';
import { PlayIcon, RestartIcon, RetryIcon, StopIcon } from './icons.tsx';
import { Dot } from './state.tsx';

const tones: [Tone, string][] = [['live', 'Live'], ['busy', 'Connecting'], ['warn', 'Reconnecting'], ['bad', 'Quarantined'], ['off', 'Off']];
const verbs: [Verb, string, () => JSX.Element][] = [['start', 'Start', PlayIcon], ['stop', 'Stop', StopIcon], ['restart', 'Restart', RestartIcon], ['retry', 'Retry', RetryIcon]];

/** `shown`: the ids of the list as it is filtered now; only those among the selected are meant. */
export function FleetBar({ tone, chosen, shown }: { tone: Signal<Tone | null>; chosen: Signal<ReadonlySet<string>>; shown: string[] }): JSX.Element {
  const { commandAll, fleet } = useApp();
  const counts = fleet.counts.value;
  const meant = shown.filter((id) => chosen.value.has(id));
  const filter = (of: Tone | null, label: JSX.Element): JSX.Element => <button key={of ?? 'all'} type="button" class="choice-chip" aria-pressed={tone.value === of} onClick={() => { tone.value = of; }}>{label}</button>;
  return (
    <div class="fleet-bar">
      <div class="chips" role="group" aria-label="States shown">
        {filter(null, <>All <b>{fleet.ids.value?.length ?? 0}</b></>)}
        {tones.map(([of, word]) => filter(of, <><span class={`tone-${of}`}><Dot tone={of} /></span>{word} <b>{counts[of]}</b></>))}
      </div>
      <div class="bulk" role="group" aria-label="Commands for the selected cameras">
        <span class="bulk-count" role="status">{meant.length === 0 ? 'None selected' : `${meant.length} selected`}</span>
        {verbs.map(([verb, label, Icon]) => (
          <button key={verb} type="button" class="button button-small" disabled={meant.length === 0} aria-label={`${label} selected`} onClick={() => void commandAll(meant, verb)}><Icon /><span class="wide-only">{label}</span></button>
        ))}
      </div>
    </div>
  );
}
