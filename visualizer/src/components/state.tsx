/** A camera's state in a dot, a word and an age: the same three parts in every view. */
import type { JSX } from 'preact';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { age, describe, duration, unheard, type Description, type Tone } from '../models/describe.ts';
import { moment } from '../models/times.ts';

/** Older than this is no live picture any more, whatever the state says. */
const oldMs = 2_000;

/** Shape and colour both carry the tone, for those who cannot tell the colours apart. */
export function Dot({ tone }: { tone: Tone }): JSX.Element {
  return (
    <svg class={`dot tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">
      {tone === 'live' && <circle cx="6" cy="6" r="4" fill="currentColor" />}
      {tone === 'busy' && <circle cx="6" cy="6" r="3.6" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="4.5 3" />}
      {tone === 'warn' && <path d="M6 1.4 11 10.4H1z" fill="currentColor" />}
      {tone === 'bad' && <path d="M2.2 2.2l7.6 7.6M9.8 2.2 2.2 9.8" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />}
      {tone === 'off' && <circle cx="6" cy="6" r="3.6" fill="none" stroke="currentColor" stroke-width="1.6" />}
    </svg>
  );
}

/** The words for a camera now; nothing is claimed of it while the page is cut off. */
export function useDescription({ view }: CameraEntry): Description {
  const { clock, session } = useApp();
  return session.connection.value.status === 'offline' ? unheard : describe(view, clock.serverNow());
}

/** Dot and title. */
export function StateLabel({ entry }: { entry: CameraEntry }): JSX.Element {
  const { tone, title } = useDescription(entry);
  return <span class={`state tone-${tone}`}><Dot tone={tone} /><span class="state-title">{title}</span></span>;
}

/** Age of the last frame: painted here where the camera plays here, else of the last packet at the server. */
export function FrameAge({ entry }: { entry: CameraEntry }): JSX.Element {
  const { clock, fleet, playbacks } = useApp();
  const now = clock.now();
  const painted = playbacks.peek(entry.view.id)?.lastFrameAt() ?? null;
  const ms = painted === null ? fleet.packetAge(entry, now) : now - painted;
  const old = ms !== null && ms > oldMs && entry.view.desired === 'running';
  return <span class={old ? 'age age-old' : 'age'} title="Age of the last frame">{ms === null ? '–' : age(ms)}</span>;
}

/** How long the state has lasted, with the moment on hover. */
export function Since({ entry }: { entry: CameraEntry }): JSX.Element {
  const { clock } = useApp();
  const at = Date.parse(entry.view.since);
  return <time dateTime={entry.view.since} title={moment(entry.view.since)}>{duration(clock.serverNow() - at)}</time>;
}
