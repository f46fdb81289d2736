/** What concerns the whole page: a lost connection, the demo, and what came of the operator's commands. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useApp } from '../app.ts';
import { duration } from '../models/describe.ts';
import { CheckIcon, CloseIcon, WarnIcon } from './icons.tsx';

export function ConnectionBanner(): JSX.Element | null {
  const { session, clock } = useApp();
  const connection = session.connection.value;
  if (connection.status !== 'offline') return null;
  return (
    <section class="banner banner-bad" role="alert" aria-label="Connection">
      <WarnIcon />
      <p><b>Connection to Lookout lost.</b> What you see is from before; it continues by itself. <span class="banner-age" aria-hidden="true">{duration(clock.now() - connection.since)}</span></p>
    </section>
  );
}

export function DemoBanner(): JSX.Element | null {
  const { fleet, dialog } = useApp();
  const closed = useSignal(false);
  if (fleet.system.value?.demo !== true || closed.value) return null;
  return (
    <aside class="banner" aria-label="Demo">
      <p><b>Demo.</b> Four simulated cameras; the last fails on purpose. Adding your own camera ends the demo.</p>
      <button type="button" class="link" onClick={() => { dialog.value = { kind: 'add' }; }}>Add camera</button>
      <button type="button" class="icon-button" aria-label="Hide this hint" onClick={() => { closed.value = true; }}><CloseIcon /></button>
    </aside>
  );
}

export function NoticeList(): JSX.Element {
  const { notices } = useApp();
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.list.value.map(({ key, tone, text }) => (
        <p key={key} class={`notice notice-${tone}`}>
          {tone === 'good' ? <CheckIcon /> : <WarnIcon />}<span>{text}</span>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => notices.dismiss(key)}><CloseIcon /></button>
        </p>
      ))}
    </div>
  );
}
