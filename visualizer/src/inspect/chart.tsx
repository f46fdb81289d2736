/** A statechart as a picture: states in states, what leads from one to the other, what is active and what happened last. */
import type { JSX } from 'preact';
import { labelOf, pathOf, rowHeight, titleHeight, type Box, type Drawing, type Line } from './graph.ts';

type Props = { drawing: Drawing; active: Set<string>; taken: ReadonlySet<string>; /** Changes with every step, so that its transition is seen to happen. */ beat: string; chosen: string | null; onChoose: (state: string) => void };

/** Lines lie above the boxes they cross, texts above all. */
export function ChartPicture({ drawing, active, taken, beat, chosen, onChoose }: Props): JSX.Element {
  const wasTaken = ({ edges }: Line): boolean => edges.some(({ id }) => taken.has(id));
  const lines = [...drawing.lines].sort((a, b) => Number(wasTaken(a)) - Number(wasTaken(b)));
  return (
    <>
      <defs>
        {(['plain', 'taken'] as const).map((kind) => (
          <marker key={kind} id={`arrow-${kind}`} class={`arrow arrow-${kind}`} viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .8 10 5 0 9.2z" /></marker>
        ))}
      </defs>
      {drawing.boxes.map((box) => <StateBox key={box.state.id} box={box} active={active.has(box.state.id)} chosen={chosen === box.state.id} onChoose={onChoose} />)}
      {drawing.starts.map((points) => <path key={pathOf(points)} class="line line-start" d={pathOf(points)} marker-end="url(#arrow-plain)" />)}
      {drawing.dots.map(({ x, y }) => <circle key={`${x} ${y}`} class="start" cx={x} cy={y} r="5" />)}
      {lines.map((line) => <LineShape key={line.id} line={line} taken={wasTaken(line)} beat={beat} />)}
      {lines.map((line) => <LineLabel key={line.id} line={line} taken={taken} />)}
    </>
  );
}

const rowSigns = { invoke: '⚙', entry: '', exit: '', inner: '↻' } as const;

function StateBox({ box, active, chosen, onChoose }: { box: Box; active: boolean; chosen: boolean; onChoose: (state: string) => void }): JSX.Element {
  const { state, x, y, width, height, texts, depth } = box;
  const classes = ['box', `box-${state.type}`, depth % 2 === 1 ? 'box-odd' : '', active ? 'box-active' : '', active && state.states.length === 0 ? 'box-here' : '', chosen ? 'box-chosen' : ''].filter(Boolean).join(' ');
  const choose = (): void => onChoose(state.id);
  return (
    <g
      class={classes} data-state={state.id} data-active={active ? '' : undefined} role="button" tabindex={0} aria-pressed={chosen}
      aria-current={active ? 'true' : undefined} aria-description={`${state.type} state`} onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        choose();
      }}
    >
      <rect class="box-frame" x={x} y={y} width={width} height={height} rx="9" />
      {state.type === 'final' && <rect class="box-inner" x={x + 4} y={y + 4} width={width - 8} height={height - 8} rx="6" />}
      {active && <circle class="box-light" cx={x + 17} cy={y + titleHeight / 2 + 3} r="4" />}
      <text class="box-title" x={x + (active ? 28 : 14)} y={y + 23}>{state.key}</text>
      {state.type === 'parallel' && <text class="box-kind" x={x + width - 12} y={y + 22} text-anchor="end">parallel</text>}
      {texts.length > 0 && <path class="box-rule" d={`M${x + 1} ${y + titleHeight + 4}H${x + width - 1}`} />}
      {texts.map(({ kind, text }, index) => <text key={text} class={`box-row row-${kind}`} x={x + 14} y={y + titleHeight + 19 + index * rowHeight}>{rowSigns[kind] === '' ? text : `${rowSigns[kind]} ${text}`}</text>)}
    </g>
  );
}

function LineShape({ line, taken, beat }: { line: Line; taken: boolean; beat: string }): JSX.Element {
  const path = pathOf(line.points);
  return (
    <g class={taken ? 'line-group line-taken' : 'line-group'} data-line={line.id}>
      <path class="line" d={path} marker-end={`url(#arrow-${taken ? 'taken' : 'plain'})`} />
      {taken && <path key={beat} class="line-pulse" d={path} pathLength={1} />}
    </g>
  );
}

function LineLabel({ line, taken }: { line: Line; taken: ReadonlySet<string> }): JSX.Element | null {
  const { label, edges } = line;
  if (!label) return null;
  const lit = new Set(edges.filter(({ id }) => taken.has(id)).map(labelOf));
  return (
    <g class={lit.size > 0 ? 'label label-taken' : 'label'}>
      <title>{edges.map(labelOf).join('\n')}</title>
      <rect x={label.x} y={label.y} width={label.width} height={label.height} rx="5" />
      {label.texts.map((text, index) => {
        const [, name = text, guard] = /^(.*?)( \[.*\])$/u.exec(text) ?? [];
        return <text key={text} class={lit.has(text) ? 'label-lit' : undefined} x={label.x + 6} y={label.y + 14 + index * 16}>{name}{guard !== undefined && <tspan class="label-guard">{guard}</tspan>}</text>;
      })}
    </g>
  );
}
