/** Mutants: every kind changes a stream, the same seed always in the same way, and what it is not about stays as it is. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Mutator, mutantKinds, type Mutant, type MutantKind } from '../../src/camera-sim/mutator.ts';
import { loadTrack, type Track } from '../../src/camera-sim/track.ts';
import type { Sender } from '../../src/camera-sim/sender.ts';
import { packetEnd, stampRun } from '../../src/rtp/packet.ts';

const [video, hevc, sound, g711] = ['tiny-320x180-main', 'hevc-360p', 'beep-aac', 'beep-pcmu'].map(loadTrack) as [Track, Track, Track, Track];

/** Everything that a session of one stream would get of two seconds, as text. */
function sent(mutant: Mutant | undefined, track: Track): string[] {
  const mutator = mutant && new Mutator(mutant);
  const out: string[] = [];
  const sender = { ssrc: 7, timestampOffset: 0, control: (packet: Buffer) => void out.push(`rtcp ${packet.subarray(16, 20).toString('hex')} ${packet.length}`) } as unknown as Sender;
  track.units.slice(0, 50).forEach((unit, index) => {
    const due = { unit, ticks: index * track.unitTicks };
    const mutated = mutator ? mutator.take(due, track) : { due, alter: undefined, control: () => undefined };
    if (!mutated) return;
    mutated.control(sender);
    const run = { bytes: Buffer.from(mutated.due.unit.bytes), offsets: mutated.due.unit.offsets };
    stampRun(run, { channel: 0, sequence: index * 100, timestamp: mutated.due.ticks, ssrc: 7 });
    const packets = Array.from(run.offsets, (start, at) => run.bytes.subarray(start, packetEnd(run, at)));
    out.push(...(mutated.alter?.(packets, { ssrc: 7, channel: 0 }) ?? packets).map((packet) => packet.toString('hex')));
  });
  return out;
}
const of = (kind: MutantKind, seed = 1): Mutant => ({ kind, seed, ms: 1_000, ...(kind === 'parameter-change' ? { clip: 'odd-504x282-baseline' } : {}) });

describe('a mutant', () => {
  for (const kind of mutantKinds) {
    const track = kind === 'sound-headers' ? sound : kind.startsWith('sound-') ? g711 : video;
    test(`of kind ${kind} changes the stream, the same seed in the same way, for every session`, () => {
      assert.notDeepEqual(sent(of(kind), track), sent(undefined, track));
      assert.deepEqual(sent(of(kind), track), sent(of(kind), track));
      if (!['parameter-change', 'parameter-missing', 'keyframe-missing', 'time-still', 'time-backwards'].includes(kind)) {
        assert.ok([2, 3, 4, 5].some((seed) => JSON.stringify(sent(of(kind, seed), track)) !== JSON.stringify(sent(of(kind), track))), 'another seed does something else');
      }
    });
  }

  test('of H.265 is one as well', () => {
    for (const kind of mutantKinds.filter((each) => !each.startsWith('sound-') && each !== 'parameter-change')) assert.notDeepEqual(sent(of(kind), hevc), sent(undefined, hevc), kind);
  });

  test('of the picture leaves the sound alone, and the other way round', () => {
    assert.deepEqual(sent(of('truncated-nal'), sound), sent(undefined, sound));
    assert.deepEqual(sent(of('sound-garbage'), video), sent(undefined, video));
  });

  test('of no known kind, or without the clip that it needs, is refused', () => {
    assert.throws(() => new Mutator({ kind: 'nonsense' as MutantKind, seed: 1, ms: 1 }), /is no kind of mutant/u);
    assert.throws(() => new Mutator({ kind: 'parameter-change', seed: 1, ms: 1 }), /needs a clip/u);
  });
});
