/** What was recorded of a camera: a day as a line, the film at any moment of it, and files of any span. */
import './recordings.css';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useApp } from '../app.ts';
import { BackIcon, NextIcon } from '../components/icons.tsx';
import { UnknownCamera } from '../components/placeholders.tsx';
import { duration } from '../models/describe.ts';
import { dateText, moment, timeText } from '../models/times.ts';
import { dayOf, momentOf, playableAt, type Span } from './day.ts';
import { Exports } from './exports.tsx';
import { createRecordings, type RecordingsModel } from './model.ts';
import { createPlayer, type RecordedPlayer } from './player.ts';
import { gapText, Timeline } from './timeline.tsx';

export function RecordingsView({ camera, day }: { camera: string | null; day: string | null }): JSX.Element {
  const { fleet, router } = useApp();
  const ids = fleet.ids.value;
  const known = camera !== null && ids?.includes(camera);
  return (
    <main class="recordings" id="main">
      <header class="recordings-head">
        <h1>Recordings</h1>
        {ids !== null && ids.length > 0 && (
          <label class="select"><span class="hidden">Camera</span>
            <select value={known ? camera : ''} onChange={(event) => router.go({ view: 'recordings', camera: event.currentTarget.value, ...(day === null ? {} : { day }) })}>
              {!known && <option value="" disabled>Choose a camera</option>}
              {ids.map((id) => <option key={id} value={id}>{fleet.camera(id).value?.view.name ?? id}</option>)}
            </select>
          </label>
        )}
      </header>
      {ids !== null && (known ? <Camera key={camera} id={camera} day={day} /> : <Nobody id={camera} ids={ids} />)}
    </main>
  );
}

function Nobody({ id, ids }: { id: string | null; ids: readonly string[] }): JSX.Element {
  if (id !== null) return <UnknownCamera id={id} />;
  return <p class="recordings-empty muted">{ids.length === 0 ? 'There are no cameras yet.' : 'Choose a camera to see what was recorded of it.'}</p>;
}

function Camera({ id, day }: { id: string; day: string | null }): JSX.Element {
  const { adapter, clock, router } = useApp();
  const model = useMemo(() => createRecordings(adapter, clock, { camera: id, at: momentIn(day) ?? clock.serverNow() }), [adapter, clock, id]);
  // The address has the day, so that the way back from elsewhere leads to it.
  const show = (at: number): void => {
    model.show(at);
    router.replace({ view: 'recordings', camera: id, ...(dayOf(at).from === dayOf(clock.serverNow()).from ? {} : { day: dateText(at) }) });
  };
  useEffect(() => {
    const at = momentIn(day) ?? clock.serverNow();
    if (dayOf(at).from !== model.day.peek().from) model.show(at);
  }, [model, day]);
  const video = useRef<HTMLVideoElement>(null);
  const player = useSignal<RecordedPlayer | null>(null);
  const chosen = useSignal<Span | null>(null);
  useEffect(() => {
    const made = createPlayer({ video: video.current!, camera: id, door: adapter.recordings, following: (at) => {
      const next = playableAt(model.spans.peek() ?? [], at);
      return next && next.from >= at ? { from: next.from, to: model.day.peek().to } : null;
    } });
    player.value = made;
    return () => {
      made.dispose();
      model.dispose();
    };
  }, [model]);
  const spans = model.spans.value;
  const at = player.value?.at.value ?? null;
  const play = (wanted: number): void => {
    const target = playableAt(spans ?? [], wanted);
    if (!target) return;
    const span = spans!.find(({ to }) => to === target.to)!;
    if (chosen.value?.from !== span.from) chosen.value = span;
    player.value?.play(target.from, model.day.peek().to);
  };
  return (
    <div class="recordings-body">
      <div class="recordings-film">
        <Film player={player.value} at={at}><video ref={video} controls muted playsInline aria-label="Recording" /></Film>
        <DayChoice model={model} onShow={show} />
        {spans !== null && <Timeline key={model.day.value.from} camera={id} day={model.day.value} spans={spans} gaps={model.gaps.value} failures={model.failures.value} now={clock.serverNow()} at={at} onPlay={play} />}
      </div>
      <aside class="recordings-side" aria-label="Spans and files">
        <Spans model={model} at={at} onPlay={play} />
        <Exports model={model} chosen={chosen.value ?? spans?.at(-1) ?? null} />
      </aside>
    </div>
  );
}

function Film({ player, at, children }: { player: RecordedPlayer | null; at: number | null; children: JSX.Element }): JSX.Element {
  const problem = player?.problem.value ?? null;
  const status = player?.status.value ?? 'empty';
  return (
    <section class="film" aria-label="Film" data-status={status}>
      {children}
      {problem !== null && <p class="film-word" role="alert">{problem}</p>}
      {problem === null && status === 'empty' && <p class="film-word">Choose a moment on the line below.</p>}
      {problem === null && status === 'loading' && <p class="film-word" role="status">Loading …</p>}
      <p class="film-time">{at === null ? '–' : <time dateTime={new Date(at).toISOString()} title={moment(new Date(at).toISOString())}>{new Date(at).toLocaleDateString()} {timeText(at)}</time>}{status === 'ended' && <span class="muted"> · end of the recording</span>}</p>
    </section>
  );
}

/** A moment of the day that the address names; null where it names none. */
const momentIn = (day: string | null): number | null => (day === null ? null : momentOf(day, '00:00:00'));

function DayChoice({ model, onShow }: { model: RecordingsModel; onShow: (at: number) => void }): JSX.Element {
  const { clock } = useApp();
  const { from, to } = model.day.value;
  const today = dayOf(clock.serverNow());
  return (
    <div class="day-choice">
      <button type="button" class="icon-button" aria-label="Day before" title="Day before" onClick={() => onShow(from - 1)}><BackIcon /></button>
      <label><span class="hidden">Day</span><input type="date" value={dateText(from)} max={dateText(today.from)} onChange={(event) => {
        const wanted = momentOf(event.currentTarget.value, '00:00:00');
        if (wanted !== null) onShow(wanted);
      }} /></label>
      <button type="button" class="icon-button" aria-label="Day after" title="Day after" disabled={to > today.from} onClick={() => onShow(to)}><NextIcon /></button>
      <button type="button" class="button button-small" disabled={from === today.from} onClick={() => onShow(today.from)}>Today</button>
    </div>
  );
}

/** The same as the line, in words. */
function Spans({ model, at, onPlay }: { model: RecordingsModel; at: number | null; onPlay: (at: number) => void }): JSX.Element {
  const spans = model.spans.value;
  const rows = [...(spans ?? []).map((span) => ({ span, gap: null })), ...model.gaps.value.map((gap) => ({ span: gap, gap }))].sort((a, b) => a.span.from - b.span.from);
  return (
    <section class="panel" aria-labelledby="spans" aria-busy={spans === null && model.problem.value === null}>
      <h2 id="spans">Recorded</h2>
      {model.problem.value !== null && <p class="field-error" role="alert">{model.problem.value} <button type="button" class="link" onClick={model.retry}>Try again</button></p>}
      {spans === null && model.problem.value === null && <p class="muted">Asking Lookout …</p>}
      {spans?.length === 0 && <p class="muted">Nothing was recorded on this day.</p>}
      {!model.all.value && <p class="muted">There are more files than are shown here: these are the latest.</p>}
      <ul class="span-list">
        {rows.map(({ span, gap }) => (gap
          ? <li key={`gap ${gap.from}`} class="span-gap">{gapText(gap)}</li>
          : <li key={span.from}><button type="button" class="span-button" aria-current={at !== null && at >= span.from && at < span.to} title={`${moment(new Date(span.from).toISOString())} – ${moment(new Date(span.to).toISOString())}`} onClick={() => onPlay(span.from)}><b class="numeric">{timeText(span.from)} – {timeText(span.to)}</b><span class="muted">{duration(span.to - span.from)}</span></button></li>))}
      </ul>
    </section>
  );
}
