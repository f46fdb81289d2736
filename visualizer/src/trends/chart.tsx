/** One figure over the last hour, drawn by uPlot; the value under the pointer, or the newest, stands above it. */
import 'uplot/dist/uPlot.min.css';
import { effect, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { useApp } from '../app.ts';
import { timeText } from '../models/times.ts';
import { hourMs, range, type Points } from './points.ts';

/** Room for the numbers of the axis, the same in all charts, so that moments lie above each other. */
export const axisWidth = 72;
const height = 92;
/** Charts with the same key have one pointer. */
const sync = UPlot.sync('trends');

type Props = {
  title: string;
  points: Points;
  column: string;
  /** A second column behind it, for comparison. */
  behind?: string;
  /** Custom property of its colour. */
  colour: string;
  format: (value: number) => string;
  /** Drawn as columns instead of a line: what happened, not what is. */
  bars?: boolean;
};

export function Chart({ title, points, column, behind, colour, format, bars = false }: Props): JSX.Element {
  const { preferences } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const under = useSignal<number | null>(null);
  const data = dataOf(points, column, behind);
  const first = useRef(data);
  first.current = data;
  useEffect(() => {
    const element = place.current!;
    const made = new UPlot(optionsOf({ element, format, bars, colour, behind, onPointer: (index) => { under.value = index; } }), first.current, element);
    plot.current = made;
    const sized = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    sized.observe(element);
    const repaint = (): void => made.redraw(false);
    const stopTheme = effect(() => {
      void preferences.theme.value;
      queueMicrotask(repaint);
    });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', repaint);
    return () => {
      scheme.removeEventListener('change', repaint);
      stopTheme();
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [points]);

  const values = points.columns[column] ?? [];
  const known = range(values);
  const shown = under.value === null ? known?.newest ?? null : values[under.value] ?? null;
  const moment = under.value === null ? null : points.at[under.value];
  const words = known === null ? 'nothing known yet' : `now ${format(known.newest)}, between ${format(known.least)} and ${format(known.most)}`;
  return (
    <figure class="trend">
      <figcaption><span>{title}{moment != null && <span class="muted"> {timeText(moment * 1_000)}</span>}</span><b class="numeric">{shown === null ? '–' : format(shown)}</b></figcaption>
      <div ref={place} class="trend-plot" role="img" aria-label={`${title}, last hour: ${words}`} data-points={values.length} />
    </figure>
  );
}

function dataOf({ at, columns }: Points, column: string, behind: string | undefined): UPlot.AlignedData {
  return behind === undefined ? [at, columns[column] ?? []] : [at, columns[column] ?? [], columns[behind] ?? []];
}

type Look = { element: HTMLElement; format: (value: number) => string; bars: boolean; colour: string; behind: string | undefined; onPointer: (index: number | null) => void };

function optionsOf({ element, format, bars, colour, behind, onPointer }: Look): UPlot.Options {
  const ink = (name: string) => () => resolve(element, name);
  const axis = { stroke: ink('--muted'), grid: { stroke: ink('--line'), width: 1 }, ticks: { show: false }, font: '12px Inter, system-ui, sans-serif' };
  const line: UPlot.Series = bars
    ? { stroke: ink(colour), fill: ink(colour), width: 1, paths: UPlot.paths.bars!({ size: [1, 4, 2] }), points: { show: false } }
    : { stroke: ink(colour), width: 1.5, points: { show: false } };
  return {
    width: element.clientWidth || 320, height, padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !bars, size: 7 }, sync: { key: sync.key } },
    scales: { x: { time: true, range: (_plot, _from, to) => [to - hourMs / 1_000, to] }, y: { range: (_plot, _least, most) => [0, Math.max(most ?? 0, 1) * 1.1] } },
    axes: [{ ...axis, size: 22, space: 70, values: (_plot, ticks) => ticks.map((tick) => timeText(tick * 1_000).slice(0, 5)) }, { ...axis, size: axisWidth, space: 26, gap: 4, values: (_plot, ticks) => labels(ticks, format) }],
    series: [{}, line, ...(behind === undefined ? [] : [{ stroke: ink('--muted'), width: 1, dash: [3, 4], points: { show: false } }])],
    hooks: { setCursor: [({ cursor: { idx, left } }) => onPointer(idx == null || left === undefined || left < 0 ? null : idx)] },
  };
}

/** Rounded, neighbours may read alike: one of them is enough. */
function labels(ticks: readonly number[], format: (value: number) => string): string[] {
  return ticks.map((tick, place) => (place > 0 && format(tick) === format(ticks[place - 1] ?? 0) ? '' : format(tick)));
}

/** Canvas knows no custom properties, and computed ones keep their `light-dark()`: a colour that is in use has neither. */
function resolve(element: HTMLElement, name: string): string {
  const before = element.style.color;
  element.style.color = `var(${name})`;
  const colour = getComputedStyle(element).color;
  element.style.color = before;
  return colour;
}
