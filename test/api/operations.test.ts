/** Metrics, health and readiness: what watches over Lookout. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { apiBench, type ApiBench } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { cameraView, scriptedControl } from '../support/scripted-control.ts';

const metricsOf = async ({ app, as }: ApiBench) => (await app.inject({ url: '/metrics', headers: as('viewer') })).body;

test('every camera has its series, with the values of the supervisor', async (t) => {
  const text = await metricsOf(await apiBench(t));
  for (const line of [
    'vms_media_camera_state{camera="gate",state="streaming"} 1', 'vms_media_camera_state{camera="gate",state="backoff"} 0',
    'vms_media_camera_state_seconds_total{camera="gate",state="backoff"} 1.5', 'vms_media_camera_restarts_total{camera="gate",class="reset"} 2',
    'vms_media_camera_packets_total{camera="gate"} 1000', 'vms_media_camera_keyframes_total{camera="gate"} 40', 'vms_media_ingest_packets_lost_total{camera="gate"} 0',
    'vms_media_camera_last_packet_age_seconds{camera="gate"} 0.012', 'vms_media_camera_last_keyframe_age_seconds{camera="gate"} 0.4',
    'vms_media_camera_fps{camera="gate"} 25', 'vms_media_camera_bitrate_bits{camera="gate"} 2000000', 'vms_media_viewers{camera="gate"} 0',
    'vms_media_output_state{camera="gate",output="live",state="open"} 1', 'vms_media_hosts{role="source"} 1', 'vms_media_host_rss_bytes{camera="gate",role="source"} 1000',
    'vms_media_orphans 0', 'vms_media_store_up 1', 'vms_media_sfu_worker_up{worker="0"} 1', 'vms_media_sfu_worker_routers{worker="0"} 1',
  ]) assert.ok(text.includes(`${line}\n`), line);
  assert.match(text, /vms_media_process_cpu_seconds_total /u);
  assert.ok(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).every((line) => line.startsWith('vms_media_')));
});

test('counters read the same however often they are asked for, and grow with the supervisor', async (t) => {
  const bench = await apiBench(t);
  await metricsOf(bench);
  const counters = bench.script.counters.get('gate');
  assert.ok(counters);
  assert.match(await metricsOf(bench), /camera_packets_total\{camera="gate"\} 1000\n/u);
  bench.script.counters.set('gate', { ...counters, packets: 1234 });
  assert.match(await metricsOf(bench), /camera_packets_total\{camera="gate"\} 1234\n/u);
});

test('the series of a removed camera disappear, and unknown figures are left out rather than guessed', async (t) => {
  const bench = await apiBench(t, { script: scriptedControl(['gate', 'yard']) });
  bench.script.cameras.set('yard', cameraView('yard', { media: null, freshness: { packetAgeMs: null, keyframeAgeMs: null }, state: 'backoff' }));
  const before = await metricsOf(bench);
  assert.match(before, /camera="yard"/u);
  assert.doesNotMatch(before, /(fps|bitrate_bits|age_seconds)\{camera="yard"/u);
  await bench.app.inject({ method: 'DELETE', url: '/api/v1/cameras/yard', headers: bench.as('admin') });
  assert.doesNotMatch(await metricsOf(bench), /yard/u);
});

test('recoveries and re-spawned actors are counted as they happen', async (t) => {
  const bench = await apiBench(t);
  bench.script.emit({ type: 'recovered', id: 'gate', class: 'reset', seconds: 0.08 });
  bench.script.emit({ type: 'recovered', id: 'gate', class: 'reset', seconds: 4 });
  bench.script.emit({ type: 'actor-restarted', actor: 'camera', id: 'camera:gate' });
  const text = await metricsOf(bench);
  assert.match(text, /camera_recovery_seconds_bucket\{le="0\.1",class="reset"\} 1\n/u);
  assert.match(text, /camera_recovery_seconds_count\{class="reset"\} 2\n/u);
  assert.match(text, /actor_restarts_total\{actor="camera"\} 1\n/u);
});

test('readiness tells the reasons of the supervisor', async (t) => {
  const { app, script } = await apiBench(t);
  assert.deepEqual((await app.inject({ url: '/readyz' })).json(), { ready: true, reasons: [], warnings: [] });
  script.readiness = { ready: false, reasons: ['No media worker runs.'] };
  const answer = await app.inject({ url: '/readyz' });
  assert.deepEqual([answer.statusCode, answer.json()], [503, { ready: false, reasons: ['No media worker runs.'], warnings: [] }]);
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'alive all the same');
});

test('a store that cannot write shows in readiness and metrics, while cameras can still be seen', async (t) => {
  const bench = await apiBench(t);
  const { app, as, config, store } = bench;
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: as('viewer') })).statusCode, 200);
  const intruder = new DatabaseSync(join(config.data, 'lookout.db'));
  defer(t, () => intruder.close());
  intruder.exec('BEGIN EXCLUSIVE');
  store.journal.append({ at: Date.now(), camera: 'gate', type: 'camera.transition', from: null, to: null, class: null, code: null, message: 'm', evidence: null, attempt: null, delayMs: null });
  await eventually(async () => (await app.inject({ url: '/readyz' })).statusCode === 503, { what: 'readiness to tell' });
  assert.match((await app.inject({ url: '/readyz' })).body, /The store does not work: .*locked/u);
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: as('viewer') })).statusCode, 200);
  assert.match(await metricsOf(bench), /vms_media_store_up 0\n/u);
});

test('a port of their own serves metrics without login, and nothing else', async (t) => {
  const port = await freePort();
  const { listen, app } = await apiBench(t, { env: { LOOKOUT_METRICS_PORT: String(port) } });
  await listen();
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /vms_media_camera_state/u);
  for (const path of ['/', '/api/v1/cameras', '/stats']) assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404);
  await app.close();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`));
});
