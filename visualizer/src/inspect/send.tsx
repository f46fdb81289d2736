/** Send an event by hand: chosen from what the machine hears and may be told, filled in, and confirmed before it goes. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { SendableEvent } from '../../../src/api/protocol.ts';
import { messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { Modal } from '../components/dialogs.tsx';
import type { InspectModel } from './model.ts';

/** What a `failure` can be; `docs/failures.md` says what each of them leads to. */
const classes = ['reset', 'eos', 'refused', 'unreachable', 'timeout', 'auth', 'not-found', 'busy', 'server-error', 'dns', 'silent', 'no-keyframe', 'video-missing', 'timestamps', 'local', 'unsupported', 'host-crash', 'native-frozen', 'sfu', 'storage'];

type Values = Record<string, boolean | number | string>;

export function SendEvent({ model, actor, events, onClose }: { model: InspectModel; actor: string; events: readonly SendableEvent[]; onClose: () => void }): JSX.Element {
  const { notices } = useApp();
  const type = useSignal(events[0]!.type);
  const values = useSignal<Values>({});
  const sure = useSignal(false);
  const problem = useSignal<string | null>(null);
  const fields = (events.find((event) => event.type === type.value)?.fields ?? []).filter(({ kind }) => kind !== 'now');
  const event = { type: type.value, ...Object.fromEntries(fields.map(({ name, kind }) => [name, values.value[name] ?? defaults[kind]])) };
  const send = async (): Promise<void> => {
    if (!sure.value) {
      sure.value = true;
      return;
    }
    try {
      await model.send(actor, event);
      notices.show('good', `${event.type} was sent to ${actor}.`);
      onClose();
    } catch (error) {
      problem.value = messageOf(error);
      sure.value = false;
    }
  };
  const change = (work: () => void): void => {
    sure.value = false;
    problem.value = null;
    work();
  };
  return (
    <Modal title="Send an event" onClose={onClose}>
      <form class="modal-body" onSubmit={(submit) => { submit.preventDefault(); void send(); }}>
        <p>To <code>{actor}</code>, which runs. The journal says who sent what.</p>
        <div class="field">
          <label for="send-type">Event</label>
          <select id="send-type" value={type.value} onChange={({ currentTarget }) => change(() => { type.value = currentTarget.value; })}>{events.map((one) => <option key={one.type}>{one.type}</option>)}</select>
        </div>
        {fields.map(({ name, kind }) => (
          <div key={name} class="field">
            <label for={`send-${name}`}>{name}</label>
            {kind === 'failure' && <select id={`send-${name}`} value={String(event[name as keyof typeof event])} onChange={({ currentTarget }) => change(() => { values.value = { ...values.value, [name]: currentTarget.value }; })}>{classes.map((one) => <option key={one}>{one}</option>)}</select>}
            {kind === 'boolean' && <select id={`send-${name}`} value={String(event[name as keyof typeof event])} onChange={({ currentTarget }) => change(() => { values.value = { ...values.value, [name]: currentTarget.value === 'true' }; })}><option>true</option><option>false</option></select>}
            {kind === 'number' && <input id={`send-${name}`} type="number" min="0" required value={Number(event[name as keyof typeof event])} onInput={({ currentTarget }) => change(() => { values.value = { ...values.value, [name]: currentTarget.valueAsNumber }; })} />}
          </div>
        ))}
        {problem.value !== null && <p class="field-error" role="alert">{problem.value}</p>}
        <p class="send-sure" role="status">{sure.value && <>This is no rehearsal: <code>{JSON.stringify(event)}</code> acts on the camera that runs.</>}</p>
        <footer class="modal-foot">
          <button type="button" class="button" onClick={onClose}>Cancel</button>
          <button type="submit" class={sure.value ? 'button button-danger' : 'button button-primary'}>{sure.value ? 'Send it' : 'Send …'}</button>
        </footer>
      </form>
    </Modal>
  );
}

const defaults: Record<SendableEvent['fields'][number]['kind'], boolean | number | string> = { boolean: true, number: 1_000, failure: 'reset', now: 0 };
