/** The inspector: the tree of actors, the statechart of one of them as it runs, and its history to step back through. */
import './inspect.css';
import { useComputed, useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ActorView, ChartView, TimerView } from '../../../src/api/protocol.ts';
import { messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { DownloadIcon, ExpandIcon, MinusIcon, PlusIcon } from '../components/icons.tsx';
import { timeText } from '../models/times.ts';
import { ChartPicture } from './chart.tsx';
import { download, fileName, historyText, svgText } from './export.ts';
import type { Drawing } from './graph.ts';
import { History, StateDetails, StepDetails } from './history.tsx';
import { layOut } from './layout.ts';
import { activeStates, createInspectModel, valueText, type InspectModel } from './model.ts';
import { SendEvent } from './send.tsx';
import { Sequence } from './sequence.tsx';
import { ActorTree } from './tree.tsx';
import { useViewport } from './viewport.ts';

export function InspectView({ actor }: { actor: string | null }): JSX.Element {
  const { adapter, clock, router } = useApp();
  const model = useMemo(() => createInspectModel(adapter, clock), [adapter, clock]);
  useEffect(() => () => model.dispose(), [model]);
  const actors = model.actors.value;
  const known = actors !== null;
  useEffect(() => {
    if (actor !== null) return model.select(actor);
    const first = actors && ([...actors.values()].find(({ machine }) => machine === 'camera') ?? [...actors.values()][0]);
    if (first) router.go({ view: 'inspect', actor: first.id });
    return undefined;
  }, [actor, known]);
  const selected = model.selected.value;
  const sequence = useSignal(false);
  const chosen = useSignal<string | null>(null);
  useEffect(() => { chosen.value = null; }, [selected]);
  const view = selected === null ? undefined : actors?.get(selected);
  const chart = useComputed(() => chartFor(model)).value;
  const steps = model.steps.value;
  const shown = model.shown.value;
  return (
    <main class="inspect" id="main">
      <h1 class="hidden">Inspector</h1>
      <ActorTree actors={actors ?? new Map()} selected={selected} />
      <section class="stagechart" aria-label="Statechart">
        <Head model={model} view={view} chart={chart} sequence={sequence} />
        {sequence.value && selected !== null && known ? <Sequence key={branchOf(selected)} model={model} below={branchOf(selected)} /> : chart ? <Chart key={chart.machine} chart={chart} model={model} chosen={chosen.value} onChoose={(id) => { chosen.value = chosen.value === id ? null : id; }} /> : <div class="canvas canvas-empty"><p class="muted">{emptyText(actors !== null, view)}</p></div>}
        {model.problem.value !== null && <p class="inspect-problem" role="status">{model.problem.value}</p>}
      </section>
      <aside class="inspect-side" aria-label="What it heard">
        <History model={model} />
        {chart && chosen.value !== null
          ? <StateDetails chart={chart} id={chosen.value} onClose={() => { chosen.value = null; }} />
          : shown && <StepDetails step={shown} before={steps[steps.indexOf(shown) - 1] ?? null} />}
      </aside>
    </main>
  );
}

/** An actor that ended keeps its chart for as long as it is looked at. */
function chartFor({ actors, charts, selected }: InspectModel): ChartView | null {
  const id = selected.value;
  const machine = id === null ? null : actors.value?.get(id)?.machine;
  return machine === null || machine === undefined ? null : charts.value.get(machine) ?? null;
}

/** The actor below the root that it belongs to: `supervisor/camera:gate/source` → `supervisor/camera:gate`. */
function branchOf(actor: string): string {
  return actor.split('/').slice(0, 2).join('/');
}

function emptyText(known: boolean, view: ActorView | undefined): string {
  if (!known) return 'Asking Lookout …';
  return view ? 'This actor has no states: it does one thing, and ends.' : 'This actor does not live at the moment.';
}

function Head({ model, view, chart, sequence }: { model: InspectModel; view: ActorView | undefined; chart: ChartView | null; sequence: Signal<boolean> }): JSX.Element {
  const sending = useSignal(false);
  const sendable = chart?.sendable ?? [];
  const { steps, shown, cursor, timers, selected } = model;
  const step = shown.value;
  const value = step?.value ?? view?.value ?? null;
  const save = (): void => {
    if (view) download(`${fileName(view.id)}.json`, 'application/json', historyText({ actor: view, children: childrenOf(model, view.id), chart, steps: steps.value }));
  };
  return (
    <header class="chart-head">
      <div class="chart-name">
        <h2>{(selected.value ?? '').split('/').slice(1).join(' / ') || selected.value}</h2>
        <span class="chart-state">{valueText(value)}</span>
      </div>
      <div class="chart-time" aria-live="polite">
        {cursor.value !== null && step ? <span class="chip chip-past">as it was at {timeText(step.at)}</span> : timers.value.slice(0, 2).map((timer) => <Countdown key={timer.event} timer={timer} />)}
      </div>
      <div class="chart-choice" role="group" aria-label="What is shown">
        <button type="button" class="choice-chip" aria-pressed={!sequence.value} onClick={() => { sequence.value = false; }}>Chart</button>
        <button type="button" class="choice-chip" aria-pressed={sequence.value} onClick={() => { sequence.value = true; }}>Messages</button>
      </div>
      <button type="button" class="button button-small" disabled={!view || sendable.length === 0} title={sendable.length === 0 ? 'Nothing can be sent to this actor by hand' : 'Send an event by hand'} onClick={() => { sending.value = true; }}>Send …</button>
      {sending.value && view && sendable.length > 0 && <SendEvent key={view.id} model={model} actor={view.id} events={sendable} onClose={() => { sending.value = false; }} />}
      <button type="button" class="button button-small" disabled={!view} aria-label="Save history as JSON" title="Save history as JSON" onClick={save}><DownloadIcon />JSON</button>
    </header>
  );
}

function childrenOf({ actors }: InspectModel, id: string): string[] {
  return [...(actors.peek()?.values() ?? [])].filter(({ parent }) => parent === id).map((child) => child.id.slice(id.length + 1));
}

function Countdown({ timer }: { timer: TimerView }): JSX.Element {
  const { clock } = useApp();
  const seconds = Math.max(0, (Date.parse(timer.dueAt) - clock.serverNow()) / 1000);
  const name = /^xstate\.after\.([^.]+)\./u.exec(timer.event)?.[1] ?? timer.event;
  return <span class="chip">{name} <b>{seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`}</b></span>;
}

function Chart({ chart, ...rest }: { chart: ChartView; model: InspectModel; chosen: string | null; onChoose: (state: string) => void }): JSX.Element {
  const drawing = useSignal<Drawing | null>(null);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    let wanted = true;
    layOut(chart).then((laid) => { if (wanted) drawing.value = laid; }, (error: unknown) => { if (wanted) problem.value = messageOf(error); });
    return () => { wanted = false; };
  }, [chart]);
  if (problem.value !== null) return <div class="canvas canvas-empty"><p role="alert">This chart cannot be drawn: {problem.value}</p></div>;
  return drawing.value ? <Canvas drawing={drawing.value} chart={chart} {...rest} /> : <div class="canvas canvas-empty" aria-busy="true" />;
}

function Canvas({ drawing, chart, model, chosen, onChoose }: { drawing: Drawing; chart: ChartView; model: InspectModel; chosen: string | null; onChoose: (state: string) => void }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement>(null);
  const viewport = useViewport(frame, drawing);
  const step = model.shown.value;
  const value = step ? step.value : model.actors.value?.get(model.selected.value ?? '')?.value ?? null;
  const active = activeStates(chart.root, value);
  const text = valueText(value);
  useEffect(() => {
    const here = drawing.boxes.filter(({ state }) => active.has(state.id)).at(-1);
    if (here && here.depth > 0) viewport.show(here);
  }, [text, viewport]);
  const { x, y, k } = viewport.view.value;
  const save = (): void => {
    if (picture.current) download(`${chart.machine}.svg`, 'image/svg+xml', svgText(picture.current, drawing));
  };
  return (
    <div class="canvas-frame">
      <div class="canvas" ref={frame} tabIndex={0} role="group" aria-label={`Statechart ${chart.machine}: arrows move it, plus and minus scale it, 0 shows all`} onKeyDown={viewport.press}>
        <svg ref={picture} class="picture" width="100%" height="100%" role="group" aria-label={`States of ${chart.machine}`}>
          <g data-scene transform={`translate(${x} ${y}) scale(${k})`}>
            <ChartPicture drawing={drawing} active={active} taken={new Set(step?.edges ?? [])} beat={step ? `${step.n} ${step.times}` : ''} chosen={chosen} onChoose={onChoose} />
          </g>
        </svg>
      </div>
      <div class="canvas-tools" role="toolbar" aria-label="Picture">
        <button type="button" class="icon-button" aria-label="Larger" title="Larger (+)" onClick={() => viewport.zoom(1.25)}><PlusIcon /></button>
        <button type="button" class="icon-button" aria-label="Smaller" title="Smaller (−)" onClick={() => viewport.zoom(0.8)}><MinusIcon /></button>
        <button type="button" class="icon-button" aria-label="Show all" title="Show all (0)" onClick={viewport.fit}><ExpandIcon /></button>
        <button type="button" class="icon-button" aria-label="Save as SVG" title="Save as SVG" onClick={save}><DownloadIcon /></button>
      </div>
    </div>
  );
}
