/** The list of all cameras: state, since when, why, and what can be done about it. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { sentence } from '../models/describe.ts';
import { href } from '../models/route.ts';
import { Commands } from './commands.tsx';
import { megabytes } from './facts.tsx';
import { Empty, NothingFound } from './placeholders.tsx';
import { FrameAge, Since, StateLabel, useDescription } from './state.tsx';

type Column = 'name' | 'state' | 'since' | 'viewers' | 'restarts';
type Sort = { column: Column; descending: boolean };

/** Trouble first. */
const stateOrder = ['quarantined', 'backoff', 'teardown', 'connecting', 'streaming', 'idle', 'stopped'];

export function Cameras(): JSX.Element {
  const { visible, fleet } = useApp();
  const sort = useSignal<Sort>({ column: 'name', descending: false });
  const ids = visible.value;
  return (
    <main class="list" id="main">
      <h1 class="hidden">Cameras</h1>
      <SystemFigures />
      {ids?.length === 0 && (fleet.ids.value?.length === 0 ? <Empty /> : <NothingFound />)}
      {ids !== null && ids.length > 0 && (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Cameras">
          <table class="table">
            <thead>
              <tr>
                <Head sort={sort} column="name">Camera</Head>
                <Head sort={sort} column="state">State</Head>
                <Head sort={sort} column="since" numeric>For</Head>
                <th scope="col">Reason</th>
                <th scope="col" class="numeric">Last frame</th>
                <Head sort={sort} column="viewers" numeric>Viewers</Head>
                <Head sort={sort} column="restarts" numeric>Restarts</Head>
                <th scope="col"><span class="hidden">Commands</span></th>
              </tr>
            </thead>
            <tbody>{sorted(ids, sort.value, fleet).map((id) => <Row key={id} id={id} />)}</tbody>
          </table>
        </div>
      )}
    </main>
  );
}

function sorted(ids: string[], { column, descending }: Sort, fleet: ReturnType<typeof useApp>['fleet']): string[] {
  if (column === 'name') return descending ? ids.toReversed() : ids;
  const key = (id: string): number => {
    const view = fleet.camera(id).value?.view;
    if (!view) return 0;
    if (column === 'state') return stateOrder.indexOf(view.state);
    if (column === 'since') return -Date.parse(view.since);
    return -view[column];
  };
  const order = ids.map((id) => ({ id, key: key(id) })).sort((a, b) => a.key - b.key).map(({ id }) => id);
  return descending ? order.reverse() : order;
}

function Head({ sort, column, numeric, children }: { sort: { value: Sort }; column: Column; numeric?: boolean; children: string }): JSX.Element {
  const { column: current, descending } = sort.value;
  const active = current === column;
  return (
    <th scope="col" class={numeric ? 'numeric' : undefined} aria-sort={active ? (descending ? 'descending' : 'ascending') : undefined}>
      <button type="button" class="sort" onClick={() => { sort.value = { column, descending: active && !descending }; }}>
        {children}<span class="sort-mark" aria-hidden="true">{active ? (descending ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}

function Row({ id }: { id: string }): JSX.Element | null {
  const { fleet } = useApp();
  const entry = fleet.camera(id).value;
  if (!entry) return null;
  const { view } = entry;
  return (
    <tr data-camera={id} data-state={view.state}>
      <th scope="row"><a href={href({ view: 'camera', id })}>{view.name}</a><code class="address">{view.url}</code></th>
      <td data-label="State"><StateLabel entry={entry} /></td>
      <td class="numeric" data-label="For"><Since entry={entry} /></td>
      <td class="reason"><Reason entry={entry} /></td>
      <td class="numeric" data-label="Last frame"><FrameAge entry={entry} /></td>
      <td class="numeric" data-label="Viewers">{view.viewers}</td>
      <td class="numeric" data-label="Restarts">{view.restarts}</td>
      <td><Commands camera={view} labels={false} /></td>
    </tr>
  );
}

function Reason({ entry }: { entry: CameraEntry }): JSX.Element {
  return <>{sentence(useDescription(entry))}</>;
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
