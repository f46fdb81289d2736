/** Which of a camera's two streams a picture shows, without a browser: sub where it will do, main while sub is away, and never nothing in between. */
import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import type { CameraView, StreamName, SubView } from '../../../src/api/protocol.ts';
import type { Adapter, Player, PlayerSink } from '../../../visualizer/src/adapter.ts';
import { liveCamera, systemView } from '../../../visualizer/src/fake/fleet.ts';
import { createFleet } from '../../../visualizer/src/models/cameras.ts';
import { createClock } from '../../../visualizer/src/models/clock.ts';
import { subSentence } from '../../../visualizer/src/models/describe.ts';
import { createPlaybacks, type Playback } from '../../../visualizer/src/models/playbacks.ts';

const picture = (name: string): MediaStream => ({ id: name }) as MediaStream;
const subOf = ({ url, since, attempt, nextRetryAt, lastError, restarts, media, freshness, viewers, host, worker, outputs: { live } }: CameraView): SubView =>
  ({ url, state: 'idle', substate: null, since, attempt, nextRetryAt, lastError, restarts, media, freshness, viewers, host, worker, live });

/** A camera with two streams, whose players are in the test's hands. */
function bench(t: TestContext) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  Object.assign(globalThis, { document: Object.assign(new EventTarget(), { hidden: false }) });
  const clock = createClock();
  const fleet = createFleet(clock);
  const main = liveCamera(0, 0);
  let view: CameraView = { ...main, sub: subOf(main) };
  fleet.snapshot({ system: systemView(1, 0), cameras: [view], workers: [], at: new Date(0).toISOString() });
  const sinks = new Map<StreamName, PlayerSink>();
  const play = (_camera: string, sink: PlayerSink, stream: StreamName): Player => {
    sinks.set(stream, sink);
    return { setAvailable: () => undefined, setActive: () => undefined, setSound: () => undefined, frame: () => undefined, tookOver: () => undefined, stats: async () => null, close: () => void sinks.delete(stream) };
  };
  const playbacks = createPlaybacks({ play } as unknown as Adapter, fleet);
  t.after(() => {
    playbacks.dispose();
    clock.dispose();
    Reflect.deleteProperty(globalThis, 'document');
    mock.timers.reset();
  });
  const tell = (change: Partial<SubView> | null): void => {
    const { sub, ...rest } = view;
    view = change === null ? rest : { ...rest, sub: { ...(sub ?? subOf(main)), ...change } };
    fleet.put(view);
  };
  return {
    playbacks, tell, view: () => view,
    open: (): string => [...sinks.keys()].toSorted().join(),
    flows(stream: StreamName): void {
      sinks.get(stream)?.stream(picture(stream), null);
      sinks.get(stream)?.phase('flowing', null);
      if (stream === 'sub') tell({ state: 'streaming', substate: 'live' });
    },
    /** As the picture does when the video that is to come has a frame. */
    paint(playback: Playback): void {
      if (playback.next.value !== null) playback.tookOver();
      playback.frame();
    },
  };
}

const shown = ({ stream, next }: Playback): (string | undefined)[] => [stream.value?.id, next.value?.id];

test('a wall asks for sub alone, the single view shows it until main has a picture, and back', (t) => {
  const b = bench(t);
  const wall = b.playbacks.acquire(b.view().id, 'sub');
  assert.equal(b.open(), 'sub');
  b.flows('sub');
  b.paint(wall.playback);
  assert.deepEqual(shown(wall.playback), ['sub', undefined]);
  const single = b.playbacks.acquire(b.view().id, 'main');
  wall.release();
  assert.deepEqual(shown(single.playback), ['sub', undefined], 'what the wall showed is there at once');
  b.flows('main');
  assert.deepEqual(shown(single.playback), ['sub', 'main']);
  b.paint(single.playback);
  assert.deepEqual(shown(single.playback), ['main', undefined]);
  mock.timers.tick(2_000);
  assert.equal(b.open(), 'main', 'nobody pulls sub behind the single view');
  const again = b.playbacks.acquire(b.view().id, 'sub');
  assert.deepEqual(shown(again.playback), ['main', undefined]);
  single.release();
  b.flows('sub');
  assert.deepEqual(shown(again.playback), ['main', 'sub']);
  b.paint(again.playback);
  mock.timers.tick(2_000);
  assert.deepEqual([shown(again.playback), b.open()], [['sub', undefined], 'sub']);
});

test('sub that is away for three seconds, or waits for its next attempt, gives way to main until it is healthy', (t) => {
  const b = bench(t);
  const { playback } = b.playbacks.acquire(b.view().id, 'sub');
  b.flows('sub');
  b.paint(playback);
  b.tell({ substate: 'stalled' });
  mock.timers.tick(2_999);
  assert.deepEqual([b.open(), playback.fellBack.value], ['sub', false]);
  b.tell({ substate: 'live' });
  mock.timers.tick(5_000);
  assert.equal(b.open(), 'sub', 'a moment is no reason');
  b.tell({ substate: 'stalled' });
  mock.timers.tick(3_000);
  assert.deepEqual([b.open(), playback.fellBack.value, shown(playback)], ['main,sub', true, ['sub', undefined]], 'the last frame stays until main has one');
  b.flows('main');
  b.paint(playback);
  assert.deepEqual([shown(playback), playback.shows.value], [['main', undefined], 'main']);
  b.tell({ state: 'backoff', substate: null });
  assert.equal(b.open(), 'main,sub', 'sub is still wanted');
  b.flows('sub');
  assert.deepEqual([playback.fellBack.value, shown(playback)], [false, ['main', 'sub']]);
  b.paint(playback);
  assert.deepEqual([b.open(), shown(playback)], ['sub', ['sub', undefined]]);
  b.tell({ state: 'backoff', substate: null });
  assert.deepEqual([b.open(), playback.fellBack.value], ['main,sub', true], 'no patience with what waits for its next attempt');
});

test('a second stream that goes, that comes, or that WebRTC cannot carry', (t) => {
  const b = bench(t);
  const { playback } = b.playbacks.acquire(b.view().id, 'sub');
  b.flows('sub');
  b.paint(playback);
  b.tell(null);
  assert.deepEqual([b.open(), shown(playback)], ['main,sub', ['sub', undefined]]);
  b.flows('main');
  b.paint(playback);
  assert.deepEqual([b.open(), playback.fellBack.value], ['main', false], 'main is what is shown of a camera without sub');
  b.tell({ live: { ...b.view().outputs.live, verdict: { ok: false, why: 'H.265' } } });
  assert.equal(b.open(), 'main');
  b.tell({ live: { ...b.view().outputs.live, verdict: { ok: true, why: '' } } });
  assert.equal(b.open(), 'main,sub');
});

test('what fails of sub is said of sub, and nothing while it rests', (t) => {
  const b = bench(t);
  const lastError = { class: 'not-found' as const, code: 'rtsp-404', message: '', at: new Date(0).toISOString() };
  assert.equal(subSentence(b.view(), 0), null);
  b.tell({ state: 'backoff', attempt: 2, lastError, nextRetryAt: new Date(4_000).toISOString() });
  assert.equal(subSentence(b.view(), 0), 'Sub stream: no such stream, next try in 4 s');
  b.tell({ state: 'idle', nextRetryAt: null });
  assert.equal(subSentence(b.view(), 0), 'Sub stream: no such stream');
});
