/** The last journal rows of a camera: what happened, why, and what was decided. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { EventView } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import type { Journal } from '../models/journal.ts';
import { reasonWords } from '../models/describe.ts';
import { moment } from './state.tsx';

export function JournalList({ id }: { id: string }): JSX.Element {
  const { journal } = useApp();
  const [followed, setFollowed] = useState<ReturnType<Journal['follow']> | null>(null);
  useEffect(() => {
    const following = journal.follow(id);
    setFollowed(following);
    return following.stop;
  }, [id]);
  const state = followed?.rows.value ?? { status: 'loading' as const };
  return (
    <section class="panel" aria-labelledby="journal">
      <h2 id="journal">Journal</h2>
      {state.status === 'loading' && <p class="muted">Loading …</p>}
      {state.status === 'failed' && <p class="field-error">{state.message}</p>}
      {state.status === 'ready' && state.events.length === 0 && <p class="muted">Nothing has happened yet.</p>}
      {state.status === 'ready' && <ol class="journal" tabIndex={0} aria-label="Events, newest first">{state.events.map((event) => <Row key={event.seq} event={event} />)}</ol>}
    </section>
  );
}

function Row({ event }: { event: EventView }): JSX.Element {
  const change = event.to === null ? event.type : [event.from, event.to].filter((state) => state !== null).join(' → ');
  return (
    <li class="journal-row">
      <time dateTime={event.at} title={moment(event.at)}>{new Date(event.at).toLocaleTimeString()}</time>
      <div>
        <p class="journal-change">{change}{event.class !== null && <span class="chip" title={reasonWords[event.class]}>{event.class}</span>}</p>
        <p class="muted">{event.message}</p>
      </div>
    </li>
  );
}
