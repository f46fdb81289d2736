/** A scripted fleet: cameras in every state, and the same transitions every run. */
import type { CameraView, EventView, LastError, MediaView, SystemView } from '../../../src/api/protocol.ts';

const names = ['Front gate', 'Lobby', 'Loading dock', 'Harbour east', 'Warehouse A', 'Back fence', 'Main street', 'Corridor 1', 'Courtyard', 'Pier 4', 'Warehouse B', 'Car park north',
  'Junction', 'Corridor 2', 'Farm shop', 'Slipway', 'Cold store', 'Car park south', 'Bus stop', 'Server room', 'Playground', 'Breakwater', 'Packing hall', 'Rear entrance',
  'Bridge', 'Reception', 'Garden', 'Lighthouse', 'Archive', 'Substation', 'Crossing', 'Stairwell', 'Stables', 'Ferry berth', 'Workshop', 'Roof'];

const profiles = ['high', 'main', 'constrained-baseline'] as const;
const profileLevelIds = { high: '640028', main: '4d0028', 'constrained-baseline': '42e01f' } as const;

function media(index: number): MediaView {
  const profile = profiles[index % profiles.length]!;
  return {
    codec: 'H264', profile, profileLevelId: profileLevelIds[profile], width: index % 4 === 3 ? 1920 : 1280, height: index % 4 === 3 ? 1080 : 720, fps: index % 5 === 4 ? 15 : 25,
    bitrate: 1_600_000 + ((index * 377) % 1200) * 1000, keyframeIntervalMs: 2_000, audio: index % 3 === 0 ? { codec: 'PCMU', rate: 8000, channels: 1 } : null,
  };
}

export type Trouble = { state: CameraView['state']; substate?: CameraView['substate']; class?: LastError['class']; message?: string; retryInMs?: number; attempt?: number };

/** The troubles that the fleet goes through, in order. */
export const troubles: Trouble[] = [
  { state: 'backoff', class: 'reset', message: 'The camera closed the connection (ECONNRESET) while playing.', retryInMs: 14_400, attempt: 2 },
  { state: 'quarantined', class: 'auth', message: 'The camera refused the login: RTSP/1.0 401 Unauthorized.', retryInMs: 252_000, attempt: 3 },
  { state: 'streaming', substate: 'stalled', class: 'silent', message: 'No packet for 1.2 s while playing.' },
  { state: 'connecting', substate: 'probing', class: 'timeout', message: 'No answer to DESCRIBE within 5 s.', attempt: 4 },
  { state: 'stopped' },
];

/** The id of the camera at `index`. */
export function idOf(index: number): string {
  return nameOf(index).toLowerCase().replace(/[^a-z0-9]+/gu, '-');
}

function nameOf(index: number): string {
  const round = Math.floor(index / names.length);
  return `${names[index % names.length]}${round === 0 ? '' : ` ${round + 1}`}`;
}

/** A live camera. */
export function liveCamera(index: number, now: number): CameraView {
  return {
    id: idOf(index), name: nameOf(index), url: `rtsp://192.168.20.${10 + index}:554/stream1`, enabled: true, transport: index % 2 ? 'tcp' : 'auto',
    desired: 'running', state: 'streaming', substate: 'live', since: new Date(now - 3_600_000 * (1 + (index % 7)) - index * 61_000).toISOString(), attempt: 0, nextRetryAt: null, lastError: null,
    restarts: index % 6 === 5 ? 2 : 0, media: media(index), freshness: { packetAgeMs: 20 + ((index * 7) % 60), keyframeAgeMs: 400 + ((index * 131) % 1500) }, viewers: 1,
    host: { pid: 4100 + index * 3, rssBytes: 61_000_000 + index * 210_000 }, worker: { pid: 3988 + (index % 2) },
    outputs: { live: { state: 'streaming', lastError: null, host: null, verdict: { ok: true, why: 'H.264 without B-frames' } }, hls: { state: 'off', mode: 'on-demand', lastError: null, host: null, since: new Date(now - 3_600_000).toISOString(), segments: 0 }, record: { state: 'off', mode: 'off', lastError: null, host: null, since: new Date(now - 3_600_000).toISOString(), file: null, bytes: 0 }, frames: { state: 'off', mode: 'off', lastError: null, host: null, since: new Date(now - 3_600_000).toISOString(), width: 640, height: 360, fps: 5, format: 'RGB', readers: { tcp: 0, sharedMemory: 0 }, missed: 0, behindMs: null }, snapshot: { state: 'idle', lastError: null, host: null } },
  };
}

/** The same camera in trouble. */
export function troubled(camera: CameraView, trouble: Trouble, now: number): CameraView {
  const lastError = trouble.class ? { class: trouble.class, code: trouble.class, message: trouble.message ?? '', at: new Date(now - 2_000).toISOString() } : camera.lastError;
  const away = trouble.substate !== 'stalled';
  return {
    ...camera, state: trouble.state, substate: trouble.substate ?? null, desired: trouble.state === 'stopped' ? 'stopped' : 'running', since: new Date(now - 2_000).toISOString(), lastError,
    attempt: trouble.attempt ?? 0, nextRetryAt: trouble.retryInMs === undefined ? null : new Date(now + trouble.retryInMs).toISOString(), restarts: camera.restarts + 1,
    freshness: trouble.state === 'stopped' ? { packetAgeMs: null, keyframeAgeMs: null } : { packetAgeMs: 2_300, keyframeAgeMs: 4_100 },
    viewers: away ? 0 : camera.viewers, host: away ? null : camera.host,
  };
}

/** The program. */
export function systemView(count: number, now: number): SystemView {
  return { version: '0.1.0', startedAt: new Date(now - 86_400_000).toISOString(), instance: 'fake', demo: count === 4, cameras: count, live: count, viewers: 2, hosts: count, orphans: 0, cpu: 0.31, rssBytes: 148_000_000, eventLoopDelayMs: 1.4 };
}

/** Journal rows of a camera: a start and one loss with its recovery. */
export function history(camera: string, now: number): EventView[] {
  const rows: [number, string | null, string | null, LastError['class'] | null, string, number | null][] = [
    [7_200_000, null, 'connecting', null, 'The camera was started.', null],
    [7_199_100, 'connecting', 'streaming', null, 'First packet after 0.9 s: H.264 main, 1280 × 720.', null],
    [1_804_000, 'streaming', 'teardown', 'reset', 'The camera closed the connection (ECONNRESET) while playing.', null],
    [1_803_800, 'teardown', 'backoff', 'reset', 'Attempt 1 starts at once, as always after a reset.', 0],
    [1_803_790, 'backoff', 'connecting', null, 'Connecting again.', null],
    [1_803_100, 'connecting', 'backoff', 'refused', 'Connection to 192.168.20.10:554 refused.', 850],
    [1_802_200, 'backoff', 'connecting', null, 'The port of the camera opened.', null],
    [1_801_600, 'connecting', 'streaming', null, 'First packet 2.4 s after the loss.', null],
  ];
  return rows.map(([ago, from, to, cls, message, delayMs], index) => ({
    seq: index + 1, at: new Date(now - ago).toISOString(), camera, type: 'camera.transition', from, to, class: cls, code: cls, message, evidence: null, attempt: cls ? 1 : null, delayMs, recording: false,
  })).reverse();
}
