/** The failures of a camera above its day: each mark leads to its row in the journal, or lists those that stand too close to each other. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { WarnIcon } from '../components/icons.tsx';
import { useSize } from '../components/size.ts';
import { href } from '../models/route.ts';
import { moment, timeText } from '../models/times.ts';
import type { Span } from './day.ts';
import { marksOf, type Failure, type Mark } from './failures.ts';

/** Two marks do not touch. */
const apartPx = 26;

type Props = { camera: string; failures: readonly Failure[]; view: Span };

export function FailureMarks({ camera, failures, view }: Props): JSX.Element {
  const { ref, size } = useSize<HTMLUListElement>();
  const width = view.to - view.from;
  const marks = size.width === 0 ? [] : marksOf(failures, view, (apartPx / size.width) * width);
  return (
    <ul class="failures" ref={ref} aria-label="Failures">
      {marks.map((mark) => (
        <li key={mark.failures[0].seq} style={{ '--at': `${((mark.at - view.from) / width) * 100}%` }}>
          {mark.failures.length === 1 ? <One camera={camera} failure={mark.failures[0]} /> : <Several camera={camera} mark={mark} />}
        </li>
      ))}
    </ul>
  );
}

function One({ camera, failure }: { camera: string; failure: Failure }): JSX.Element {
  return (
    <a class="failure" data-failures="1" href={href({ view: 'camera', id: camera, event: failure.seq })} title={`${sentence(failure)}: ${utc(failure)}. ${failure.message}`}>
      <WarnIcon /><span class="hidden">{timeText(failure.at)} {sentence(failure)}</span>
    </a>
  );
}

function Several({ camera, mark: { failures } }: { camera: string; mark: Mark }): JSX.Element {
  const open = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const last = failures.at(-1)!;
  return (
    <span
      onFocusOut={({ currentTarget, relatedTarget }) => { if (!currentTarget.contains(relatedTarget as Node | null)) open.value = false; }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open.value) return;
        event.stopPropagation();
        open.value = false;
        button.current?.focus();
      }}
    >
      <button type="button" class="failure" ref={button} data-failures={failures.length} aria-expanded={open.value} title={`${failures.length} failures: ${utc(failures[0])} – ${utc(last)}`} onClick={() => { open.value = !open.value; }}>
        <span aria-hidden="true">{failures.length > 99 ? '99+' : failures.length}</span><span class="hidden">{failures.length} failures from {timeText(failures[0].at)} to {timeText(last.at)}</span>
      </button>
      {open.value && (
        <ul class="failure-list" aria-label={`Failures from ${timeText(failures[0].at)} to ${timeText(last.at)}`}>
          {failures.map((failure) => (
            <li key={failure.seq}>
              <a href={href({ view: 'camera', id: camera, event: failure.seq })} title={`${utc(failure)}. ${failure.message}`}><b class="numeric">{timeText(failure.at)}</b> {sentence(failure)}</a>
            </li>
          ))}
        </ul>
      )}
    </span>
  );
}

const sentence = ({ words }: Failure): string => words[0]!.toUpperCase() + words.slice(1);

const utc = ({ at }: Failure): string => moment(new Date(at).toISOString());
