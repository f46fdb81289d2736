/** The primer chart and its viewer, with scripted effects and simulated time: help that may fail, and that always ends. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createActor, fromCallback, fromPromise, setup, SimulatedClock, type EventObject } from 'xstate';
import { primerMachine, type PathCommand, type PathFact } from '../../src/machines/primer.ts';
import { viewerMachine } from '../../src/machines/viewer.ts';

const deadlines = { joinMs: 20_000, negotiateMs: 20_000, lostMs: 15_000, primer: { prepareMs: 2_000, lifeMs: 30_000, holdMs: 2_000 } };

/** A viewer whose primer's path says what the test wants. */
function stage(t: TestContext) {
  const told: string[] = [];
  let say: (fact: PathFact) => void = () => undefined;
  const path = fromCallback<PathCommand, EventObject>(({ sendBack, receive }) => {
    told.push('taken');
    say = sendBack;
    receive(({ type, held }) => told.push(held ? `${type} held` : type));
    return () => void told.push('let go');
  }) as never;
  const confirm = fromPromise<void, { viewer: string }>(async () => void told.push('confirmed'));
  const viewer = viewerMachine.provide({ actors: { primer: primerMachine.provide({ actors: { path, confirm } }), close: fromPromise(async () => undefined) as never } });
  // A viewer tells its parent when it is closed.
  const root = setup({ types: { events: {} as { type: 'viewer.closed'; id: string } }, actors: { viewer } }).createMachine({ invoke: { id: 'viewer', src: 'viewer', input: { id: 'v', camera: 'gate', owner: 'o', deadlines } } });
  const clock = new SimulatedClock();
  const actor = createActor(root, { clock });
  actor.start();
  t.after(() => actor.stop());
  const child = actor.getSnapshot().children['viewer'] as ReturnType<typeof createActor<typeof viewer>>;
  return { told, clock, say: (fact: PathFact) => say(fact), viewer: child, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

/** As a browser goes through it, up to consumers that are no longer paused. */
function watch({ viewer }: ReturnType<typeof stage>): void {
  for (const type of ['viewer.transportMade', 'viewer.connected', 'viewer.consuming', 'viewer.resumed'] as const) viewer.send({ type });
}

test('a primer plays once it is made and its viewer is connected and hears, whichever comes last', async (t) => {
  const early = stage(t);
  early.viewer.send({ type: 'viewer.transportMade' });
  early.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } });
  early.say({ type: 'path.made' });
  early.viewer.send({ type: 'viewer.consuming' });
  early.viewer.send({ type: 'viewer.resumed' });
  assert.deepEqual(early.told, ['taken']);
  early.viewer.send({ type: 'viewer.connected' });
  assert.deepEqual(early.told, ['taken', 'path.play']);

  const late = stage(t);
  late.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } });
  watch(late);
  assert.deepEqual(late.told, ['taken']);
  late.say({ type: 'path.made' });
  assert.deepEqual(late.told, ['taken', 'path.play']);
});

test('a primer is let go, and that is confirmed, when its viewer was taken over by the camera\'s own producer', async (t) => {
  const s = stage(t);
  s.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } });
  s.say({ type: 'path.made' });
  watch(s);
  s.say({ type: 'path.live' });
  s.viewer.send({ type: 'viewer.tookOver' });
  await s.settle();
  assert.deepEqual(s.told, ['taken', 'path.play', 'let go', 'confirmed']);
  assert.equal(s.viewer.getSnapshot().context.primer, false);
  assert.deepEqual(s.viewer.getSnapshot().value, { open: { watching: 'flowing' } });
});

for (const [what, end] of [
  ['has no budget, port or hub', (s: ReturnType<typeof stage>) => s.say({ type: 'path.ended', reason: 'scripted' })],
  ['is not made in time', (s: ReturnType<typeof stage>) => s.clock.increment(2_000)],
  ['finds no keyframe within its life', (s: ReturnType<typeof stage>) => { s.say({ type: 'path.made' }); s.say({ type: 'path.live' }); s.clock.increment(30_000); }],
] as const) {
  test(`a primer that ${what} ends, and its viewer goes on`, async (t) => {
    const s = stage(t);
    s.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } });
    watch(s);
    end(s);
    await s.settle();
    assert.deepEqual(s.told.filter((word) => word !== 'path.play'), ['taken', 'let go', 'confirmed']);
    assert.deepEqual(s.viewer.getSnapshot().value, { open: { watching: 'flowing' } });
    s.viewer.send({ type: 'viewer.tookOver' });
    assert.equal(s.viewer.getSnapshot().status, 'active');
  });
}

test('a viewer that leaves takes its primer along, also while that is being made', async (t) => {
  const s = stage(t);
  s.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } });
  s.viewer.send({ type: 'viewer.end', reason: 'left' });
  await s.settle();
  assert.ok(s.told.includes('let go'));
});

/** A viewer whose primer is held at its keyframe. */
function held(t: TestContext): ReturnType<typeof stage> {
  const s = stage(t);
  s.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'catch-up', form: { kbps: 2_000, keyframeEvery: 25 } } });
  s.say({ type: 'path.made' });
  watch(s);
  assert.deepEqual(s.told, ['taken', 'path.play held']);
  return s;
}

test('a primer that is held goes on with its catch-up, and is not told to play all that is cached', (t) => {
  const s = held(t);
  s.say({ type: 'path.live' });
  s.clock.increment(10_000);
  assert.deepEqual(s.told, ['taken', 'path.play held']);
});

test('a primer that is held plays all that is cached where no catch-up comes, or none in time', (t) => {
  const refused = held(t);
  refused.say({ type: 'path.late' });
  assert.deepEqual(refused.told, ['taken', 'path.play held', 'path.play']);

  const slow = held(t);
  slow.clock.increment(1_999);
  assert.deepEqual(slow.told, ['taken', 'path.play held']);
  slow.clock.increment(1);
  assert.deepEqual(slow.told, ['taken', 'path.play held', 'path.play']);
});

test('a primer whose catch-up is refused before it plays is not held at all', (t) => {
  const s = stage(t);
  s.viewer.send({ type: 'viewer.prime', hubPort: 1, way: { type: 'catch-up', form: { kbps: 2_000, keyframeEvery: 25 } } });
  s.say({ type: 'path.late' });
  s.say({ type: 'path.made' });
  watch(s);
  assert.deepEqual(s.told, ['taken', 'path.play']);
});
