/** The watch over a source with made-up counters: what it says of them, and what it leaves unsaid while its host is frozen. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { BoxCounters } from '../../src/native/flight-box.ts';
import { monotonicMs as now } from '../../src/native/monotonic.ts';
import type { HostEvent } from '../../src/native/protocol.ts';
import { watchSource } from '../../src/native/source-watch.ts';
import { eventually } from '../support/eventually.ts';
import { healthLimits } from '../support/hosts.ts';

/** An SPS of 320 × 240, constrained baseline, as `codec_data` has it. */
const configuration = Buffer.from('0142c00dffe1001b6742c00dda0507e84000000300400000064fc6ac00000003000301000468ce3c80', 'hex');

/** A camera of 25 fps for as long as `sends`; its counters are what a box would say. */
function camera(t: TestContext, alive: () => Promise<void> = async () => undefined) {
  const began = now();
  const state = { sends: true, format: null as BoxCounters['format'], last: 0 };
  const events: HostEvent[] = [];
  const watch = watchSource({
    codec: 'H264', limits: healthLimits({ stallMs: 200, silentMs: 500, checkMs: 50 }), alive,
    emit: (event) => void events.push(event),
    known: () => ({ feedBytes: 1, feedSequence: 2, rssBytes: 3 }),
    counters() {
      if (state.sends) state.last = now();
      const frames = Math.floor((state.last - began) / 40);
      const keyframes = frames === 0 ? 0 : 1 + Math.floor(frames / 25);
      return {
        packets: frames * 8, bytes: frames * 8_000, packetAt: frames === 0 ? null : state.last, timestamp: (frames * 3_600) >>> 0, frames, keyframes,
        keyframeAt: frames === 0 ? null : began + 40 + (keyframes - 1) * 1_000, audioPackets: 0, reordered: 0, format: state.format,
      };
    },
  });
  t.after(() => watch.stop());
  watch.begin();
  const types = (): string[] => events.map(({ type }) => type).filter((type) => type !== 'source.stats');
  return { state, events, types };
}

test('a camera that sends flows, and one that stops is stalled and then silent', async (t) => {
  const { state, events, types } = camera(t);
  await eventually(() => types().includes('source.flowing'));
  state.sends = false;
  await eventually(() => types().includes('source.failed'));
  assert.deepEqual(types(), ['source.flowing', 'source.stalled', 'source.failed']);
  const failed = events.find((event) => event.type === 'source.failed');
  assert.equal(failed?.failure.class, 'silent');
});

test('silence of a host that shows no sign of life is not blamed on the camera', async (t) => {
  let wake = (): void => undefined;
  let asked = 0;
  const { state, types } = camera(t, () => new Promise((resolve) => {
    asked += 1;
    wake = resolve;
  }));
  await eventually(() => types().includes('source.flowing'));
  state.sends = false;
  // Once when it stalled, once for the verdict.
  await eventually(() => asked === 2);
  assert.deepEqual(types(), ['source.flowing', 'source.stalled']);
  wake();
  await eventually(() => types().includes('source.failed'));
});

test('statistics come once a second, with what only the host knows', async (t) => {
  const { events } = camera(t);
  const stats = () => events.filter((event) => event.type === 'source.stats').map((event) => event.stats);
  await eventually(() => stats().length >= 2);
  const [first, second] = stats();
  assert.deepEqual([first?.feedBytes, first?.feedSequence, first?.rssBytes], [1, 2, 3]);
  assert.ok(second && second.frames > first!.frames && second.packetAgeMs! < 100 && Math.abs(second.fps! - 25) < 3, JSON.stringify(second));
});

test('media is told when the parameter sets are whole, and again only when they say something else', async (t) => {
  const { state, events } = camera(t);
  const media = () => events.filter((event) => event.type === 'source.media').map((event) => event.media);
  await eventually(() => events.some(({ type }) => type === 'source.flowing'));
  assert.equal(media().length, 0);
  state.format = { serial: 2, data: configuration };
  await eventually(() => media().length === 1);
  assert.deepEqual([media()[0]?.codec, media()[0]?.profile], ['H264', 'constrained-baseline']);
  const looked = events.length;
  state.format = { serial: 4, data: configuration };
  await eventually(() => events.length > looked);
  assert.equal(media().length, 1);
});
