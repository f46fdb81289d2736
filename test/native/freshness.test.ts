/** The freshness judge with made-up time: each limit from both sides. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { beginFreshness, judge, type FreshnessFact, type Sample } from '../../src/native/freshness.ts';
import { healthLimits } from '../support/hosts.ts';

const limits = healthLimits();

/** A camera of 25 fps with a 1 s GOP for `ms`, then whatever `after` makes of the counters. */
function camera({ ms, fps = 25, gopMs = 1000, until, after }: { ms: number; fps?: number; gopMs?: number; until: number; after?: (sample: Sample, sinceMs: number) => Sample | object }) {
  const facts: (FreshnessFact & { at: number })[] = [];
  let state = beginFreshness(0);
  for (let at = 250; at <= until; at += 250) {
    const fresh = Math.min(at, ms);
    const frames = Math.floor((fresh * fps) / 1000);
    const good: Sample = { at, packets: frames * 8, frames, keyframes: frames === 0 ? 0 : 1 + Math.floor(fresh / gopMs), audioPackets: 0, rtpTime: frames === 0 ? null : (frames * (90_000 / fps)) >>> 0 };
    const sample = at <= ms || after === undefined ? good : { ...good, ...after(good, at - ms) };
    const step = judge(state, sample, limits);
    state = step.state;
    facts.push(...step.facts.map((fact) => ({ ...fact, at })));
  }
  return facts;
}

const failureIn = (facts: (FreshnessFact & { at: number })[]) => {
  const fact = facts.find((each) => each.type === 'failed');
  return fact?.type === 'failed' ? { class: fact.failure.class, code: fact.failure.code, at: fact.at } : undefined;
};
const grown = (from: number, ms: number, perSecond: number): number => from + Math.floor((ms * perSecond) / 1000);

describe('freshness', () => {
  test('camera that sends is flowing once and nothing else', () => {
    assert.deepEqual(camera({ ms: 60_000, until: 60_000 }), [{ type: 'flowing', at: 250 }]);
  });

  test('camera that falls silent is stalled after 1 s and silent after 2.5 s', () => {
    const facts = camera({ ms: 10_000, until: 20_000 });
    assert.deepEqual(facts.map(({ type, at }) => [type, at]), [['flowing', 250], ['stalled', 11_000], ['failed', 12_500]]);
    assert.equal(failureIn(facts)?.class, 'silent');
  });

  test('camera that pauses for 2 s is stalled and flows again', () => {
    const facts = camera({ ms: 10_000, until: 14_000, after: (good, ms) => (ms < 2000 ? good : { packets: grown(good.packets, ms - 1900, 200), frames: grown(good.frames, ms - 1900, 25), keyframes: good.keyframes + 1, rtpTime: (good.rtpTime ?? 0) + ms * 90 }) });
    assert.deepEqual(facts.map(({ type }) => type), ['flowing', 'stalled', 'flowing']);
  });

  test('camera of one frame a second is not stalled between its frames, and silent after five of them', () => {
    const facts = camera({ ms: 20_000, fps: 1, gopMs: 5000, until: 40_000 });
    const failed = failureIn(facts);
    assert.equal(failed?.class, 'silent');
    assert.ok(failed!.at >= 24_500 && failed!.at <= 25_750, `${failed!.at}`);
    assert.equal(facts.filter(({ type, at }) => type === 'stalled' && at <= 20_000).length, 0);
  });

  test('camera that accepts PLAY and sends nothing is silent after the first-packet limit', () => {
    assert.deepEqual(failureIn(camera({ ms: 0, until: 10_000 })), { class: 'silent', code: 'no-first-packet', at: 5000 });
  });

  test('camera whose video ends while audio goes on is video-missing after 15 s, not silent', () => {
    const facts = camera({ ms: 10_000, until: 40_000, after: (_good, ms) => ({ audioPackets: grown(1, ms, 50) }) });
    assert.deepEqual(failureIn(facts), { class: 'video-missing', code: 'video-missing', at: 25_000 });
    assert.ok(facts.some(({ type }) => type === 'stalled'));
  });

  test('camera that never sends video but audio is video-missing', () => {
    const facts = camera({ ms: 0, until: 40_000, after: (_good, ms) => ({ audioPackets: grown(1, ms, 50) }) });
    assert.deepEqual(failureIn(facts), { class: 'video-missing', code: 'video-missing', at: 15_000 });
  });

  test('camera without keyframes is no-keyframe after 15 s while packets flow', () => {
    const facts = camera({ ms: 10_000, until: 40_000, after: (good, ms) => ({ packets: grown(good.packets, ms, 200), frames: grown(good.frames, ms, 25), rtpTime: (good.rtpTime ?? 0) + ms * 90 }) });
    const failed = failureIn(facts);
    assert.equal(failed?.class, 'no-keyframe');
    assert.ok(Math.abs(failed!.at - 25_000) <= 250);
  });

  test('camera with a 10 s GOP gets 30 s before no-keyframe', () => {
    const facts = camera({ ms: 40_000, gopMs: 10_000, until: 90_000, after: (good, ms) => ({ packets: grown(good.packets, ms, 200), frames: grown(good.frames, ms, 25), rtpTime: (good.rtpTime ?? 0) + ms * 90 }) });
    const failed = failureIn(facts);
    assert.equal(failed?.class, 'no-keyframe');
    assert.ok(failed!.at >= 69_500 && failed!.at <= 71_000, `${failed!.at}`);
  });

  test('timestamps that stand still for 10 s while packets flow are timestamps-frozen', () => {
    const facts = camera({ ms: 10_000, until: 30_000, after: (good, ms) => ({ packets: grown(good.packets, ms, 200), frames: grown(good.frames, ms, 25), keyframes: grown(good.keyframes, ms, 1) }) });
    assert.deepEqual(failureIn(facts), { class: 'timestamps', code: 'timestamps-frozen', at: 20_000 });
  });

  for (const [jumpMs, code] of [[9000, undefined], [-9000, undefined], [3_600_000, 'timestamps-jumped'], [-3_600_000, 'timestamps-jumped']] as const) {
    test(`timestamps that jump by ${jumpMs / 1000} s are ${code ?? 'tolerated'}`, () => {
      const facts = camera({ ms: 10_000, until: 20_000, after: (good, ms) => ({ packets: grown(good.packets, ms, 200), frames: grown(good.frames, ms, 25), keyframes: grown(good.keyframes, ms, 1), rtpTime: ((good.rtpTime ?? 0) + (ms + jumpMs) * 90) >>> 0 }) });
      assert.equal(failureIn(facts)?.code, code);
    });
  }

  test('RTP clock that wraps at 2³² is no jump', () => {
    const start = 0xffffffff - 90 * 3000;
    let state = beginFreshness(0);
    for (let at = 250; at < 10_000; at += 250) {
      const frames = at / 40;
      const step = judge(state, { at, packets: frames, frames, keyframes: 1 + Math.floor(at / 1000), audioPackets: 0, rtpTime: (start + at * 90) >>> 0 }, limits);
      state = step.state;
      assert.equal(step.facts.some(({ type }) => type === 'failed'), false);
    }
  });

  test('whatever the counters do, at most one failure is told and nothing after it', () => {
    const step = fc.record({ dt: fc.integer({ min: 1, max: 20_000 }), packets: fc.nat(50), frames: fc.nat(10), keyframes: fc.nat(2), audio: fc.nat(20), rtp: fc.integer({ min: 0, max: 0xffffffff }) });
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state = beginFreshness(0);
      let sample: Sample = state.last;
      const facts: FreshnessFact[] = [];
      for (const { dt, packets, frames, keyframes, audio, rtp } of steps) {
        sample = { at: sample.at + dt, packets: sample.packets + packets, frames: sample.frames + frames, keyframes: sample.keyframes + keyframes, audioPackets: sample.audioPackets + audio, rtpTime: sample.packets + packets === 0 ? null : rtp };
        const result = judge(state, sample, limits);
        state = result.state;
        facts.push(...result.facts);
      }
      const failed = facts.findIndex(({ type }) => type === 'failed');
      assert.ok(failed === -1 || failed === facts.length - 1);
      const flow = facts.filter(({ type }) => type !== 'failed').map(({ type }) => type);
      assert.ok(flow.every((type, i) => type === (i % 2 === 0 ? 'flowing' : 'stalled')), flow.join(' '));
    }));
  });
});
