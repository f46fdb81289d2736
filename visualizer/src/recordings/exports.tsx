/** Makes a file of a span: chosen by its times, with progress, a link to the file, and what went wrong. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ExportView } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import { CloseIcon, DownloadIcon, RemoveIcon } from '../components/icons.tsx';
import { dateText, moment, timeText } from '../models/times.ts';
import { momentOf, type Span } from './day.ts';
import type { RecordingsModel } from './model.ts';

/** The most that one file may hold, as the server has it. */
const mostMs = 6 * 3_600_000;

export function Exports({ model, chosen }: { model: RecordingsModel; chosen: Span | null }): JSX.Element {
  const { session } = useApp();
  const state = session.state.value;
  const may = state.status === 'ready' && state.session.role !== 'viewer';
  return (
    <section class="panel exports" aria-labelledby="exports">
      <h2 id="exports">Export</h2>
      {may ? <ExportForm model={model} chosen={chosen} /> : <p class="muted">Operators can make files here.</p>}
      {model.exportProblem.value !== null && <p class="field-error" role="alert">{model.exportProblem.value}</p>}
      <ul class="export-list" aria-label="Exports">{model.exports.value.map((one) => <Export key={one.id} view={one} model={model} may={may} />)}</ul>
    </section>
  );
}

function ExportForm({ model, chosen }: { model: RecordingsModel; chosen: Span | null }): JSX.Element {
  const from = useSignal('');
  const to = useSignal('');
  const format = useSignal<'mp4' | 'mkv'>('mp4');
  const busy = useSignal(false);
  const { day } = model;
  useEffect(() => {
    if (!chosen) return;
    from.value = timeText(chosen.from);
    // Up to the second that holds the end, and never past midnight.
    to.value = timeText(Math.min(chosen.to + 999, chosen.from + mostMs, day.peek().to - 1));
  }, [chosen?.from, chosen?.to]);
  const date = dateText(day.value.from);
  const span = { from: momentOf(date, from.value), to: momentOf(date, to.value) };
  const valid = span.from !== null && span.to !== null && span.from < span.to;
  const submit = async (): Promise<void> => {
    if (span.from === null || span.to === null || busy.value) return;
    busy.value = true;
    await model.export({ from: span.from, to: span.to }, format.value);
    busy.value = false;
  };
  return (
    <form class="export-form" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      {([['From', from, span.from], ['To', to, span.to]] as const).map(([label, field, at]) => (
        <label key={label} title={at === null ? undefined : moment(new Date(at).toISOString())}>{label}<input type="time" step={1} required value={field.value} onInput={(event) => { field.value = event.currentTarget.value; }} /></label>
      ))}
      <label>Format<select value={format.value} onChange={(event) => { format.value = event.currentTarget.value === 'mkv' ? 'mkv' : 'mp4'; }}><option value="mp4">MP4</option><option value="mkv">Matroska</option></select></label>
      <button type="submit" class="button button-primary" disabled={!valid || busy.value}>Export</button>
    </form>
  );
}

function Export({ view, model, may }: { view: ExportView; model: RecordingsModel; may: boolean }): JSX.Element {
  const { adapter } = useApp();
  const { id, format, state, progress, error, bytes, from, to, sound } = view;
  const isMaking = state === 'waiting' || state === 'running';
  const verb = isMaking ? 'Cancel' : 'Remove';
  const name = `${timeText(Date.parse(from))} – ${timeText(Date.parse(to))}`;
  return (
    <li class="export" data-export={state}>
      <span class="numeric" title={`${moment(from)} – ${moment(to)}`}>{dateText(Date.parse(from))} {name}</span>
      {isMaking && <><progress value={progress} max={1} aria-label={`Export of ${name}`} /><span class="muted numeric export-percent">{state === 'waiting' ? 'waits' : `${Math.floor(progress * 100)} %`}</span></>}
      {state === 'failed' && <span class="field-error">{error?.message ?? 'It failed.'}</span>}
      {state === 'done' && <a class="link" href={adapter.recordings.exportFile(id)} download={`${id}.${format}`}><DownloadIcon />{format.toUpperCase()}{bytes !== null && `, ${(bytes / 1e6).toFixed(1)} MB`}</a>}
      {state !== 'failed' && sound?.reason && <span class="field-hint" data-export-sound>{sound.reason}</span>}
      {may && <button type="button" class="icon-button danger" aria-label={`${verb} the export of ${name}`} title={verb} onClick={() => void model.removeExport(id)}>{isMaking ? <CloseIcon /> : <RemoveIcon />}</button>}
    </li>
  );
}
