/** A chart as a graph for ELK, and ELK's answer as boxes and lines to draw. Pure; sizes are pixels at scale 1. */
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { ChartEdge, ChartState, ChartView } from '../../../src/api/protocol.ts';

export type Point = { x: number; y: number };
/** `texts`: lines below the name. */
export type Box = { state: ChartState; depth: number; x: number; y: number; width: number; height: number; texts: Row[] };
export type Row = { kind: 'entry' | 'exit' | 'invoke' | 'inner'; text: string };
/** Transitions with the same source and target are one line with several labels. */
export type Line = { id: string; edges: ChartEdge[]; target: string; points: Point[]; label: { x: number; y: number; width: number; height: number; texts: string[] } | null };
export type Drawing = { machine: string; width: number; height: number; boxes: Box[]; lines: Line[]; dots: Point[]; starts: Point[][] };

/** Widths of texts; the page measures them, tests guess. */
export type Measure = (text: string, font: 'title' | 'row' | 'label') => number;

export const rowHeight = 18;
export const titleHeight = 30;
const labelHeight = 16;
const maxRowText = 40;
const maxLabels = 5;
const dotSize = 10;
const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
  'elk.layered.spacing.nodeNodeBetweenLayers': '24',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.spacing.nodeNode': '36',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
};

type Group = { id: string; source: string; target: string; edges: ChartEdge[] };

/** The graph and what its ids stand for. */
export function graphOf(chart: ChartView, measure: Measure): { graph: ElkNode; groups: Map<string, Group> } {
  const groups = grouped(chart.edges);
  const edges: ElkExtendedEdge[] = [...groups.values()].map(({ id, source, target, edges: among }) => {
    const texts = labelsOf(among);
    const width = Math.max(...texts.map((text) => measure(text, 'label'))) + 12;
    return { id, sources: [source], targets: [target], labels: [{ id: `label:${id}`, text: texts.join('\n'), width, height: texts.length * labelHeight + 4 }] };
  });
  const inner = innerOf(chart);
  const root = nodeOf(chart.root, { measure, inner, edges });
  return { graph: { id: 'chart', layoutOptions: options, children: [root], edges }, groups };
}

/** How many transitions of each state stay inside it. */
function innerOf({ edges }: ChartView): Map<string, number> {
  const inner = new Map<string, number>();
  for (const { source, targets } of edges) if (targets.length === 0) inner.set(source, (inner.get(source) ?? 0) + 1);
  return inner;
}

function nodeOf(state: ChartState, given: { measure: Measure; inner: Map<string, number>; edges: ElkExtendedEdge[] }): ElkNode {
  const { measure, inner, edges } = given;
  const rows = rowsOf(state, inner.get(state.id) ?? 0);
  const width = Math.max(96, measure(state.key, 'title') + 40, ...rows.map(({ text }) => measure(text, 'row') + 40));
  const head = titleHeight + rows.length * rowHeight + (rows.length > 0 ? 13 : 0);
  if (state.states.length === 0) return { id: state.id, width, height: Math.max(36, head) };
  const children = state.states.map((child) => nodeOf(child, given));
  if (state.initial !== null) {
    children.unshift({ id: `start:${state.id}`, width: dotSize, height: dotSize });
    edges.push({ id: `start:${state.id}`, sources: [`start:${state.id}`], targets: [state.initial] });
  }
  return {
    id: state.id,
    children,
    // Each level is laid out by its own options; only the hierarchy's handling is inherited.
    layoutOptions: { ...options, 'elk.padding': `[top=${head + 14},left=18,bottom=18,right=18]`, 'elk.nodeSize.constraints': 'MINIMUM_SIZE', 'elk.nodeSize.minimum': `(${width},${head + 20})` },
  };
}

/** What is written in a state: the actors it invokes, what it does on entry and exit, how many transitions stay inside. */
export function rowsOf(state: ChartState, inner: number): Row[] {
  const rows: Row[] = state.invokes.map(({ id, src }) => ({ kind: 'invoke', text: id === src || id.includes('.') ? src : `${id} (${src})` }));
  if (state.entry.length > 0) rows.push({ kind: 'entry', text: cut(`entry / ${state.entry.join(', ')}`) });
  if (state.exit.length > 0) rows.push({ kind: 'exit', text: cut(`exit / ${state.exit.join(', ')}`) });
  if (inner > 0) rows.push({ kind: 'inner', text: `${inner} ${inner === 1 ? 'reaction' : 'reactions'} inside` });
  return rows;
}

const cut = (text: string): string => (text.length > maxRowText ? `${text.slice(0, maxRowText - 1)}…` : text);

const signs = { event: '', after: 'after ', always: '', done: 'done ', error: 'error ' } as const;

/** A transition in a few words: `camera.update [changesPull]`. */
export function labelOf({ kind, label, guard }: ChartEdge): string {
  const name = kind === 'done' && label === 'done' ? 'done' : `${signs[kind]}${label}`;
  return guard === null ? name : `${name} [${guard}]`;
}

function labelsOf(edges: readonly ChartEdge[]): string[] {
  const texts = [...new Set(edges.map(labelOf))];
  return texts.length <= maxLabels ? texts : [...texts.slice(0, maxLabels - 1), `+ ${texts.length - maxLabels + 1} more`];
}

function grouped(edges: readonly ChartEdge[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const edge of edges) {
    for (const target of edge.targets) {
      const id = `${edge.source} → ${target}`;
      const group = groups.get(id) ?? { id, source: edge.source, target, edges: [] };
      group.edges.push(edge);
      groups.set(id, group);
    }
  }
  return groups;
}

/** What ELK found, ready to draw: outer boxes before inner ones. */
export function drawingOf(chart: ChartView, laid: ElkNode, groups: Map<string, Group>): Drawing {
  const places = new Map<string, ElkNode>();
  const visit = (node: ElkNode): void => {
    places.set(node.id, node);
    node.children?.forEach(visit);
  };
  visit(laid);
  const inner = innerOf(chart);
  const boxes: Box[] = [];
  const dots: Point[] = [];
  const place = (state: ChartState, depth: number): void => {
    const { x = 0, y = 0, width = 0, height = 0 } = places.get(state.id) ?? {};
    boxes.push({ state, depth, x, y, width, height, texts: rowsOf(state, inner.get(state.id) ?? 0) });
    const dot = places.get(`start:${state.id}`);
    if (dot) dots.push({ x: (dot.x ?? 0) + dotSize / 2, y: (dot.y ?? 0) + dotSize / 2 });
    state.states.forEach((child) => place(child, depth + 1));
  };
  place(chart.root, 0);
  const edges = laid.edges ?? [];
  const starts = edges.filter(({ id }) => id.startsWith('start:')).map(pointsOf);
  const lines = edges.flatMap((edge): Line[] => {
    const group = groups.get(edge.id);
    if (!group) return [];
    const [label] = edge.labels ?? [];
    return [{ id: edge.id, edges: group.edges, target: group.target, points: pointsOf(edge), label: label ? { x: label.x ?? 0, y: label.y ?? 0, width: label.width ?? 0, height: label.height ?? 0, texts: (label.text ?? '').split('\n') } : null }];
  });
  return { machine: chart.machine, width: laid.width ?? 0, height: laid.height ?? 0, boxes: boxes.sort((a, b) => a.depth - b.depth), lines, dots, starts };
}

function pointsOf({ sections = [] }: ElkExtendedEdge): Point[] {
  return sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
}

/** An SVG path along the points, with round corners. */
export function pathOf(points: readonly Point[], radius = 7): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const before = points[index]!;
    const next = rest[index + 1];
    if (!next) {
      path += `L${point.x} ${point.y}`;
      return;
    }
    const from = towards(point, before, radius);
    const to = towards(point, next, radius);
    path += `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
  });
  return path;
}

/** The point this far from `from` on the way to `to`, halfway at most. */
function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: round(from.x + (to.x - from.x) * share), y: round(from.y + (to.y - from.y) * share) };
}

const round = (value: number): number => Math.round(value * 10) / 10;
