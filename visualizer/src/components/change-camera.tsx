/** Change a camera: filled with what it has; what is not touched stays, above all the address, whose credentials nobody is shown. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { CameraView, RecordWindowView } from '../../../src/api/protocol.ts';
import { ApiError, messageOf, type CameraChange } from '../adapter.ts';
import { useApp } from '../app.ts';
import { fieldErrors, refusedAddress } from '../models/field-errors.ts';
import { Field, urlProblem } from './add-camera.tsx';

type Errors = Partial<Record<'url' | 'sub' | 'name' | 'schedule' | 'form', string>>;

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const office: RecordWindowView = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' };
const transports = [['auto', 'automatic'], ['tcp', 'TCP'], ['udp', 'UDP']] as const;
const hlsModes = [['off', 'off'], ['on-demand', 'while somebody asks'], ['always', 'always']] as const;
const transcodeModes = [['never', 'never'], ['on-demand', 'while somebody watches']] as const;
const recordModes = [['off', 'off'], ['continuous', 'always'], ['scheduled', 'by schedule'], ['manual', 'by hand']] as const;

export function ChangeCamera({ camera }: { camera: CameraView }): JSX.Element {
  const { adapter, dialog, fleet, notices } = useApp();
  const { live, hls, record } = camera.outputs;
  const transcode = useSignal(live.transcode ?? 'never');
  const url = useSignal('');
  const sub = useSignal('');
  const withoutSub = useSignal(false);
  const name = useSignal(camera.name);
  const transport = useSignal(camera.transport);
  const hlsMode = useSignal(hls.mode);
  const recordMode = useSignal(record.mode);
  const schedule = useSignal<RecordWindowView[]>(record.schedule ?? []);
  const errors = useSignal<Errors>({});
  const busy = useSignal(false);

  const change = (): CameraChange => {
    const recorded = { ...(recordMode.value === record.mode ? {} : { mode: recordMode.value }), ...(JSON.stringify(schedule.value) === JSON.stringify(record.schedule ?? []) ? {} : { schedule: schedule.value }) };
    const outputs = { ...(transcode.value === (live.transcode ?? 'never') ? {} : { live: { transcode: transcode.value } }), ...(hlsMode.value === hls.mode ? {} : { hls: { mode: hlsMode.value } }), ...(Object.keys(recorded).length === 0 ? {} : { record: recorded }) };
    return {
      ...(url.value.trim() === '' ? {} : { url: url.value.trim() }),
      ...(withoutSub.value ? { sub: null } : sub.value.trim() === '' ? {} : { sub: { url: sub.value.trim() } }),
      ...(name.value.trim() === camera.name ? {} : { name: name.value.trim() }),
      ...(transport.value === camera.transport ? {} : { transport: transport.value }),
      ...(Object.keys(outputs).length === 0 ? {} : { outputs }),
    };
  };
  const save = async (): Promise<void> => {
    errors.value = problemsOf({ url: url.value, sub: withoutSub.value ? '' : sub.value, name: name.value, scheduled: recordMode.value === 'scheduled', schedule: schedule.value });
    if (Object.keys(errors.value).length > 0) return;
    busy.value = true;
    try {
      fleet.put(await adapter.change(camera.id, change()));
      notices.show('good', `${name.value.trim()} is changed.`);
      dialog.value = null;
    } catch (error) {
      errors.value = refusalOf(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="modal-body" noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <Field id="change-url" label="Address" hint={`Empty: it stays ${camera.url}, with its user and password.`} error={errors.value.url}>
        <input id="change-url" type="url" inputMode="url" autocomplete="off" spellcheck={false} placeholder={camera.url} aria-invalid={errors.value.url !== undefined} aria-describedby="change-url-hint" value={url.value} onInput={({ currentTarget }) => { url.value = currentTarget.value; }} />
      </Field>
      <Field id="change-sub" label="Sub stream" hint={camera.sub ? `Empty: it stays ${camera.sub.url}, with its user and password.` : 'Optional: the second, smaller stream. Walls play it.'} error={errors.value.sub}>
        <input id="change-sub" type="url" inputMode="url" autocomplete="off" spellcheck={false} placeholder={camera.sub?.url ?? ''} disabled={withoutSub.value} aria-invalid={errors.value.sub !== undefined} aria-describedby="change-sub-hint" value={sub.value} onInput={({ currentTarget }) => { sub.value = currentTarget.value; }} />
      </Field>
      {camera.sub && <label class="field-check"><input type="checkbox" checked={withoutSub.value} onChange={({ currentTarget }) => { withoutSub.value = currentTarget.checked; }} /> Without a sub stream from now on</label>}
      <Field id="change-name" label="Name" hint="As it stands on the wall." error={errors.value.name}>
        <input id="change-name" type="text" autocomplete="off" maxLength={128} aria-invalid={errors.value.name !== undefined} aria-describedby="change-name-hint" value={name.value} onInput={({ currentTarget }) => { name.value = currentTarget.value; }} />
      </Field>
      <div class="field-row">
        <Choice id="change-transport" label="Transport" options={transports} value={transport.value} onChange={(value) => { transport.value = value; }} />
        <Choice id="change-transcode" label="Turn into H.264" options={transcodeModes} value={transcode.value} onChange={(value) => { transcode.value = value; }} />
        <Choice id="change-hls" label="HLS" options={hlsModes} value={hlsMode.value} onChange={(value) => { hlsMode.value = value; }} />
        <Choice id="change-record" label="Recording" options={recordModes} value={recordMode.value} onChange={(value) => {
          recordMode.value = value;
          if (value === 'scheduled' && schedule.value.length === 0) schedule.value = [office];
        }} />
      </div>
      {recordMode.value === 'scheduled' && <Schedule windows={schedule.value} error={errors.value.schedule} onChange={(windows) => { schedule.value = windows; }} />}
      {errors.value.form !== undefined && <p class="field-error" role="alert">{errors.value.form}</p>}
      <footer class="modal-foot">
        <button type="button" class="button" onClick={() => { dialog.value = null; }}>Cancel</button>
        <button type="submit" class="button button-primary" disabled={busy.value}>{busy.value ? 'Saving …' : 'Save'}</button>
      </footer>
    </form>
  );
}

function Choice<T extends string>({ id, label, options, value, onChange }: { id: string; label: string; options: readonly (readonly [T, string])[]; value: T; onChange: (value: T) => void }): JSX.Element {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => { const found = options.find(([one]) => one === currentTarget.value); if (found) onChange(found[0]); }}>
        {options.map(([one, words]) => <option key={one} value={one}>{words}</option>)}
      </select>
    </div>
  );
}

/** Windows of a week, in the time of the machine that records. */
function Schedule({ windows, error, onChange }: { windows: readonly RecordWindowView[]; error: string | undefined; onChange: (windows: RecordWindowView[]) => void }): JSX.Element {
  const put = (index: number, changed: Partial<RecordWindowView>): void => onChange(windows.map((window, at) => (at === index ? { ...window, ...changed } : window)));
  return (
    <fieldset class="schedule">
      <legend>Recorded at these times</legend>
      {windows.map((window, index) => (
        <div key={index} class="window" role="group" aria-label={`Times ${index + 1}`}>
          <span class="window-days">{days.map((day) => (
            <label key={day}><input type="checkbox" checked={window.days.includes(day)} onChange={({ currentTarget }) => put(index, { days: days.filter((one) => (one === day ? currentTarget.checked : window.days.includes(one))) })} />{day}</label>
          ))}</span>
          <input type="time" aria-label={`From ${index + 1}`} required value={window.from} onInput={({ currentTarget }) => put(index, { from: currentTarget.value })} />
          <span aria-hidden="true">–</span>
          <input type="time" aria-label={`To ${index + 1}`} required value={window.to} onInput={({ currentTarget }) => put(index, { to: currentTarget.value })} />
          <button type="button" class="button button-small" aria-label={`Remove times ${index + 1}`} onClick={() => onChange(windows.filter((_, at) => at !== index))}>Remove</button>
        </div>
      ))}
      <p class={error === undefined ? 'field-hint' : 'field-error'} role={error === undefined ? undefined : 'alert'}>{error ?? 'In the time of the machine that records; an end before its beginning is on the next day.'}</p>
      <button type="button" class="button button-small" onClick={() => onChange([...windows, office])}>Add times</button>
    </fieldset>
  );
}

function problemsOf({ url, sub, name, scheduled, schedule }: { url: string; sub: string; name: string; scheduled: boolean; schedule: readonly RecordWindowView[] }): Errors {
  const address = url.trim() === '' ? null : urlProblem(url);
  const subAddress = sub.trim() === '' ? null : urlProblem(sub);
  const incomplete = schedule.length === 0 || schedule.some((window) => window.days.length === 0 || window.from === '' || window.to === '');
  return {
    ...(address === null ? {} : { url: address }),
    ...(subAddress === null ? {} : { sub: subAddress }),
    ...(name.trim() === '' ? { name: 'Enter a name.' } : {}),
    ...(scheduled && incomplete ? { schedule: 'Every row needs a day, a beginning and an end, and there must be a row.' } : {}),
  };
}

/** Puts each mistake beside the field that made it. */
function refusalOf(error: unknown): Errors {
  if (!(error instanceof ApiError)) return { form: messageOf(error) };
  const address = refusedAddress(error);
  if (address !== null) return { [address]: error.message };
  const found = fieldErrors(error, { sub: 'The address', url: 'The address', name: 'The name', schedule: 'The times:' });
  if (Object.keys(found).length > 0) return found;
  return { form: error.message };
}
