/** The day as a line: what is recorded, what is not and why, now, and the moment that is shown; a slider for mouse and keyboard. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { MinusIcon, PlusIcon } from '../components/icons.tsx';
import { age } from '../models/describe.ts';
import { timeText } from '../models/times.ts';
import { FailureMarks } from './failure-marks.tsx';
import type { Failure } from './failures.ts';
import { ticksOf, type Gap, type Span } from './day.ts';

/** The shortest time that is shown, and how many steps of an arrow key it has. */
const leastMs = 60_000;
const steps = 120;
const factor = 4;

type Props = { camera: string; day: Span; spans: readonly Span[]; gaps: readonly Gap[]; failures: readonly Failure[]; now: number; at: number | null; onPlay: (at: number) => void };

export function Timeline({ camera, day, spans, gaps, failures, now, at, onPlay }: Props): JSX.Element {
  const zoomed = useSignal<Span | null>(null);
  const view = zoomed.value && zoomed.value.from >= day.from && zoomed.value.to <= day.to ? zoomed.value : day;
  const width = view.to - view.from;
  const cursor = at ?? spans[0]?.from ?? day.from;
  const zoom = (by: number): void => {
    const wanted = Math.min(day.to - day.from, Math.max(leastMs, width * by));
    const from = Math.min(day.to - wanted, Math.max(day.from, cursor - wanted / 2));
    zoomed.value = { from, to: from + wanted };
  };
  const pan = (by: number): void => {
    const from = Math.min(day.to - width, Math.max(day.from, view.from + by * width));
    zoomed.value = { from, to: from + width };
  };
  const place = (moment: number): number => ((moment - view.from) / width) * 100;
  const keys: Record<string, () => void> = {
    ArrowRight: () => onPlay(cursor + width / steps), ArrowUp: () => onPlay(cursor + width / steps),
    ArrowLeft: () => onPlay(Math.max(day.from, cursor - width / steps)), ArrowDown: () => onPlay(Math.max(day.from, cursor - width / steps)),
    PageUp: () => pan(0.5), PageDown: () => pan(-0.5), '+': () => zoom(1 / factor), '-': () => zoom(factor),
    Home: () => onPlay(day.from), End: () => onPlay(spans.at(-1)?.from ?? day.from), Enter: () => onPlay(cursor),
  };
  return (
    <section class="timeline" aria-label="Timeline">
      <FailureMarks camera={camera} failures={failures} view={view} />
      <div
        class="line" role="slider" tabIndex={0} aria-label="Moment" aria-valuemin={day.from} aria-valuemax={day.to} aria-valuenow={Math.round(cursor)} aria-valuetext={timeText(cursor)}
        onClick={({ currentTarget, clientX }) => {
          const { left, width: pixels } = currentTarget.getBoundingClientRect();
          onPlay(view.from + ((clientX - left) / pixels) * width);
        }}
        onKeyDown={(event) => {
          const action = keys[event.key];
          if (!action) return;
          event.preventDefault();
          event.stopPropagation();
          action();
        }}
      >
        {ticksOf(view, 8).map((tick) => <span class="tick" key={tick} style={{ left: `${place(tick)}%` }}>{timeText(tick).slice(0, width > 600_000 ? 5 : 8)}</span>)}
        {gaps.filter(inside(view)).map((gap) => <span class="gap" key={gap.from} data-gap title={gapText(gap)} style={bar(place, gap)} />)}
        {spans.filter(inside(view)).map((span) => <span class="recorded" key={span.from} data-span style={bar(place, span)} />)}
        {now >= view.from && now <= view.to && <span class="mark mark-now" title="Now" style={{ left: `${place(now)}%` }} />}
        {at !== null && at >= view.from && at <= view.to && <span class="mark mark-at" style={{ left: `${place(at)}%` }} />}
      </div>
      <div class="line-tools">
        <span class="muted numeric">{timeText(view.from)} – {timeText(view.to - 1)}</span>
        <button type="button" class="button button-small" disabled={view.from <= day.from} aria-label="Earlier" onClick={() => pan(-0.5)}>‹</button>
        <button type="button" class="button button-small" disabled={view.to >= day.to} aria-label="Later" onClick={() => pan(0.5)}>›</button>
        <button type="button" class="icon-button" disabled={width >= day.to - day.from} aria-label="Show more time" onClick={() => zoom(factor)}><MinusIcon /></button>
        <button type="button" class="icon-button" disabled={width <= leastMs} aria-label="Show less time" onClick={() => zoom(1 / factor)}><PlusIcon /></button>
      </div>
    </section>
  );
}

/** `12 min 00 s not recorded: connection reset`. */
export function gapText({ from, to, reason, message }: Gap): string {
  return `${age(to - from)} not recorded${reason === null ? '' : `: ${reason}`}${message === null ? '' : ` (${message})`}`;
}

const inside = (view: Span) => ({ from, to }: Span): boolean => to > view.from && from < view.to;

function bar(place: (at: number) => number, { from, to }: Span): { left: string; width: string } {
  const left = Math.max(0, place(from));
  return { left: `${left}%`, width: `${Math.min(100, place(to)) - left}%` };
}
