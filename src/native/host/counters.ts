/** Reads a source pipeline's counters out of its elements. Looks each element up once: every look-up leaks a reference. */
import { child, fieldOf, type GstPipeline, type GstSample } from '../gst.ts';
import { sourceElements as names } from '../launch.ts';
import { spsOfAvcConfiguration, spsOfHevcConfiguration } from '../sps.ts';
import type { Sample } from '../freshness.ts';
import type { VideoFormat } from '../../media.ts';

/** Readings of one source. */
export type Counters = {
  /** All counters now; `at` is monotonic, ms. */
  sample(): Sample;
  /**
   * The sample before with what proves life read anew: packets and keyframes. Each reading turns a structure into text
   * (20 µs), and a healthy source is looked at for years: the rest is read once a second, and whenever packets stay away.
   */
  glance(before: Sample): Sample;
  /** RTP bytes received, and bytes handed to the feed. */
  bytes(): { received: number; fed: number };
  /** Newest sequence number of the feed; null before its first packet. */
  feedSequence(): number | null;
  hubPort(): number;
  /** What the newest keyframe's SPS says; null before the first, and where it carries none. Copies the keyframe, so not for every tick. */
  media(): VideoFormat | null;
};

/** Binds to the elements of a pipeline made by `sourceLaunch`. */
export function readCounters(pipeline: GstPipeline, codec: VideoFormat['codec']): Counters {
  const [rtp, depay, frames, keyframes, audio, hub] = [names.rtp, names.depay, names.frames, names.keyframes, names.audio, names.hub].map((name) => child(pipeline, name));
  const [pay, udp] = [names.pay, names.udp].map((name) => pipeline.findChild(name));
  return {
    sample() {
      const packets = fieldOf(rtp!.stats, 'num-buffers') ?? 0;
      const seen = fieldOf(frames!.stats, 'num-buffers') ?? 0;
      return {
        at: performance.now(),
        packets,
        frames: seen,
        keyframes: fieldOf(keyframes!.stats, 'rendered') ?? 0,
        audioPackets: fieldOf(audio!.stats, 'num-buffers') ?? 0,
        // The depayloader says 0 until its first frame left it: read then, the camera's first timestamp would look like a jump.
        rtpTime: seen === 0 ? null : fieldOf(depay!.stats, 'timestamp') ?? null,
      };
    },
    glance: (before) => ({
      ...before,
      at: performance.now(),
      packets: fieldOf(rtp!.stats, 'num-buffers') ?? 0,
      keyframes: fieldOf(keyframes!.stats, 'rendered') ?? 0,
    }),
    bytes: () => ({ received: fieldOf(rtp!.stats, 'num-bytes') ?? 0, fed: Number(udp?.['bytes-served'] ?? 0) }),
    feedSequence: () => (pay === undefined || Number(udp?.['bytes-served'] ?? 0) === 0 ? null : Number(pay['seqnum'])),
    hubPort: () => Number(hub!['current-port']),
    media() {
      // Absent before the first keyframe; asking then would make the addon assert.
      if ((fieldOf(keyframes!.stats, 'rendered') ?? 0) === 0) return null;
      const sample = keyframes!['last-sample'] as unknown as GstSample | null;
      return sample === null ? null : mediaOf(codec, sample);
    },
  };
}

/** Null where no parameter sets are at hand: nothing new is known then. */
function mediaOf(codec: VideoFormat['codec'], { caps }: GstSample): VideoFormat | null {
  const { codec_data: configuration } = caps;
  if (!(configuration instanceof Uint8Array)) return null;
  const sps = codec === 'H265' ? spsOfHevcConfiguration(configuration) : spsOfAvcConfiguration(configuration);
  return sps && { codec, profile: sps.profile, profileLevelId: sps.profileLevelId, width: sps.width, height: sps.height, fps: sps.fps };
}
