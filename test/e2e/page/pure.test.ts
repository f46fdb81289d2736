/** The page's arithmetic, without a browser: wall layout, words for states, H.264 profiles between server and browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraView } from '../../../src/api/protocol.ts';
import { nearRows } from '../../../visualizer/src/components/near.ts';
import { layoutWall } from '../../../visualizer/src/components/wall-layout.ts';
import { liveCamera } from '../../../visualizer/src/fake/fleet.ts';
import { arranged, placed } from '../../../visualizer/src/models/arrangement.ts';
import { age, describe, duration, sentence } from '../../../visualizer/src/models/describe.ts';
import { outputRank, outputsOf } from '../../../visualizer/src/models/outputs.ts';
import { densities } from '../../../visualizer/src/models/preferences.ts';
import { moment, timeText } from '../../../visualizer/src/models/times.ts';
import { bridgeProfiles } from '../../../visualizer/src/webrtc/profiles.ts';
import { createStatsReader } from '../../../visualizer/src/webrtc/stats.ts';

test('an automatic wall fits any fleet that stays readable onto the screen, and never spills over its width', () => {
  for (const [width, height] of [[360, 600], [1024, 700], [1600, 840], [1920, 1020], [3840, 2100], [5120, 1380]] as const) {
    for (let count = 1; count <= 64; count += 1) {
      for (const density of densities) {
        const { columns, tileWidth } = layoutWall({ count, width, height, density });
        assert.ok(Number.isInteger(columns) && columns >= 1 && tileWidth > 0, `${count} in ${width}×${height}, ${density}`);
        assert.ok(columns * tileWidth + (columns - 1) * 8 <= width, `${count} tiles spill over ${width}×${height}, ${density}`);
      }
    }
  }
  const { columns, tileWidth } = layoutWall({ count: 36, width: 1900, height: 1010, density: 'auto' });
  const rows = Math.ceil(36 / columns);
  assert.ok(rows * ((tileWidth * 9) / 16 + 34) + (rows - 1) * 8 <= 1010, '36 tiles fit a full-HD screen');
});

test('every camera state has words, and the countdown never goes below zero', () => {
  const live = liveCamera(0, 0);
  const state = (patch: Partial<CameraView>): CameraView => ({ ...live, ...patch });
  const lastError = { class: 'reset', code: 'econnreset', message: '', at: '' } as const;
  const retry = state({ state: 'backoff', lastError, nextRetryAt: new Date(10_000).toISOString() });
  assert.equal(sentence(describe(retry, 7_200)), 'Connection reset, next try in 3 s');
  assert.equal(sentence(describe(retry, 12_000)), 'Connection reset, trying now');
  assert.equal(sentence(describe(state({ state: 'connecting', substate: 'probing', attempt: 2, lastError }), 0)), 'Connection reset, trying now');
  assert.equal(describe(state({ state: 'connecting', substate: 'probing', attempt: 0, lastError: null }), 0).title, 'Connecting');
  assert.deepEqual([duration(59_999), duration(61_000), duration(3_660_000), duration(100_000_000)], ['59 s', '1 min 01 s', '1 h 01 min', '1 d 3 h']);
  assert.deepEqual([age(-5), age(9_949), age(12_400)], ['0.0 s', '9.9 s', '12 s']);
});

const h264 = (preferredPayloadType: number, id: string) => ({ kind: 'video' as const, mimeType: 'video/H264', clockRate: 90_000, preferredPayloadType, parameters: { 'packetization-mode': 1, 'profile-level-id': id } });
const idsOf = (codecs: { parameters?: Record<string, unknown> }[] | undefined): unknown[] => (codecs ?? []).map(({ parameters }) => parameters?.['profile-level-id']);

test('a profile the browser does not list is announced to it as one it lists, and to the server as what it is', () => {
  const router = { codecs: [h264(100, '42e01f'), h264(102, '4d001f'), h264(104, '64001f')] };
  const bridge = bridgeProfiles(router, ['42001f', '42e01f', '4d001f', 'f4001f']);
  assert.deepEqual(idsOf(bridge.routerCapabilities.codecs), ['42e01f', '4d001f', '4d001f']);
  assert.deepEqual(idsOf(bridge.toServer(bridge.routerCapabilities).codecs), ['42e01f', '4d001f', '64001f']);
  const consumer = { codecs: [{ mimeType: 'video/H264', clockRate: 90_000, payloadType: 104, parameters: { 'profile-level-id': '640028' } }] };
  assert.deepEqual(idsOf(bridge.toBrowser(consumer).codecs), ['4d001f']);
  assert.deepEqual(idsOf(router.codecs), ['42e01f', '4d001f', '64001f'], 'the input is left alone');
});

test('a browser that lists every profile is told nothing but the truth', () => {
  const router = { codecs: [h264(100, '42e01f'), h264(104, '64001f')] };
  const bridge = bridgeProfiles(router, ['42e01f', '640034']);
  assert.equal(bridge.routerCapabilities, router);
  assert.equal(bridge.toServer(router), router);
});

test('an arrangement keeps its order, lets new cameras come behind it, and survives those that are gone', () => {
  assert.deepEqual(arranged(['a', 'b', 'c'], []), ['a', 'b', 'c']);
  assert.deepEqual(arranged(['a', 'b', 'c', 'new'], ['c', 'gone', 'a']), ['c', 'a', 'b', 'new']);
  assert.deepEqual(placed(['a', 'b', 'c'], 'a', 'c'), ['b', 'c', 'a']);
  assert.deepEqual(placed(['a', 'b', 'c'], 'c', 'a'), ['c', 'a', 'b']);
  assert.deepEqual(placed(['a', 'b'], 'x', 'a'), ['a', 'b']);
  assert.deepEqual(placed(['a', 'b'], 'a', 'x'), ['a', 'b']);
});

test('the figures of a viewer are those of the last second, and its latency reaches from the worker to the decoded picture', () => {
  const report = (seconds: number) => new Map<string, object>([
    ['video', { type: 'inbound-rtp', kind: 'video', timestamp: seconds * 1_000, codecId: 'codec', bytesReceived: seconds * 250_000, framesDecoded: seconds * 25, totalDecodeTime: seconds * 0.05, totalProcessingDelay: seconds * 1.25, jitter: 0.004, packetsLost: 3 }],
    ['codec', { type: 'codec', mimeType: 'video/H264', sdpFmtpLine: 'profile-level-id=4d0028' }],
    ['unused', { type: 'candidate-pair', state: 'waiting', currentRoundTripTime: 9 }],
    ['pair', { type: 'candidate-pair', state: 'succeeded', currentRoundTripTime: 0.02 }],
  ]) as unknown as RTCStatsReport;
  const read = createStatsReader();
  assert.equal(read(report(1))?.latencyMs, null, 'one reading is no rate');
  const { fps, bitrate, decodeMs, latencyMs, jitterMs, packetsLost, profileLevelId } = read(report(2))!;
  assert.deepEqual([fps, bitrate, Math.round(decodeMs!), Math.round(latencyMs!), jitterMs, packetsLost, profileLevelId], [25, 2_000_000, 2, 60, 4, 3, '4d0028']);
  assert.equal(createStatsReader()(new Map() as unknown as RTCStatsReport), null);
});

test('outputs that are switched on, at work or failing have a mark with the reason; WebRTC has none while the camera is away', () => {
  const camera = liveCamera(0, 0);
  const { hls, record } = camera.outputs;
  const lastError = { class: 'storage', code: 'enospc', message: '', at: '' } as const;
  const busy: CameraView = { ...camera, outputs: { ...camera.outputs, hls: { ...hls, state: 'running' }, record: { ...record, mode: 'continuous', state: 'backoff', lastError }, sound: { state: 'running', lastError: null, host: null, verdicts: null } } };
  const told = (view: CameraView): string[] => outputsOf(view).map(({ word, tone, title }) => `${tone} ${word} (${title})`);
  assert.deepEqual(told(busy), ['live WebRTC (WebRTC: H.264 without B-frames)', 'live HLS (HLS: running)', 'warn rec (Recording: failed, tries again, storage not writable)', 'live sound (Sound: running)']);
  assert.deepEqual(told({ ...camera, state: 'backoff', outputs: { ...camera.outputs, hls: { ...hls, mode: 'off' } } }), ['off WebRTC (WebRTC: H.264 without B-frames)']);
  assert.ok(outputRank(busy) > outputRank(camera), 'what fails comes first');
});

test('of a long list the rows near the screen are there, wherever it is scrolled to, and the places of the others fill it up', () => {
  const [rowHeight, screen] = [49, 900];
  for (const count of [0, 1, 7, 8, 9, 500]) {
    for (let scrolled = 0; scrolled <= count * rowHeight; scrolled += 31) {
      const { from, to, above, below } = nearRows({ count, rowHeight, top: 200 - scrolled, screen });
      assert.equal(above + (to - from) * rowHeight + below, count * rowHeight);
      assert.ok(from >= 0 && to <= count && to - from <= Math.ceil((screen + 400) / rowHeight) + 8);
      const seen = (row: number): boolean => 200 - scrolled + (row + 1) * rowHeight > 0 && 200 - scrolled + row * rowHeight < screen;
      for (let row = 0; row < count; row += 1) assert.ok(!seen(row) || (row >= from && row < to), `row ${row} of ${count} at ${scrolled}`);
    }
  }
});

test('times of day have 24 hours in every zone and language', () => {
  assert.equal(timeText(new Date(2026, 0, 1, 0, 5, 9).getTime()), '00:05:09');
  assert.match(moment('2026-01-01T13:30:00.000Z'), /\d\d:30:00 \(2026-01-01 13:30:00 UTC\)$/u);
});
