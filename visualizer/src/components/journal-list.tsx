/** Journal rows of a camera, the latest or those around one of them: what happened, why, and what was decided. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventView } from '../../../src/api/protocol.ts';
import { messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import type { Journal, JournalState } from '../models/journal.ts';
import { reasonWords } from '../models/describe.ts';
import { href } from '../models/route.ts';
import { moment, timeText } from '../models/times.ts';

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
      <Rows state={state} chosen={null} />
    </section>
  );
}

/** The row of this number, in sight and focused, among its neighbours. */
export function JournalAround({ id, seq }: { id: string; seq: number }): JSX.Element {
  const { journal } = useApp();
  const [state, setState] = useState<JournalState>({ status: 'loading' });
  useEffect(() => {
    let wanted = true;
    setState({ status: 'loading' });
    void journal.around(id, seq).then(
      (events): JournalState => (events ? { status: 'ready', events } : { status: 'failed', message: 'The journal does not have this row any more.' }),
      (error: unknown): JournalState => ({ status: 'failed', message: messageOf(error) }),
    ).then((found) => { if (wanted) setState(found); });
    return () => { wanted = false; };
  }, [id, seq]);
  const day = state.status === 'ready' && state.events.find((event) => event.seq === seq)?.at;
  return (
    <section class="panel" aria-labelledby="journal">
      <div class="journal-head">
        <h2 id="journal">Journal{day && ` of ${new Date(day).toLocaleDateString()}`}</h2>
        <a class="link" href={href({ view: 'camera', id })}>Latest rows</a>
      </div>
      <Rows state={state} chosen={seq} />
    </section>
  );
}

function Rows({ state, chosen }: { state: JournalState; chosen: number | null }): JSX.Element {
  if (state.status === 'loading') return <p class="muted">Loading …</p>;
  if (state.status === 'failed') return <p class="field-error">{state.message}</p>;
  if (state.events.length === 0) return <p class="muted">Nothing has happened yet.</p>;
  return <ol class="journal" tabIndex={0} aria-label="Events, newest first">{state.events.map((event) => <Row key={event.seq} event={event} chosen={event.seq === chosen} />)}</ol>;
}

function Row({ event, chosen }: { event: EventView; chosen: boolean }): JSX.Element {
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!chosen) return;
    row.current?.focus({ preventScroll: true });
    row.current?.scrollIntoView({ block: 'center' });
  }, [chosen]);
  const change = event.to === null ? event.type : [event.from, event.to].filter((state) => state !== null).join(' → ');
  return (
    <li class="journal-row" ref={row} data-seq={event.seq} {...(chosen && { tabIndex: -1, 'aria-current': 'true' as const })}>
      <time dateTime={event.at} title={moment(event.at)}>{timeText(event.at)}</time>
      <div>
        <p class="journal-change">{change}{event.class !== null && <span class="chip" title={reasonWords[event.class]}>{event.class}</span>}</p>
        <p class="muted">{event.message}</p>
      </div>
    </li>
  );
}
