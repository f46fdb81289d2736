/** A camera's second stream on the real program: pulled while somebody watches, with a health of its own, changed and taken away without main noticing. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Socket } from 'socket.io-client';
import type { AvailabilityView, CameraView, EventView, ExplanationView, FlightView, SubView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { sdpOffer } from '../support/sdp-offer.ts';
import { startSimulator } from '../support/simulator.ts';
import { ask, collect, connectSocket } from '../support/socket-client.ts';

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;
let main: CameraView;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'gate', video: 'parking-360p-main' }, { name: 'small', video: 'tiny-320x180-main' }, { name: 'other', video: 'odd-504x282-baseline' }] });
  lookout = await startLookout({ config: { sfu: { workers: 2 }, faults: { enabled: true } } });
  await lookout.add({ id: 'gate', url: cameras.url('gate'), sub: { url: cameras.url('small').replace('rtsp://', 'rtsp://ada:s3cr3t@') }, source: { closeAfterSeconds: 1 } });
  main = await lookout.until('gate', 'streaming.live');
});

after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const open = (t: TestContext): Promise<Socket> => connectSocket(t, `${lookout.url}/viewer`, { auth: { token: 'test-admin-token-of-this-run' } });
const join = async (socket: Socket, stream?: string): Promise<{ viewer: string; stream: string }> => {
  const answer = await ask(socket, 'join', { camera: 'gate', ...(stream && { stream }) });
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.value as unknown as { viewer: string; stream: string };
};
const sub = (holds: (view: SubView) => boolean, what: string): Promise<SubView> => eventually(async () => {
  const view = (await lookout.camera('gate')).sub;
  return view && holds(view) ? view : undefined;
}, { timeoutMs: 15_000, what }) as Promise<SubView>;
const metrics = async (): Promise<string> => (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
const orphans = async (): Promise<number> => Number(/^vms_media_orphans (\d+)$/mu.exec(await metrics())?.[1] ?? NaN);

/** Main went on as if nothing had been. */
async function mainGoesOn(): Promise<void> {
  const { since, host, restarts, state } = await lookout.camera('gate');
  assert.deepEqual({ since, pid: host?.pid, restarts, state }, { since: main.since, pid: main.host?.pid, restarts: 0, state: 'streaming' });
}

test('it is pulled from the first viewer until some seconds after the last one', async (t) => {
  const idle = await sub(({ state }) => state === 'idle', 'sub to rest');
  assert.equal(idle.url, cameras.url('small'), 'without credentials');
  assert.equal((await cameras.stats('small')).accepted, 0);
  const socket = await open(t);
  assert.equal((await join(socket)).stream, 'main');
  const [one, two] = [await join(socket, 'sub'), await join(socket, 'sub')];
  assert.deepEqual([one.stream, two.stream], ['sub', 'sub']);
  const live = await sub(({ substate, media }) => substate === 'live' && media?.width === 320, 'sub to be live');
  assert.deepEqual([live.viewers, (await lookout.camera('gate')).viewers], [2, 1]);
  assert.notEqual(live.host?.pid, main.host?.pid);
  const { producers, routers } = await lookout.sfu();
  assert.deepEqual(producers.map(({ camera, stream }) => [camera, stream]), [['gate', undefined], ['gate', 'sub']]);
  assert.equal(new Set(routers.map(({ worker }) => worker)).size, 2, 'each stream counts when workers are chosen');
  const told = await metrics();
  for (const line of ['vms_media_sub_state{camera="gate",state="streaming"} 1', 'vms_media_sub_viewers{camera="gate"} 2', 'vms_media_viewers{camera="gate"} 1', 'vms_media_hosts{role="sub-source"} 1']) assert.ok(told.includes(line), line);
  assert.doesNotMatch(told, /camera_state\{camera="gate~sub/u);

  await ask(socket, 'leave', { viewer: one.viewer });
  await sub(({ viewers }) => viewers === 1, 'one to leave');
  assert.equal((await lookout.camera('gate')).sub?.substate, 'live');
  await ask(socket, 'leave', { viewer: two.viewer });
  await sub(({ state, host }) => state === 'idle' && host === null, 'sub to rest again');
  await eventually(async () => (await cameras.stats('small')).sessions === 0, { what: 'the session at the camera to end' });
  await mainGoesOn();
  await eventually(async () => (await orphans()) === 0);
});

test('a WHEP player asks for it by the query', async () => {
  const whep = (query: string) => fetch(`${lookout.url}/whep/gate${query}`, { method: 'POST', headers: { authorization: 'Bearer test-admin-token-of-this-run', 'content-type': 'application/sdp' }, body: sdpOffer() });
  const answer = await whep('?stream=sub');
  assert.equal(answer.status, 201, await answer.text());
  await sub(({ viewers, substate }) => viewers === 1 && substate === 'live', 'a viewer of sub');
  assert.equal((await lookout.camera('gate')).viewers, 0);
  await lookout.api('DELETE', answer.headers.get('location') ?? '', { expect: 204 });
  await sub(({ viewers, state }) => viewers === 0 && state === 'idle', 'sub to rest');
  assert.equal((await whep('?stream=third')).status, 400);
});

test('its failure is its own: main is live, and why sub is down is one request', async (t) => {
  await cameras.script('small', { status: { code: 401 } });
  const socket = await open(t);
  await join(socket, 'sub');
  const away = await sub(({ state }) => state === 'backoff', 'sub to wait');
  assert.deepEqual([away.lastError?.class, away.attempt, (await lookout.camera('gate')).lastError], ['auth', 1, null]);
  await mainGoesOn();
  const told = await lookout.api<ExplanationView>('GET', '/api/v1/cameras/gate/explanation');
  assert.match(told.why, /^Live for /u);
  assert.match(told.sub?.why ?? '', /^Waiting \(attempt 1 after "auth"/u);
  assert.match(told.sub?.evidence ?? '', /401/u);
  assert.ok(told.before.every(({ stream }) => stream === undefined));
  assert.ok(told.sub?.before.every(({ stream, message }) => stream === 'sub' && message.startsWith('Sub stream: ')));
  const lost = (await lookout.events('gate')).find(({ stream, to, class: cls }) => stream === 'sub' && to === 'teardown' && cls === 'auth') as EventView;
  assert.ok(lost.recording, 'the flight recorder has it');
  const flight = await lookout.api<FlightView>('GET', `/api/v1/cameras/gate/events/${lost.seq}/recording`);
  assert.equal(flight.camera, 'gate');
  assert.ok(flight.dialogue.some(({ text }) => text.includes('401')));
  assert.ok(!JSON.stringify(flight).includes('s3cr3t') && !lookout.lines.some((line) => line.includes('s3cr3t')));

  // Nobody wants it any more: the next attempt waits for somebody, and its history with it.
  socket.disconnect();
  const resting = await sub(({ state }) => state === 'idle', 'sub to give up waiting');
  assert.equal(resting.attempt, 1);
  const { accepted } = await cameras.stats('small');
  await cameras.script('small', { status: null });
  await eventually(async () => (await lookout.camera('gate')).sub?.viewers === 0);
  assert.equal((await cameras.stats('small')).accepted, accepted);
  await mainGoesOn();
});

test('a fault hits the stream that is named; its gap is in the availability of that one', async (t) => {
  const socket = await open(t);
  await join(socket, 'sub');
  const { host } = await sub(({ substate }) => substate === 'live', 'sub to be live');
  const inject = (body: object, expect: number) => lookout.api<{ camera: string; stream?: string; pid: number }>('POST', '/api/v1/cameras/gate/faults', { body, expect });
  const { camera, stream, pid } = await inject({ fault: 'kill-host', stream: 'sub' }, 202);
  assert.deepEqual({ camera, stream, pid }, { camera: 'gate', stream: 'sub', pid: host?.pid });
  await sub((view) => view.substate === 'live' && view.host?.pid !== pid, 'sub to be back');
  const told = await lookout.api<AvailabilityView>('GET', '/api/v1/cameras/gate/availability');
  assert.deepEqual([told.losses, told.sub?.camera, told.sub?.byClass.map((entry) => entry.class).includes('host-crash')], [0, 'gate', true]);
  await inject({ fault: 'kill-host', stream: 'third' }, 400);
  await inject({ fault: 'kill-host', stream: 'sub', target: 'record' }, 503);
  await mainGoesOn();
});

test('another address, and none, reach those who watch; main goes on', async (t) => {
  const socket = await open(t);
  const gone = collect<{ viewer: string; reason: string }>(socket, 'gone');
  const { viewer } = await join(socket, 'sub');
  const before = await sub(({ substate, media }) => substate === 'live' && media !== null, 'sub to be live');
  await lookout.api('PATCH', '/api/v1/cameras/gate', { body: { sub: { url: cameras.url('other') } } });
  const changed = await sub(({ substate, media }) => substate === 'live' && media?.width === 504, 'the other address');
  assert.equal(changed.url, cameras.url('other'));
  assert.notEqual(changed.host?.pid, before.host?.pid);
  await mainGoesOn();

  await lookout.api('PATCH', '/api/v1/cameras/gate', { body: { sub: null } });
  assert.equal((await lookout.camera('gate')).sub, undefined);
  const farewell = await eventually(() => gone.find((event) => event.viewer === viewer) ?? gone[0], { what: 'the viewer to be told' });
  assert.equal((farewell as { reason: string }).reason, 'rejoin');
  assert.equal((await join(socket, 'sub')).stream, 'main', 'a camera without sub gives main');
  await lookout.api('POST', '/api/v1/cameras/gate/faults', { body: { fault: 'kill-host', stream: 'sub' }, expect: 400 });
  assert.equal((await cameras.stats('other')).sessions, 0);
  await mainGoesOn();
});

test('stopping and removing a camera end both, and nothing of them is left', async (t) => {
  await lookout.api('PATCH', '/api/v1/cameras/gate', { body: { sub: { url: cameras.url('small') } } });
  const socket = await open(t);
  const { viewer } = await join(socket, 'sub');
  await sub(({ substate }) => substate === 'live', 'sub to be live');
  await lookout.api('POST', '/api/v1/cameras/gate/stop');
  await sub(({ state, host }) => state === 'stopped' && host === null, 'sub to stop with its camera');
  await lookout.api('POST', '/api/v1/cameras/gate/start');
  await sub(({ substate }) => substate === 'live', 'sub to come back for who waits');
  const gone = collect<{ viewer: string; reason: string }>(socket, 'gone');
  await lookout.api('DELETE', '/api/v1/cameras/gate');
  assert.deepEqual(gone.filter((event) => event.viewer === viewer).map(({ reason }) => reason), ['removed']);
  for (const mount of ['gate', 'small']) await eventually(async () => (await cameras.stats(mount)).sessions === 0, { what: `${mount} to be released` });
  await eventually(async () => (await orphans()) === 0 && (await lookout.sfu()).routers.length === 0, { what: 'nothing to be left' });
  assert.deepEqual((await lookout.children()).filter(({ command }) => command.includes('host-main')).length <= 1, true, 'but the spare host');
});
