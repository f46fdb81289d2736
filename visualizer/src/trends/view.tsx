/** How the last hour went: of one camera beside its picture, of the fleet above the list. */
import './trends.css';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { TrendState as CameraTrendState } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import type { Tone } from '../models/describe.ts';
import { timeText } from '../models/times.ts';
import { axisWidth, Chart } from './chart.tsx';
import { createTrend, type Trend } from './model.ts';
import { hourMs, shares, stretches, type Points } from './points.ts';

export function CameraTrends({ id }: { id: string }): JSX.Element {
  return (
    <section class="panel camera-trends" aria-labelledby="trends">
      <h2 id="trends">Last hour</h2>
      <Charts camera={id} />
    </section>
  );
}

export function FleetTrends(): JSX.Element {
  return <Charts camera={null} />;
}

function Charts({ camera }: { camera: string | null }): JSX.Element {
  const app = useApp();
  const trend = useMemo(() => createTrend(app, camera), [app, camera]);
  useEffect(() => trend.dispose, [trend]);
  const state = trend.state.value;
  if (state.status === 'failed') return <Failed trend={trend} message={state.message} />;
  const points = state.status === 'ready' ? state.points : nothing;
  return (
    <div class="trends" aria-busy={state.status === 'loading'}>
      {camera !== null && <StateBand points={points} />}
      {camera === null && <Chart title="Cameras live" points={points} column="live" behind="cameras" colour="--live" format={whole} />}
      <Chart title="Bitrate" points={points} column="bitrate" colour="--accent" format={rate} />
      {camera !== null && <Chart title="Frames per second" points={points} column="fps" colour="--accent" format={short} />}
      {camera !== null && <Chart title="Age of the last packet" points={points} column="age" colour="--warn" format={seconds} />}
      {camera === null && <Chart title="Restarts" points={points} column="restarts" colour="--bad" format={whole} bars />}
    </div>
  );
}

const nothing: Points = { at: [], columns: {}, states: [] };

function Failed({ trend, message }: { trend: Trend; message: string }): JSX.Element {
  return <p class="field-error" role="alert">{message} <button type="button" class="link" onClick={trend.retry}>Try again</button></p>;
}

const tones: Record<CameraTrendState, Tone> = { live: 'live', stalled: 'warn', connecting: 'busy', backoff: 'warn', quarantined: 'bad', off: 'off' };

/** The states as a coloured band, over the same hour as the charts below it. */
function StateBand({ points }: { points: Points }): JSX.Element {
  const end = points.at.at(-1) ?? 0;
  const parts = stretches(points, end);
  const begin = end - hourMs / 1_000;
  const place = (at: number): number => Math.max(0, (at - begin) / (hourMs / 1_000)) * 100;
  return (
    <figure class="trend trend-band">
      <figcaption><span>State</span><span class="muted trend-shares">{shares(parts)}</span></figcaption>
      <div class="band" role="img" aria-label={`State, last hour: ${shares(parts)}`} style={{ marginLeft: `${axisWidth}px` }}>
        {parts.map(({ state, from, to }) => state !== null && (
          <span key={from} class={`band-part tone-${tones[state]} band-${state}`} data-state-band={state} title={`${state} since ${timeText(from * 1_000)}`} style={{ left: `${place(from)}%`, width: `${place(to) - place(from)}%` }} />
        ))}
      </div>
    </figure>
  );
}

const whole = (value: number): string => String(Math.round(value));
const short = (value: number): string => (value < 10 && !Number.isInteger(value) ? value.toFixed(1) : whole(value));
const rate = (value: number): string => (value >= 1e9 ? `${short(value / 1e9)} Gbit/s` : value >= 1e6 ? `${short(value / 1e6)} Mbit/s` : `${whole(value / 1e3)} kbit/s`);
const seconds = (value: number): string => (value < 1_000 ? `${whole(value)} ms` : `${short(value / 1_000)} s`);
