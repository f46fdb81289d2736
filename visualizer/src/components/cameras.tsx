/** The list of all cameras: state, since when, why, and what can be done about it. */
import { computed, useComputed, useSignal, useSignalEffect, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { useApp } from '../app.ts';
import { describe, type Tone } from '../models/describe.ts';
import { outputRank } from '../models/outputs.ts';
import { columns, Row } from './camera-row.tsx';
import { megabytes } from './facts.tsx';
import { FleetBar } from './fleet-bar.tsx';
import { FleetTrends } from './lazy.tsx';
import { useNear } from './near.ts';
import { Empty, NothingFound, NothingInState } from './placeholders.tsx';

type Column = 'name' | 'state' | 'since' | 'age' | 'bitrate' | 'outputs' | 'viewers' | 'restarts' | 'memory';
type Sort = { column: Column; descending: boolean };

/** Trouble first. */
const stateOrder = ['quarantined', 'backoff', 'teardown', 'connecting', 'streaming', 'idle', 'stopped'];

export function Cameras(): JSX.Element {
  const { visible, fleet } = useApp();
  const sort = useSignal<Sort>({ column: 'name', descending: false });
  const tone = useSignal<Tone | null>(null);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const searched = visible.value;
  const ids = useOrder({ sort, tone });
  const { body, near } = useNear<HTMLTableSectionElement>(ids.length);
  return (
    <main class="list" id="main">
      <h1 class="hidden">Cameras</h1>
      <SystemFigures />
      <LastHour />
      <FleetBar tone={tone} chosen={chosen} shown={ids} />
      {searched?.length === 0 && (fleet.ids.value?.length === 0 ? <Empty /> : <NothingFound />)}
      {searched !== null && searched.length > 0 && ids.length === 0 && <NothingInState onAll={() => { tone.value = null; }} />}
      {ids.length > 0 && (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Cameras">
          <table class="table" aria-rowcount={ids.length + 1}>
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col" class="choice"><All chosen={chosen} ids={ids} /></th>
                <Head sort={sort} column="name">Camera</Head>
                <Head sort={sort} column="state">State</Head>
                <Head sort={sort} column="since" numeric>For</Head>
                <th scope="col" class="reason">Reason</th>
                <Head sort={sort} column="age" numeric>Last frame</Head>
                <Head sort={sort} column="bitrate" numeric>Stream</Head>
                <Head sort={sort} column="outputs">Outputs</Head>
                <Head sort={sort} column="viewers" numeric>Viewers</Head>
                <Head sort={sort} column="restarts" numeric>Restarts</Head>
                <Head sort={sort} column="memory" numeric>Processes</Head>
                <th scope="col" data-column="commands"><span class="hidden">Commands</span></th>
              </tr>
            </thead>
            <tbody ref={body}>
              <Place key="above" height={near.above} />
              {ids.slice(near.from, near.to).map((id, place) => <Row key={id} id={id} index={near.from + place + 2} chosen={chosen} />)}
              <Place key="below" height={near.below} />
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}

/** Where rows are that are far from the screen. */
function Place({ height }: { height: number }): JSX.Element | null {
  return height > 0 ? <tr class="place" aria-hidden="true"><td colSpan={columns} style={{ height: `${height}px` }} /></tr> : null;
}

/** A row does not move more often than this, else nobody could hit it. */
const orderMs = 1_000;

/** The rows in their order. What the user chooses is there at once; what cameras do moves rows once a second. */
function useOrder({ sort, tone }: { sort: Signal<Sort>; tone: Signal<Tone | null> }): string[] {
  const { visible, fleet } = useApp();
  // One text, so that a change of a camera that moves no row renders nothing. Ids hold no spaces.
  const order = useComputed(() => sorted(ofTone(visible.value ?? [], tone.value, fleet), sort.value, fleet).join(' '));
  const shown = useSignal(order.peek());
  const chosen = useMemo(() => computed(() => [sort.value, tone.value, visible.value]), [sort, tone]);
  useSignalEffect(() => {
    void chosen.value;
    shown.value = order.peek();
  });
  useEffect(() => {
    const timer = setInterval(() => { shown.value = order.peek(); }, orderMs);
    return () => clearInterval(timer);
  }, []);
  return shown.value === '' ? [] : shown.value.split(' ');
}

function All({ chosen, ids }: { chosen: Signal<ReadonlySet<string>>; ids: string[] }): JSX.Element {
  const all = ids.every((id) => chosen.value.has(id));
  return <input type="checkbox" aria-label="Select all cameras shown" checked={all} onChange={() => { chosen.value = new Set(all ? [] : ids); }} />;
}

function ofTone(ids: string[], tone: Tone | null, fleet: ReturnType<typeof useApp>['fleet']): string[] {
  if (tone === null) return ids;
  return ids.filter((id) => {
    const view = fleet.camera(id).value?.view;
    return view !== undefined && describe(view, 0).tone === tone;
  });
}

function sorted(ids: string[], { column, descending }: Sort, fleet: ReturnType<typeof useApp>['fleet']): string[] {
  if (column === 'name') return descending ? ids.toReversed() : ids;
  const key = (id: string): number => {
    const view = fleet.camera(id).value?.view;
    if (!view) return 0;
    if (column === 'state') return stateOrder.indexOf(view.state);
    if (column === 'since') return -Date.parse(view.since);
    if (column === 'age') return -(view.freshness.packetAgeMs ?? Number.MAX_SAFE_INTEGER);
    if (column === 'outputs') return -outputRank(view);
    if (column === 'memory') return -(view.host?.rssBytes ?? 0);
    if (column === 'bitrate') return -(view.state === 'streaming' ? view.media?.bitrate ?? 0 : 0);
    return -view[column];
  };
  const order = ids.map((id) => ({ id, key: key(id) })).sort((a, b) => a.key - b.key).map(({ id }) => id);
  return descending ? order.reverse() : order;
}

function Head({ sort, column, numeric, children }: { sort: { value: Sort }; column: Column; numeric?: boolean; children: string }): JSX.Element {
  const { column: current, descending } = sort.value;
  const active = current === column;
  return (
    <th scope="col" data-column={column} class={numeric ? 'numeric' : undefined} aria-sort={active ? (descending ? 'descending' : 'ascending') : undefined}>
      <button type="button" class="sort" onClick={() => { sort.value = { column, descending: active && !descending }; }}>
        {children}<span class="sort-mark" aria-hidden="true">{active ? (descending ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}

/** Wide enough to be worth its height without being asked for. */
const wideForTrends = '(min-width: 1000px) and (min-height: 700px)';

function LastHour(): JSX.Element | null {
  const { fleet } = useApp();
  const open = useSignal(matchMedia(wideForTrends).matches);
  if (!fleet.ids.value || fleet.ids.value.length === 0) return null;
  return (
    <details class="last-hour" open={open.value} onToggle={(event) => { open.value = event.currentTarget.open; }}>
      <summary>Last hour</summary>
      {open.value && <FleetTrends />}
    </details>
  );
}

/** The program in one line of figures. */
function SystemFigures(): JSX.Element | null {
  const { fleet } = useApp();
  const system = fleet.system.value;
  if (!system) return null;
  const workers = fleet.workers.value;
  const figures: [string, string, boolean][] = [
    ['Live', `${fleet.counts.value.live} of ${fleet.ids.value?.length ?? 0}`, false],
    ['Viewers', String(system.viewers), false],
    ['Hosts', String(system.hosts), false],
    ['Workers', `${workers.filter(({ pid }) => pid !== null).length} of ${workers.length}`, workers.some(({ pid }) => pid === null)],
    ['Orphans', String(system.orphans), system.orphans > 0],
    ['Memory', megabytes(system.rssBytes), false],
    ['Event loop', `${system.eventLoopDelayMs.toFixed(1)} ms`, system.eventLoopDelayMs > 100],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value, bad]) => <div key={name} class={bad ? 'figure figure-bad' : 'figure'}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
