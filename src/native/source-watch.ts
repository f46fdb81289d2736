/**
 * Watches a source from outside its host: reads the counters that its pipeline keeps in the flight box, judges whether it
 * is fresh, and says so in the words of a host. A host that streams is never woken for it: each wake of a process that
 * sleeps between costs more than a whole frame of media (docs/performance.md).
 */
import { failure, type Failure } from '../errors.ts';
import type { SourceStats, VideoFormat } from '../media.ts';
import { beginFreshness, judge, type Freshness, type FreshnessFact } from './freshness.ts';
import type { BoxCounters } from './flight-box.ts';
import { createGopMeter, createMeter } from './meter.ts';
import { monotonicMs } from './monotonic.ts';
import { spsOfAvcConfiguration, spsOfHevcConfiguration } from './sps.ts';
import type { HealthLimits, HostEvent } from './protocol.ts';

/** A watch over one source. */
export type SourceWatch = {
  /** The camera answered PLAY: from now on silence is a failure. */
  begin(): void;
  stop(): void;
};

/** What a watch needs. */
export type SourceWatchOptions = {
  counters: () => BoxCounters | undefined;
  codec: VideoFormat['codec'];
  limits: HealthLimits;
  emit: (event: HostEvent) => void;
  /** Resolves as soon as the host shows a sign of life; a host that is frozen is no silent camera. */
  alive: () => Promise<void>;
  /** What only the host knows, as it last said. */
  known: () => Pick<SourceStats, 'feedBytes' | 'feedSequence' | 'rssBytes'>;
};

/** How often the counters are read while the next packet is the news that everybody waits for. */
const eagerMs = 20;
/** Until the very first packet even more often: this is time in which a viewer sees a frozen picture. */
const firstMs = 5;
const statsMs = 1000;
/** A camera that was silent for so long is looked at in peace. */
const longMs = 10_000;

/** Makes a watch that does nothing until `begin`. */
export function watchSource(options: SourceWatchOptions): SourceWatch {
  return new Watch(options);
}

class Watch implements SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #meter = createMeter();
  readonly #gop = createGopMeter();
  #freshness: Freshness | undefined;
  #timer: NodeJS.Timeout | undefined;
  #format = { serial: 0, media: '' };
  #statsAt = 0;
  #over = false;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
  }

  begin(): void {
    if (this.#freshness !== undefined || this.#over) return;
    this.#statsAt = monotonicMs();
    this.#freshness = beginFreshness(this.#statsAt);
    this.#schedule(this.#statsAt);
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** Sources that flow are looked at together: their moments are multiples of the interval. */
  #schedule(now: number): void {
    const { checkMs } = this.#options.limits;
    const { status, packetAt } = this.#freshness!;
    const eager = status === 'waiting' ? firstMs : status === 'stalled' && now - (packetAt ?? 0) < longMs ? eagerMs : checkMs;
    this.#timer = setTimeout(() => this.#check(), eager < checkMs ? eager : checkMs - (now % checkMs));
  }

  #check(): void {
    const now = monotonicMs();
    const counters = this.#options.counters();
    if (counters !== undefined) this.#judge(counters, now);
    if (!this.#over) this.#schedule(now);
  }

  #judge(counters: BoxCounters, now: number): void {
    const { packets, frames, keyframes, audioPackets, packetAt, keyframeAt } = counters;
    const rtpTime = frames === 0 ? null : counters.timestamp;
    const { state, facts } = judge(this.#freshness!, { at: now, packets, frames, keyframes, audioPackets, rtpTime, packetAt, keyframeAt }, this.#options.limits);
    this.#freshness = state;
    this.#gop.add({ at: keyframeAt ?? now, keyframes });
    if (keyframes > 0) this.#tellMedia(counters);
    for (const fact of facts) this.#tell(fact);
    if (!this.#over && now - this.#statsAt >= statsMs) this.#tellStats(counters, now);
  }

  #tell(fact: FreshnessFact): void {
    const { emit, alive } = this.#options;
    if (fact.type === 'flowing') emit({ type: 'source.flowing' });
    else if (fact.type === 'stalled') {
      emit({ type: 'source.stalled', sinceMs: fact.sinceMs });
      // Already now, so that a host that froze is known for one before its camera counts as silent.
      void alive();
    } else {
      this.stop();
      void alive().then(() => emit({ type: 'source.failed', failure: fact.failure }));
    }
  }

  #tellMedia({ format }: BoxCounters): void {
    if (format === null || format.serial === this.#format.serial) return;
    const media = mediaOf(this.#options.codec, format.data);
    const text = JSON.stringify(media);
    const isNews = media !== null && text !== this.#format.media;
    this.#format = { serial: format.serial, media: isNews ? text : this.#format.media };
    if (isNews) this.#options.emit({ type: 'source.media', media });
  }

  #tellStats({ packets, bytes, frames, keyframes, packetAt, keyframeAt, reordered }: BoxCounters, now: number): void {
    this.#statsAt = now;
    this.#meter.add({ at: now, frames, bytes });
    const age = (at: number | null): number | null => (at === null ? null : Math.max(0, Math.round(now - at)));
    this.#options.emit({
      type: 'source.stats',
      stats: { packets, bytes, frames, keyframes, packetAgeMs: age(packetAt), keyframeAgeMs: age(keyframeAt), keyframeIntervalMs: this.#gop.read(), bFrames: hasBFrames(frames, reordered), ...this.#meter.read(), ...this.#options.known() },
    });
  }
}

/** Fewer frames prove nothing; a camera that has B-frames shows them once in a few dozen frames at least, and a step of its clock looks like one. */
const enoughFrames = 25;
const bFrameShare = 1 / 60;
const clockSteps = 2;

/** Whether pictures come in another order than they are shown in, by the RTP timestamps; null before enough of them came. */
export function hasBFrames(frames: number, reordered: number): boolean | null {
  if (reordered > clockSteps && reordered >= frames * bFrameShare) return true;
  return frames < enoughFrames ? null : false;
}

/** Null where no parameter sets are at hand: nothing new is known then. */
function mediaOf(codec: VideoFormat['codec'], configuration: Uint8Array): VideoFormat | null {
  const sps = codec === 'H265' ? spsOfHevcConfiguration(configuration) : spsOfAvcConfiguration(configuration);
  return sps && { codec, profile: sps.profile, profileLevelId: sps.profileLevelId, width: sps.width, height: sps.height, fps: sps.fps };
}

/** A source that nobody could watch is none: what to say where the box could not be made. */
export const noBox = (): Failure => failure('local', 'no-flight-box', 'There is no room for the counters of this camera: neither /dev/shm nor the directory for temporary files takes 64 KB.');
