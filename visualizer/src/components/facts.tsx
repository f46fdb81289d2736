/** Figures of one camera in fixed slots: what the source sends, and what this browser gets of it. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CameraView, SubView } from '../../../src/api/protocol.ts';
import type { PlayerStats } from '../adapter.ts';
import { useApp } from '../app.ts';
import { wayWord, type Choice } from '../models/ways.ts';
import { describeSub, subSentence } from '../models/describe.ts';

const statsEveryMs = 1_000;

type Fact = [name: string, value: string];

export function StreamFacts({ camera }: { camera: CameraView }): JSX.Element {
  const { media } = camera;
  const facts: Fact[] = [
    ['Codec', media ? codecWords[media.codec] : '–'],
    ['Profile', media?.profile?.replace('constrained-', 'constr. ') ?? '–'],
    ['Resolution', size(media?.width, media?.height)],
    ['Frame rate', number(media?.fps, 'fps')],
    ['Bitrate', bits(media?.bitrate)],
    ['Keyframe every', media?.keyframeIntervalMs == null ? '–' : `${(media.keyframeIntervalMs / 1000).toFixed(1)} s`],
    ['Audio', media?.audio ? `${media.audio.codec} ${media.audio.rate / 1000} kHz` : media ? 'none' : '–'],
    ['Sound here', soundWords(camera)],
    ['Transport', camera.transport],
    ['Restarts', String(camera.restarts)],
    ['Viewers', String(camera.viewers)],
    ['Raw frames', framesWord(camera)],
    ['Transcode', transcodeWord(camera)],
    ['Host', camera.host ? `${camera.host.pid}${camera.host.rssBytes > 0 ? ` · ${megabytes(camera.host.rssBytes)}` : ''}` : '–'],
    ['Worker', camera.worker ? String(camera.worker.pid) : '–'],
  ];
  return <Facts id="stream" title="Stream" facts={facts} note={camera.url} />;
}

/** The second stream: its own health, and what it sends while somebody watches. */
export function SubFacts({ camera, sub }: { camera: CameraView; sub: SubView }): JSX.Element {
  const { clock } = useApp();
  const { media } = sub;
  const facts: Fact[] = [
    ['State', describeSub(camera, sub, clock.serverNow()).title],
    ['Codec', media ? codecWords[media.codec] : '–'],
    ['Resolution', size(media?.width, media?.height)],
    ['Frame rate', sub.state === 'streaming' ? number(media?.fps, 'fps') : '–'],
    ['Bitrate', sub.state === 'streaming' ? bits(media?.bitrate) : '–'],
    ['Restarts', String(sub.restarts)],
    ['Viewers', String(sub.viewers)],
    ['Host', sub.host ? String(sub.host.pid) : '–'],
  ];
  return <Facts id="sub" title="Sub stream" facts={facts} note={subSentence(camera, clock.serverNow()) ?? sub.url} />;
}

/** What viewers hear, in the words of a slot. */
function soundWords({ media, outputs: { sound } }: CameraView): string {
  if (!media || !sound?.verdicts) return media && !media.audio ? 'none' : '–';
  if (!sound.verdicts.webrtc.ok) return 'cannot be played';
  return media.audio?.codec === 'MPEG4-GENERIC' ? 'as Opus' : 'as it is';
}

/** What this browser gets, which way, and why no better one. */
export function ViewerFacts({ camera, choice }: { camera: CameraView; choice: Choice }): JSX.Element {
  const { id } = camera;
  const { playbacks } = useApp();
  const stats = useSignal<PlayerStats | null>(null);
  useEffect(() => {
    const read = async (): Promise<void> => {
      stats.value = (await playbacks.peek(id)?.stats().catch(() => null)) ?? null;
    };
    const timer = setInterval(() => void read(), statsEveryMs);
    return () => clearInterval(timer);
  }, [id]);
  const now = stats.value;
  const facts: Fact[] = [
    ['Way', wayWord(choice, camera)],
    ['Received', bits(now?.bitrate)],
    ['Shown', number(now?.fps, 'fps')],
    ['Picture', size(now?.width, now?.height)],
    ['Negotiated', now?.profileLevelId ?? '–'],
    ['Jitter', milliseconds(now?.jitterMs)],
    ['Decode time', milliseconds(now?.decodeMs)],
    ['Latency', milliseconds(now?.latencyMs)],
    ['Packets', count(now?.packetsReceived)],
    ['Packets lost', count(now?.packetsLost)],
    ['Frames', count(now?.framesDecoded)],
    ['Frames dropped', count(now?.framesDropped)],
    ['Freezes', count(now?.freezes)],
  ];
  return <Facts id="viewer" title="This browser" facts={facts} note={null} why={whyThisWay(camera, choice)} />;
}

/** Why it is shown this way, whole: what could be done about it is in the verdict behind its first sentence. */
function whyThisWay({ outputs: { live: { carriage, verdict } } }: CameraView, { way, why }: Choice): string | null {
  if (way === 'webrtc') return carriage === 'transcode' ? verdict?.why ?? null : null;
  return verdict?.ok === false ? `${why} ${verdict.why.slice(verdict.why.indexOf('. ') + 2)}` : why;
}

function Facts({ id, title, facts, note, why = null }: { id: string; title: string; facts: Fact[]; note: string | null; why?: string | null }): JSX.Element {
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <dl class="facts">
        {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      {why !== null && <p class="muted" data-why>{why}</p>}
      {note !== null && <code class="address">{note}</code>}
    </section>
  );
}

function framesWord({ outputs: { frames } }: CameraView): string {
  if (frames.mode === 'off') return 'off';
  const { state, width, height, fps, format, readers: { tcp, sharedMemory } } = frames;
  return `${state} · ${width} × ${height} ${format}, ${fps} fps · ${tcp + sharedMemory} reading`;
}

function transcodeWord({ outputs: { live, transcode } }: CameraView): string {
  if (live.carriage === 'plain') return 'not needed';
  if (live.carriage !== 'transcode' || !transcode) return live.transcode ?? '–';
  const { state, host, width, height, cores } = transcode;
  return [state, width !== null && height !== null && `${width} × ${height}`, cores !== null && `${cores} cores`, host && `${host.pid}${host.rssBytes > 0 ? ` · ${megabytes(host.rssBytes)}` : ''}`].filter(Boolean).join(' · ');
}

const codecWords = { H264: 'H.264', H265: 'H.265' } as const;

type Maybe = number | null | undefined;

function size(width: Maybe, height: Maybe): string {
  return width == null || height == null ? '–' : `${width} × ${height}`;
}

function number(value: Maybe, unit: string): string {
  return value == null ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

function milliseconds(value: Maybe): string {
  return value == null ? '–' : `${value.toFixed(1)} ms`;
}

function count(value: Maybe): string {
  return value == null ? '–' : value.toLocaleString();
}

/** bits per second in the unit people use. */
export function bits(value: Maybe): string {
  if (value == null) return '–';
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} Mbit/s` : `${Math.round(value / 1e3)} kbit/s`;
}

/** Memory. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
