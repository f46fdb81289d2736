/** The page's models without a browser: players shared and given up, the fleet from snapshots and deltas, the bounded journal. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { EventView } from '../../../src/api/protocol.ts';
import type { Adapter, Player, PlayerSink } from '../../../visualizer/src/adapter.ts';
import { history, liveCamera, systemView, troubled, troubles } from '../../../visualizer/src/fake/fleet.ts';
import { createFleet, type Fleet } from '../../../visualizer/src/models/cameras.ts';
import { createClock } from '../../../visualizer/src/models/clock.ts';
import { gather } from '../../../visualizer/src/models/gather.ts';
import { createJournal, maxRows } from '../../../visualizer/src/models/journal.ts';
import { createPlaybacks } from '../../../visualizer/src/models/playbacks.ts';
import { createStills } from '../../../visualizer/src/models/stills.ts';

function fleetOf(count: number): { fleet: Fleet; dispose: () => void } {
  const clock = createClock();
  const fleet = createFleet(clock);
  const cameras = Array.from({ length: count }, (_, index) => liveCamera(index, Date.now()));
  fleet.snapshot({ system: systemView(count, Date.now()), cameras, workers: [], at: new Date().toISOString() });
  return { fleet, dispose: () => clock.dispose() };
}

/** An adapter whose players only remember what they were told. */
function scriptedPlayers(): { adapter: Adapter; told: string[] } {
  const told: string[] = [];
  const play = (camera: string, _sink: PlayerSink): Player => {
    told.push(`play ${camera}`);
    return {
      setAvailable: (available) => told.push(`available ${available}`),
      setActive: (active) => told.push(`active ${active}`),
      setSound: (on) => told.push(`sound ${on}`),
      frame: () => undefined,
      tookOver: () => undefined,
      stats: async () => null,
      close: () => told.push('close'),
    };
  };
  return { adapter: { play } as unknown as Adapter, told };
}

/** The one thing of a document that the players look at. */
function stubDocument(): { hide: (hidden: boolean) => void; restore: () => void } {
  const document = Object.assign(new EventTarget(), { hidden: false });
  Object.assign(globalThis, { document });
  return {
    hide: (hidden) => {
      document.hidden = hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    },
    restore: () => Reflect.deleteProperty(globalThis, 'document'),
  };
}

test('wall and single view share one player, which lingers for two seconds after the last of them', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const page = stubDocument();
  const { fleet, dispose } = fleetOf(1);
  const { adapter, told } = scriptedPlayers();
  const playbacks = createPlaybacks(adapter, fleet);
  const wall = playbacks.acquire('front-gate');
  const single = playbacks.acquire('front-gate');
  assert.equal(wall.playback, single.playback);
  wall.release();
  wall.release();
  mock.timers.tick(5_000);
  single.release();
  mock.timers.tick(1_999);
  assert.deepEqual(told, ['play front-gate', 'available true']);
  const again = playbacks.acquire('front-gate');
  mock.timers.tick(5_000);
  again.release();
  mock.timers.tick(2_000);
  assert.deepEqual(told, ['play front-gate', 'available true', 'close']);
  playbacks.dispose();
  dispose();
  page.restore();
  mock.timers.reset();
});

test('a page hidden for 30 s pauses its players, a page hidden for a moment does not', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const page = stubDocument();
  const { fleet, dispose } = fleetOf(1);
  const { adapter, told } = scriptedPlayers();
  const playbacks = createPlaybacks(adapter, fleet);
  playbacks.acquire('front-gate');
  page.hide(true);
  mock.timers.tick(29_999);
  page.hide(false);
  mock.timers.tick(30_000);
  assert.equal(told.includes('active false'), false);
  page.hide(true);
  mock.timers.tick(30_000);
  assert.equal(told.at(-1), 'active false');
  page.hide(false);
  assert.equal(told.at(-1), 'active true');
  playbacks.dispose();
  dispose();
  page.restore();
  mock.timers.reset();
});

test('a player hears when its camera goes away and returns', () => {
  const page = stubDocument();
  const { fleet, dispose } = fleetOf(1);
  const { adapter, told } = scriptedPlayers();
  const playbacks = createPlaybacks(adapter, fleet);
  playbacks.acquire('front-gate');
  const live = fleet.camera('front-gate').peek()!.view;
  const tell = (camera: typeof live): void => fleet.delta({ id: camera.id, camera, at: new Date().toISOString() });
  tell(troubled(live, troubles[0]!, Date.now()));
  tell({ ...live, state: 'connecting', substate: 'starting' });
  tell(live);
  tell({ ...live, viewers: 9 });
  assert.deepEqual(told, ['play front-gate', 'available true', 'available false', 'available true']);
  playbacks.dispose();
  dispose();
  page.restore();
});

test('a snapshot replaces the fleet: what is not in it is gone, and the order is that of the names', () => {
  const { fleet, dispose } = fleetOf(4);
  assert.deepEqual(fleet.ids.value, ['front-gate', 'harbour-east', 'loading-dock', 'lobby']);
  fleet.snapshot({ system: systemView(1, 0), cameras: [liveCamera(1, 0), { ...liveCamera(0, 0), name: 'Zebra' }], workers: [], at: new Date().toISOString() });
  assert.deepEqual(fleet.ids.value, ['lobby', 'front-gate']);
  assert.equal(fleet.camera('loading-dock').value, undefined);
  fleet.delta({ id: 'lobby', camera: null, at: new Date().toISOString() });
  assert.deepEqual(fleet.ids.value, ['front-gate']);
  assert.equal(fleet.counts.value.live, 1);
  dispose();
});

test('the journal joins what it fetched with what arrived meanwhile, newest first, each row once, never more than its bound', async () => {
  let answer: (events: EventView[]) => void = () => undefined;
  const fetched = history('lobby', 0);
  const adapter = { events: () => new Promise<EventView[]>((resolve) => { answer = resolve; }) } as unknown as Adapter;
  const journal = createJournal(adapter);
  const { rows, stop } = journal.follow('lobby');
  journal.append({ ...fetched[0]!, seq: 9 });
  journal.append({ ...fetched[0]!, seq: 10, camera: 'other' });
  answer(fetched);
  await Promise.resolve();
  await Promise.resolve();
  const seqs = (): number[] => (rows.value.status === 'ready' ? rows.value.events.map(({ seq }) => seq) : []);
  assert.deepEqual(seqs(), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
  for (let seq = 10; seq < 300; seq += 1) journal.append({ ...fetched[0]!, seq });
  assert.equal(seqs().length, maxRows);
  assert.equal(seqs()[0], 299);
  stop();
  journal.append({ ...fetched[0]!, seq: 400 });
  assert.equal(seqs()[0], 299);
});

test('still pictures are asked for three at a time, and a refused one makes room for the next', async () => {
  let running = 0;
  let most = 0;
  const waiting: ((fail: boolean) => void)[] = [];
  const still = (): Promise<Blob> => new Promise((resolve, reject) => {
    running += 1;
    most = Math.max(most, running);
    waiting.push((fail) => {
      running -= 1;
      if (fail) reject(new Error('503'));
      else resolve(new Blob());
    });
  });
  const stills = createStills({ still } as unknown as Adapter);
  const { signal } = new AbortController();
  const all = Array.from({ length: 8 }, () => stills.load({ camera: 'lobby', width: 480 }, signal));
  const outcomes = Promise.all(all);
  for (let turn = 0; turn < 8; turn += 1) {
    while (waiting.length === 0) await new Promise(setImmediate);
    waiting.shift()!(turn % 2 === 0);
  }
  assert.deepEqual((await outcomes).map((blob) => blob !== null), [false, true, false, true, false, true, false, true]);
  assert.equal(most, 3);
});

test('the first change is there at once, what follows comes together with the latest of each camera, and a snapshot is newer than all of them', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const heard: string[] = [];
  const gathered = gather({ snapshot: () => void heard.push('snapshot'), delta: ({ id, camera, at }) => void heard.push(`${id} ${camera === null ? 'gone' : at}`) });
  const tell = (id: string, at: string, camera: ReturnType<typeof liveCamera> | null = liveCamera(0, 0)): void => gathered.camera({ id, camera, at });
  tell('gate', '1');
  assert.deepEqual(heard.splice(0), ['gate 1']);
  tell('yard', '2');
  tell('gate', '3', null);
  tell('yard', '4', null);
  tell('yard', '5');
  assert.deepEqual(heard, []);
  mock.timers.tick(100);
  assert.deepEqual(heard.splice(0), ['gate gone', 'yard 5']);
  tell('gate', '6');
  gathered.snapshot({ system: systemView(0, 0), cameras: [], workers: [], at: '7' });
  mock.timers.tick(1_000);
  assert.deepEqual(heard.splice(0), ['snapshot'], 'a change before the snapshot is not told after it');
  tell('gate', '8');
  assert.deepEqual(heard, ['gate 8']);
  gathered.dispose();
  mock.timers.reset();
});
