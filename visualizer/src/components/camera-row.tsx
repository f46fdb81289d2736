/** A row of the list. */
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CameraView } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import type { CameraEntry } from '../models/cameras.ts';
import { sentence, subSentence } from '../models/describe.ts';
import { outputsOf } from '../models/outputs.ts';
import { href } from '../models/route.ts';
import { moment } from '../models/times.ts';
import { Commands } from './commands.tsx';
import { bits, megabytes } from './facts.tsx';
import { Dot, FrameAge, Since, StateLabel, useDescription } from './state.tsx';

/** Of the table. */
export const columns = 12;

/** `index`: its place in the whole table, for those who cannot see how much of it is left out. A row that only moves renders nothing else. */
export function Row({ id, index, chosen }: { id: string; index: number; chosen: Signal<ReadonlySet<string>> }): JSX.Element {
  const row = useRef<HTMLTableRowElement>(null);
  return <tr ref={row} data-camera={id} aria-rowindex={index}><Cells id={id} chosen={chosen} row={row} /></tr>;
}

function Cells({ id, chosen, row }: { id: string; chosen: Signal<ReadonlySet<string>>; row: { current: HTMLElement | null } }): JSX.Element | null {
  const { fleet } = useApp();
  const entry = fleet.camera(id).value;
  const state = entry?.view.state;
  useEffect(() => {
    const element = row.current;
    if (state !== undefined) element?.setAttribute('data-state', state);
    return () => element?.removeAttribute('data-state');
  }, [state]);
  if (!entry) return null;
  const { view } = entry;
  const choose = (): void => {
    const next = new Set(chosen.peek());
    if (!next.delete(id)) next.add(id);
    chosen.value = next;
  };
  return (
    <>
      <td class="choice"><input type="checkbox" aria-label={`Select ${view.name}`} checked={chosen.value.has(id)} onChange={choose} /></td>
      <th scope="row"><a href={href({ view: 'camera', id })}>{view.name}</a><code class="address" title={view.url}>{view.url}</code></th>
      <td data-label="State"><StateLabel entry={entry} /></td>
      <td class="numeric" data-label="For"><Since entry={entry} /></td>
      <td class="reason"><Reason entry={entry} /></td>
      <td class="numeric" data-label="Last frame"><FrameAge entry={entry} /></td>
      <td class="numeric stream" data-label="Stream"><StreamCell camera={view} /></td>
      <td class="outputs" data-label="Outputs"><Outputs camera={view} /></td>
      <td class="numeric" data-label="Viewers">{view.viewers}</td>
      <td class="numeric" data-label="Restarts">{view.restarts}</td>
      <td class="numeric stream" data-label="Processes"><Processes camera={view} /></td>
      <td><Commands camera={view} labels={false} /></td>
    </>
  );
}

/** What flows now. */
function StreamCell({ camera: { state, media } }: { camera: CameraView }): JSX.Element {
  const flows = state === 'streaming' ? media : null;
  const fps = flows?.fps ?? null;
  return <>{bits(flows?.bitrate)}<span class="stream-more">{fps === null ? '–' : `${Math.round(fps)} fps`}</span></>;
}

function Outputs({ camera }: { camera: CameraView }): JSX.Element {
  return (
    <ul class="output-list">
      {outputsOf(camera).map(({ name, word, tone, title }) => <li key={name} class={`output tone-${tone}`} data-output={name} title={name === 'record' && tone === 'live' ? `${title}, since ${moment(camera.outputs.record.since)}` : title}><Dot tone={tone} /><span aria-hidden="true">{word}</span><span class="hidden">{title}</span></li>)}
    </ul>
  );
}

/** Its host and the media worker that carries it, by process id. */
function Processes({ camera: { host, worker } }: { camera: CameraView }): JSX.Element {
  const memory = host && host.rssBytes > 0 ? megabytes(host.rssBytes) : null;
  return (
    <>
      <span title={host ? `Host, process ${host.pid}${memory === null ? '' : `, ${memory}`}` : 'No host'}>{host ? host.pid : '–'}{memory !== null && <span class="muted"> {memory}</span>}</span>
      <span class="stream-more" title={worker ? `Media worker, process ${worker.pid}` : 'No media worker'}>{worker ? `worker ${worker.pid}` : '–'}</span>
    </>
  );
}

/** A second stream that fails is told, but is no trouble of the camera itself. */
function Reason({ entry }: { entry: CameraEntry }): JSX.Element {
  const { clock } = useApp();
  const words = sentence(useDescription(entry));
  const sub = subSentence(entry.view, clock.serverNow());
  return <>{words}{sub !== null && <span class="tone-warn" data-sub> {sub}</span>}</>;
}
