/** A camera and an export as the supervisor shows them, for tests of the interfaces. */
import type { CameraView, ExportView } from '../../src/api/protocol.ts';

/** A camera as the supervisor shows it. */
export function cameraView(id: string, changes: Partial<CameraView> = {}): CameraView {
  return {
    id, name: id, url: `rtsp://127.0.0.1/${id}`, enabled: true, transport: 'auto', desired: 'running', state: 'streaming', substate: 'live',
    since: '2026-01-01T00:00:00.000Z', attempt: 0, nextRetryAt: null, lastError: null, restarts: 0,
    media: { codec: 'H264', profile: 'main', profileLevelId: '4d401f', width: 1280, height: 720, fps: 25, bitrate: 2_000_000, keyframeIntervalMs: 1000, audio: null },
    freshness: { packetAgeMs: 12, keyframeAgeMs: 400 }, viewers: 0, host: { pid: 4711, rssBytes: 1000 }, worker: { pid: 4712 },
    outputs: { live: { state: 'open', lastError: null, host: null, verdict: { ok: true, why: 'main profile' } }, hls: { state: 'off', mode: 'on-demand', lastError: null, host: null, since: '2026-01-01T00:00:00.000Z', segments: 0 }, record: { state: 'off', mode: 'off', lastError: null, host: null, since: '2026-01-01T00:00:00.000Z', file: null, bytes: 0 }, frames: { state: 'off', mode: 'off', lastError: null, host: null, since: '2026-01-01T00:00:00.000Z', width: 640, height: 360, fps: 5, format: 'RGB', readers: { tcp: 0, sharedMemory: 0 }, missed: 0, behindMs: null }, snapshot: { state: 'idle', lastError: null, host: null } },
    ...changes,
  };
}

/** An export as the supervisor shows it. */
export function exportView(id: string, camera: string, changes: Partial<ExportView> = {}): ExportView {
  return {
    id, camera, format: 'mp4', state: 'done', progress: 1, from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:01:00.000Z', startAt: '2026-01-01T00:00:00.000Z', endAt: '2026-01-01T00:01:00.000Z',
    durationMs: 50_000, frames: 1_250, bytes: 200_000, codec: 'H264', width: 640, height: 360, sound: { codec: 'PCMU', included: false, reason: 'MP4 has no PCMU.' }, gaps: [{ from: '2026-01-01T00:00:20.000Z', to: '2026-01-01T00:00:30.000Z', durationMs: 10_000, atMs: 20_000 }],
    error: null, createdAt: '2026-01-01T00:02:00.000Z', expiresAt: '2026-01-02T00:02:00.000Z', ...changes,
  };
}
