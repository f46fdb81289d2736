/** The tree of actors with their states: folded below the second level until somebody opens it. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ActorView } from '../../../src/api/protocol.ts';
import { href } from '../models/route.ts';
import { valueText } from './model.ts';

type Row = { actor: ActorView; depth: number; children: number; open: boolean };

/** One event is being handled, and a few wait behind it: that is ordinary. */
const manyWaiting = 1;
/** Actors shown at most; more are found by the filter. */
const maxRows = 400;

export function ActorTree({ actors, selected }: { actors: Map<string, ActorView>; selected: string | null }): JSX.Element {
  const filter = useSignal('');
  const toggled = useSignal<ReadonlySet<string>>(new Set());
  const needle = filter.value.trim().toLowerCase();
  const rows = needle === '' ? folded(actors, selected, toggled.value) : found(actors, needle);
  const toggle = (id: string): void => {
    const next = new Set(toggled.value);
    if (!next.delete(id)) next.add(id);
    toggled.value = next;
  };
  return (
    <nav class="actors" aria-label="Actors">
      <header class="pane-head">
        <h2>Actors</h2><span class="muted">{actors.size}</span>
        <input class="filter" type="search" placeholder="Filter" aria-label="Filter actors" value={filter.value} onInput={(event) => { filter.value = event.currentTarget.value; }} />
      </header>
      <ul class="actor-list">
        {rows.slice(0, maxRows).map((row) => <ActorRow key={row.actor.id} row={row} current={row.actor.id === selected} whole={needle !== ''} onToggle={toggle} />)}
        {rows.length > maxRows && <li class="muted pane-note">{rows.length - maxRows} more: filter to find them.</li>}
        {rows.length === 0 && <li class="muted pane-note">No actor matches.</li>}
      </ul>
    </nav>
  );
}

function ActorRow({ row: { actor, depth, children, open }, current, whole, onToggle }: { row: Row; current: boolean; whole: boolean; onToggle: (id: string) => void }): JSX.Element {
  const name = whole ? actor.id.split('/').slice(1).join(' / ') || actor.id : actor.id.split('/').at(-1);
  const state = actor.status === 'active' ? valueText(actor.value) : actor.status;
  return (
    <li class="actor" style={{ '--depth': String(depth) }}>
      {children > 0
        ? <button type="button" class="fold" aria-expanded={open} aria-label={`Children of ${name}`} onClick={() => onToggle(actor.id)}><svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><path d="M3 1.5 7 5 3 8.5" fill="none" stroke="currentColor" stroke-width="1.6" /></svg></button>
        : <span class="fold" />}
      <a class="actor-link" href={href({ view: 'inspect', actor: actor.id })} aria-current={current ? 'true' : undefined} title={`${actor.id}${state === '' ? '' : ` — ${state}`}`}>
        <span class={actor.machine === null ? 'actor-mark actor-plain' : `actor-mark actor-${actor.status}`} aria-hidden="true" />
        <span class="actor-name">{name}</span>
        {actor.mailbox !== undefined && actor.mailbox > manyWaiting && <span class="actor-waits" title={`${actor.mailbox} events waited in its mailbox at once`}>✉ {actor.mailbox}</span>}
        <span class="actor-state">{state}</span>
      </a>
    </li>
  );
}

/** Depth first; two levels are open, and the way to the selected one. */
function folded(actors: Map<string, ActorView>, selected: string | null, toggled: ReadonlySet<string>): Row[] {
  const below = new Map<string | null, ActorView[]>();
  for (const actor of actors.values()) below.set(actor.parent, [...(below.get(actor.parent) ?? []), actor]);
  const rows: Row[] = [];
  const visit = (actor: ActorView, depth: number): void => {
    const children = below.get(actor.id) ?? [];
    const byItself = depth < 1 || selected === actor.id || selected?.startsWith(`${actor.id}/`) === true;
    const open = toggled.has(actor.id) !== byItself;
    rows.push({ actor, depth, children: children.length, open });
    if (open) children.sort((a, b) => a.id.localeCompare(b.id)).forEach((child) => visit(child, depth + 1));
  };
  below.get(null)?.forEach((root) => visit(root, 0));
  return rows;
}

function found(actors: Map<string, ActorView>, needle: string): Row[] {
  return [...actors.values()].filter((actor) => `${actor.id} ${valueText(actor.value)}`.toLowerCase().includes(needle)).sort((a, b) => a.id.localeCompare(b.id)).map((actor) => ({ actor, depth: 0, children: 0, open: false }));
}
