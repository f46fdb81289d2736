/** What a camera does for viewers of what WebRTC cannot carry: a transcode while somebody watches, never beside its own feed. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createTranscodes } from '../../src/actors/transcodes.ts';
import { announcedProfile, carriage, feedsIngest, transcodeOf } from '../../src/machines/camera-live.ts';
import { wantsOutput } from '../../src/machines/camera-outputs.ts';
import type { VideoFormat } from '../../src/media.ts';
import { scriptCamera, type ScriptedCamera } from '../support/scripted-camera.ts';

const odd: VideoFormat = { codec: 'H264', profile: 'high-4:2:2', profileLevelId: '7a0028', width: 1_280, height: 720, fps: 25 };

function camera(t: TestContext, transcode: 'never' | 'on-demand'): ScriptedCamera {
  const c = scriptCamera({ input: { outputs: { hls: { mode: 'off' }, live: { feed: 'always', transcode } } } });
  t.after(() => c.stop());
  return c;
}
const contextOf = (c: ScriptedCamera) => c.actor.getSnapshot().context;

describe('a camera that WebRTC cannot carry', () => {
  test('feeds nobody by itself, announces the transcode, and has one while somebody watches and a moment longer', async (t) => {
    const c = camera(t, 'on-demand');
    await c.goLive();
    assert.deepEqual([carriage(contextOf(c)), feedsIngest(contextOf(c))], ['plain', true], 'before anything speaks against it');
    c.actor.send({ type: 'source.media', media: odd });
    assert.deepEqual([carriage(contextOf(c)), announcedProfile(contextOf(c)), feedsIngest(contextOf(c)), contextOf(c).sourceFeeds], ['transcode', '42e01f', false, false]);
    assert.equal(wantsOutput(contextOf(c), 'transcode'), false);
    c.actor.send({ type: 'transcode.set', wanted: true });
    assert.equal(wantsOutput(contextOf(c), 'transcode'), true);
    assert.equal(contextOf(c).outputs.transcode.alive, true);
    c.actor.send({ type: 'transcode.set', wanted: false });
    c.clock.increment(contextOf(c).settings.transcode.lingerMs - 1);
    assert.equal(wantsOutput(contextOf(c), 'transcode'), true);
    c.clock.increment(1);
    assert.equal(wantsOutput(contextOf(c), 'transcode'), false);
  });

  test('has none with "never", and its ingest carries nothing', async (t) => {
    const c = camera(t, 'never');
    await c.goLive();
    c.actor.send({ type: 'source.media', media: odd });
    c.actor.send({ type: 'transcode.set', wanted: true });
    assert.deepEqual([carriage(contextOf(c)), announcedProfile(contextOf(c)), feedsIngest(contextOf(c)), transcodeOf(contextOf(c))], ['none', null, false, null]);
    assert.equal(contextOf(c).outputs.transcode.alive, false);
  });
});

describe('the budget of transcodes', () => {
  test('is shared by cameras, taken once for all viewers of one, and free when viewer and process are gone', () => {
    const wants: string[] = [];
    const book = createTranscodes({ budget: 1, want: (id, wanted) => wants.push(`${id} ${wanted}`) });
    const [first, again] = [book.watch('a', 0.7), book.watch('a', 0.7)];
    const sequence = book.begin('a', 0.7);
    assert.deepEqual(book.figures(), { used: 0.7, budget: 1, refused: 0 });
    assert.throws(() => book.watch('b', 0.4), { code: 'LOOKOUT_TRANSCODE_BUDGET', statusCode: 503 });
    assert.throws(() => book.begin('b', 0.4), /0\.7 of the 1/u);
    first();
    first();
    again();
    assert.deepEqual(wants, ['a true', 'a true', 'a false']);
    assert.equal(book.figures().used, 0.7, 'its process still runs');
    book.sent('a', sequence + 5);
    book.end('a');
    assert.deepEqual(book.figures(), { used: 0, budget: 1, refused: 1 });
    assert.equal((book.begin('a', 0.7) - sequence - 5) & 0xffff, 0x8000, 'the next one begins far away');
    book.watch('b', 0.3)();
  });
});
