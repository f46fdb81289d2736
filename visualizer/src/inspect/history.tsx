/** What an actor heard, newest first, and everything about the one of it that is looked at. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChartEdge, ChartState, ChartView, StepView } from '../../../src/api/protocol.ts';
import { moment, timeText } from '../models/times.ts';
import { labelOf } from './graph.ts';
import { valueText, type InspectModel } from './model.ts';

/** The list; arrows go through time, Esc returns to now. */
export function History({ model }: { model: InspectModel }): JSX.Element {
  const { steps, shown, cursor } = model;
  const list = useRef<HTMLOListElement>(null);
  const all = steps.value;
  const current = shown.value;
  useEffect(() => {
    if (cursor.value !== null) list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  }, [cursor.value]);
  const go = (by: number): void => {
    const index = all.findIndex(({ n }) => n === current?.n) + by;
    const to = all[index];
    if (!to) return;
    cursor.value = index === all.length - 1 ? null : to.n;
    list.current?.querySelector<HTMLElement>(`[data-step="${to.n}"]`)?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const action = ({ ArrowUp: () => go(1), ArrowDown: () => go(-1), ...(cursor.value === null ? {} : { Escape: () => { cursor.value = null; } }) } as Record<string, () => void>)[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return (
    <section class="steps" aria-label="History">
      <header class="pane-head">
        <h2>History</h2><span class="muted">{all.length} {all.length === 1 ? 'step' : 'steps'}</span>
        <button type="button" class="button button-small" disabled={cursor.value === null} onClick={() => { cursor.value = null; }}>Now</button>
      </header>
      <ol class="step-list" ref={list} onKeyDown={press}>
        {all.map((step, index) => <StepRow key={step.n} step={step} before={all[index - 1] ?? null} current={step.n === current?.n} onChoose={() => { cursor.value = index === all.length - 1 ? null : step.n; }} />).reverse()}
      </ol>
    </section>
  );
}

function StepRow({ step, before, current, onChoose }: { step: StepView; before: StepView | null; current: boolean; onChoose: () => void }): JSX.Element {
  const state = step.status === 'active' ? valueText(step.value) : step.status;
  const moved = before === null || valueText(before.value) !== valueText(step.value) || before.status !== step.status;
  return (
    <li>
      <button type="button" class={moved ? 'step step-moved' : 'step'} data-step={step.n} aria-current={current ? 'step' : undefined} onClick={onChoose}>
        <time dateTime={step.at} title={moment(step.at)}>{timeText(step.at)}</time>
        <span class="step-event">{step.event === null ? 'as it was found' : eventName(step.event.type)}{step.times > 1 && <span class="step-times"> × {step.times}</span>}</span>
        <span class="step-state">{moved && state !== '' ? `→ ${state}` : ''}</span>
      </button>
    </li>
  );
}

/** XState's own names, shorter. */
function eventName(type: string): string {
  const [, kind, rest = ''] = /^xstate\.(after|done\.actor|error\.actor|done\.state)\.(.*)$/u.exec(type) ?? [];
  if (kind === undefined) return type;
  return kind === 'after' ? `after ${rest.split('.')[0]}` : `${kind.split('.')[0]} ${rest}`;
}

/** One step: what came, from whom, and the context it left, with what it changed marked. */
export function StepDetails({ step, before }: { step: StepView; before: StepView | null }): JSX.Element {
  const { type, ...fields } = step.event ?? { type: '' };
  const context = entriesOf(step.context);
  const earlier = new Map(before === null ? context : entriesOf(before.context));
  return (
    <section class="details" aria-label="Step">
      <header class="pane-head"><h2>{step.event === null ? 'State as it was found' : eventName(type)}</h2></header>
      <div class="details-body" tabIndex={0} role="region" aria-label="Event and context">
        {step.event !== null && (
          <dl class="pairs">
            <div><dt>From</dt><dd>{step.from ?? 'a timer, itself or outside'}</dd></div>
            {Object.entries(fields).map(([key, value]) => <div key={key}><dt>{key}</dt><dd><Json value={value} /></dd></div>)}
          </dl>
        )}
        <h3>Context</h3>
        {context.length === 0 && <p class="muted">It remembers nothing.</p>}
        <dl class="pairs">
          {context.map(([key, value]) => ({ key, value, changed: JSON.stringify(earlier.get(key)) !== JSON.stringify(value) })).sort((a, b) => Number(b.changed) - Number(a.changed)).map(({ key, value, changed }) => {
            return <div key={key} class={changed ? 'pair-changed' : undefined}><dt>{key}{changed && <span class="hidden"> (changed)</span>}</dt><dd><Json value={value} /></dd></div>;
          })}
        </dl>
      </div>
    </section>
  );
}

function entriesOf(context: unknown): [string, unknown][] {
  return typeof context === 'object' && context !== null ? Object.entries(context) : [];
}

function Json({ value }: { value: unknown }): JSX.Element {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  return text === undefined || text.length <= 60 ? <code>{text ?? '–'}</code> : <pre>{text}</pre>;
}

/** One state: what it runs, and every way out of it. */
export function StateDetails({ chart, id, onClose }: { chart: ChartView; id: string; onClose: () => void }): JSX.Element | null {
  const state = find(chart.root, id);
  if (!state) return null;
  const lists: [string, string[]][] = [['Invokes', state.invokes.map(({ id: actor, src }) => (actor === src ? src : `${actor} (${src})`))], ['Entry', state.entry], ['Exit', state.exit], ['Tags', state.tags]];
  return (
    <section class="details" aria-label="State">
      <header class="pane-head"><h2>{state.id}</h2><button type="button" class="button button-small" onClick={onClose}>Close</button></header>
      <div class="details-body" tabIndex={0} role="region" aria-label="State in full">
        <dl class="pairs">{lists.filter(([, items]) => items.length > 0).map(([name, items]) => <div key={name}><dt>{name}</dt><dd>{items.map((item) => <code key={item}>{item}</code>)}</dd></div>)}</dl>
        <h3>Transitions</h3>
        <ul class="ways">{chart.edges.filter(({ source }) => source === id).map((edge) => <Way key={edge.id} edge={edge} />)}</ul>
      </div>
    </section>
  );
}

function Way({ edge }: { edge: ChartEdge }): JSX.Element {
  return (
    <li>
      <code>{labelOf(edge)}</code>
      <span class="way-target">{edge.targets.length === 0 ? 'stays' : `→ ${edge.targets.join(', ')}`}</span>
      {edge.actions.length > 0 && <span class="muted">{edge.actions.join(', ')}</span>}
    </li>
  );
}

function find(state: ChartState, id: string): ChartState | undefined {
  if (state.id === id) return state;
  for (const child of state.states) {
    const found = find(child, id);
    if (found) return found;
  }
  return undefined;
}
