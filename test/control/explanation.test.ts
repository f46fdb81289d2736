/** On the real program: why a camera is down is one request, its packet age goes on growing, and cameras lost together are one incident. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AvailabilityView, EventView, ExplanationView, FleetTrendView, IncidentView, TrendView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
const ids = ['one', 'two', 'three', 'four'];
const explanation = (id: string): Promise<ExplanationView> => lookout.api('GET', `/api/v1/cameras/${id}/explanation`);

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  lookout = await startLookout();
  for (const id of ids) await lookout.add({ id, url: cameras.url(id) });
  for (const id of ids) await lookout.until(id, 'streaming.live');
  for (const id of ids) await eventually(async () => (await lookout.camera(id)).freshness.packetAgeMs !== null, { what: `${id} to count packets` });
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

test('why is it down, since when, what happened before, when is the next try: one answer', async () => {
  assert.match((await explanation('one')).why, /^Live for /u);
  await cameras.script('one', { listen: 'closed' });
  const lostAt = Date.now();
  await cameras.act('one', { type: 'reset' });
  const told = await eventually(async () => {
    const answer = await explanation('one');
    return answer.state === 'backoff' && answer.attempts >= 3 ? answer : undefined;
  }, { timeoutMs: 15_000 }) as ExplanationView;
  assert.ok(Math.abs(Date.parse(told.downSince ?? '') - lostAt) < 3_000, `down since ${told.downSince}`);
  assert.match(told.why, /^Waiting \(attempt \d+ after "refused": within [\d.]+ s\); the next try is in [\d.]+ m?s\. Down for [\d.]+ m?s\./u);
  assert.equal(told.lastError?.class, 'refused');
  assert.match(told.evidence ?? '', /ECONNREFUSED/u);
  assert.ok(Date.parse(told.nextRetryAt ?? '') > lostAt);
  const story = told.before.map(({ to }) => to);
  for (const state of ['backoff', 'connecting', 'teardown', 'streaming.live']) assert.ok(story.includes(state), `${state} in ${story.join()}`);
  assert.match(told.before.find(({ to }) => to === 'backoff')?.message ?? '', /^Waiting [\d.]+ m?s before the next attempt \(attempt/u);
  assert.equal(told.availability.losses, 1);
  assert.equal(told.incident, null, 'one camera is no incident');
});

test('while a camera is away the age of its last packet goes on growing', async () => {
  const { freshness: { packetAgeMs: first } } = await lookout.camera('one');
  assert.ok(first !== null && first > 100, `${first} ms`);
  const later = await eventually(async () => {
    const { packetAgeMs } = (await lookout.camera('one')).freshness;
    return packetAgeMs !== null && packetAgeMs >= first + 500 ? packetAgeMs : undefined;
  });
  assert.ok(later);
  await cameras.script('one', { listen: 'open' });
  await lookout.until('one', 'streaming.live');
  await eventually(async () => ((await lookout.camera('one')).freshness.packetAgeMs ?? Infinity) < 500);
});

test('availability counts the gap by its class, and the time it took to recover', async () => {
  const view = await lookout.api<AvailabilityView>('GET', '/api/v1/cameras/one/availability?days=1');
  assert.equal(view.losses, 1);
  assert.equal(view.byClass[0]?.class, 'reset');
  assert.equal(view.recovery?.count, 1);
  assert.ok(view.uptime !== null && view.uptime > 0 && view.uptime < 1);
  assert.ok(Math.abs(view.gapSeconds - view.gapMinutes * 60) < 0.1);
  const untouched = await lookout.api<AvailabilityView>('GET', '/api/v1/cameras/two/availability');
  assert.equal(untouched.losses, 0);
});

test('cameras lost together are one incident with one cause, which ends with the last return', async () => {
  for (const id of ids) await cameras.script(id, { listen: 'closed' });
  await Promise.all(ids.map((id) => cameras.act(id, { type: 'reset' })));
  const open = await eventually(async () => {
    const [incident] = (await lookout.api<{ incidents: IncidentView[] }>('GET', '/api/v1/incidents')).incidents;
    return incident?.cameras.length === ids.length ? incident : undefined;
  }) as IncidentView;
  assert.equal(open.cause, 'address');
  assert.match(open.message, /^4 cameras were lost: all of them are at 127\.0\.0\.1\.$/u);
  assert.equal((await explanation('two')).incident, open.id);
  assert.match((await explanation('two')).why, /one of 4 cameras that were lost together/u);
  for (const id of ids) await cameras.script(id, { listen: 'open' });
  for (const id of ids) await lookout.until(id, 'streaming.live');
  await eventually(async () => (await lookout.api<{ incidents: IncidentView[] }>('GET', '/api/v1/incidents')).incidents[0]?.closedAt, { timeoutMs: 5_000 });
  assert.equal((await explanation('two')).incident, null);
});

test('after a restart the journal says how long Lookout was away, and availability counts it', async () => {
  const { dataDir } = lookout;
  await lookout.stop();
  lookout = await startLookout({ dataDir });
  await lookout.until('two', 'streaming.live');
  const started = (await lookout.events('two')).find(({ type }) => type === 'lookout.started') as EventView;
  assert.match(started.message, /had not run since .* \([\d.]+ m?s\)/u);
  const view = await lookout.api<AvailabilityView>('GET', '/api/v1/cameras/two/availability');
  assert.ok(view.byClass.some(({ class: cls }) => cls === 'lookout-away'), JSON.stringify(view.byClass));
});

test('the last hour begins with the program: what flows is sampled, of one camera and of all', async () => {
  const trend = await eventually(async () => {
    const answer = await lookout.api<TrendView>('GET', '/api/v1/cameras/one/trends');
    return answer.state.at(-1) === 'live' && (answer.bitrate.at(-1) ?? 0) > 0 ? answer : undefined;
  }, { what: 'a sample of a camera that flows', timeoutMs: 20_000 }) as TrendView;
  assert.ok((trend.fps.at(-1) ?? 0) > 5 && (trend.packetAgeMs.at(-1) ?? 60_000) < 5_000, JSON.stringify(trend));
  const fleet = await lookout.api<FleetTrendView>('GET', '/api/v1/trends');
  assert.equal(fleet.cameras.at(-1), ids.length);
  assert.ok((fleet.bitrate.at(-1) ?? 0) >= (trend.bitrate.at(-1) ?? 0) && (fleet.live.at(-1) ?? 0) >= 1);
});
