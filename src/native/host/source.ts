/** Runs one source pipeline inside a host: starts it, watches its freshness, says what it sees. */
import { failure, type Failure } from '../../errors.ts';
import type { VideoFormat } from '../../media.ts';
import { failureOfMessage } from '../bus.ts';
import { beginFreshness, judge, type Freshness, type FreshnessFact, type Sample } from '../freshness.ts';
import { child, loadGst, playAndListen, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { sourceClock, sourceElements, sourceLaunch, sourceProperties } from '../launch.ts';
import { readCounters, type Counters } from './counters.ts';
import { createGate, type Gate } from './gate.ts';
import { createGopMeter, createMeter } from './meter.ts';
import type { HostCommand, HostEvent, SourceSpec } from '../protocol.ts';

/** A pipeline that a host runs. */
export type Runner = {
  setFeed(open: boolean): void;
  /** Of a gated feed: keep from the next keyframe on, and let out. */
  armGate(): void;
  openGate(): void;
  /** Fault injection, only in a source made with `faults`. */
  disturb(fault: Disturbance): void;
  /** To NULL; blocks for the RTSP TEARDOWN, 200 ms at most. */
  stop(): void;
};

/** Packets that get lost, or bytes that get damaged, for `ms`. */
export type Disturbance = Pick<Extract<HostCommand, { type: 'fault.disturb' }>, 'kind' | 'rate' | 'ms'>;

/** How often the counters are read while the next packet is the news that everybody waits for. */
const eagerMs = 20;
/** Until the very first packet even more often: this is time in which a viewer sees a frozen picture. */
const firstMs = 5;
const statsMs = 1000;
/** A track that is reported missing is believed after this long without a packet of it. */
const doubtMs = 500;
const missingTrack = 'track-missing';
/** While packets flow the next look may come a little later: waking a process costs more than looking. */
const calmFactor = 1.6;
/** Reading caps and SPS copies a keyframe (0.4 ms): a change of media is told within this and one GOP. */
const mediaMs = 2000;
/** How long the gate stays after it was opened, for what is still on its way through it. */
const gateLingerMs = 1000;
/** From play to the answer to PLAY. rtspsrc bounds each step by its own tcp-timeout; this bounds their sum. */
const startMs = 10_000;

/** Starts pulling. Failures, a syntax error in the launch description apart, arrive as `source.failed`. */
export function startSource(spec: SourceSpec, emit: (event: HostEvent) => void): Runner {
  const pipeline = new (loadGst().Pipeline)(sourceLaunch(spec, sourceClock(process.hrtime.bigint(), spec.feed?.shiftMs ?? 0)));
  const source = new Source({ spec, emit, pipeline });
  source.play();
  return source;
}

class Source implements Runner {
  readonly #spec: SourceSpec;
  readonly #emit: (event: HostEvent) => void;
  readonly #pipeline: GstPipeline;
  readonly #counters: Counters;
  readonly #valve: GstElement | undefined;
  /** Undefined where the feed goes straight to the ingest. */
  #gate: Promise<Gate> | undefined;
  #feedOpen: boolean;
  readonly #meter = createMeter();
  readonly #gop = createGopMeter();
  #freshness: Freshness | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #disturbances: Record<Disturbance['kind'], { elements: [GstElement | undefined, string][]; timer?: NodeJS.Timeout }>;
  #warning = '';
  #media = '';
  #mediaDueAt = 0;
  #statsAt = 0;
  #over = false;

  constructor({ spec, emit, pipeline }: { spec: SourceSpec; emit: (event: HostEvent) => void; pipeline: GstPipeline }) {
    this.#spec = spec;
    this.#emit = emit;
    this.#pipeline = pipeline;
    this.#counters = readCounters(pipeline, spec.video.codec);
    this.#valve = pipeline.findChild(sourceElements.valve);
    this.#feedOpen = spec.feed?.open ?? false;
    const { drop, dropAudio, corrupt } = sourceElements;
    this.#disturbances = {
      drop: { elements: [drop, dropAudio].map((name) => [pipeline.findChild(name), 'drop-probability']) },
      corrupt: { elements: [[pipeline.findChild(corrupt), 'probability']] },
    };
  }

  play(): void {
    Object.assign(child(this.#pipeline, sourceElements.src), sourceProperties(this.#spec));
    this.#timer = setTimeout(() => this.#fail(failure('timeout', 'start-timeout', `The camera did not begin to play within ${startMs / 1000} s.`)), startMs);
    if (this.#spec.feed?.gated) this.#aimAtGate(this.#spec.feed);
    playAndListen(this.#pipeline, (message) => this.#onMessage(message));
  }

  setFeed(open: boolean): void {
    this.#feedOpen = open;
    this.#setValve();
    if (!open) this.#emit({ type: 'feed.shut' });
  }

  armGate(): void {
    this.#gate?.then((gate) => gate.arm(), () => undefined);
  }

  openGate(): void {
    // Taken at once: the ingest may say twice that it is ready, before the first word was heeded.
    const opening = this.#gate;
    this.#gate = undefined;
    opening?.then(async (gate) => {
      this.#setValve();
      await gate.open();
      child(this.#pipeline, sourceElements.udp).port = this.#spec.feed!.port;
      setTimeout(() => gate.close(), gateLingerMs).unref();
    }, () => undefined);
  }

  #setValve(): void {
    if (this.#valve !== undefined) this.#valve.drop = !this.#feedOpen;
  }

  #aimAtGate({ port, bindPort }: { port: number; bindPort: number }): void {
    const gate = createGate({ port, bindPort, onReady: () => this.#emit({ type: 'gate.ready' }) });
    this.#gate = gate;
    gate.then((made) => {
      made.arm();
      if (this.#valve !== undefined) child(this.#pipeline, sourceElements.udp).port = made.port;
      this.#setValve();
    }).catch((error: unknown) => {
      this.#gate = undefined;
      this.#fail(failure('local', 'gate-port', `The feed of this camera cannot be opened: ${error instanceof Error ? error.message : String(error)}.`));
    });
  }

  disturb({ kind, rate, ms }: Disturbance): void {
    const disturbance = this.#disturbances[kind];
    const set = (probability: number): void => {
      for (const [element, property] of disturbance.elements) if (element !== undefined) element[property] = probability;
    };
    clearTimeout(disturbance.timer);
    set(rate);
    disturbance.timer = setTimeout(() => set(0), ms);
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#pipeline.stop();
  }

  #onMessage(message: GstMessage): void {
    if (this.#over) return;
    if (message.name === 'GstMessageWarning') this.#warning = String(message.debug ?? '');
    if (isPlaying(message)) this.#begin();
    const failed = failureOfMessage({ ...message, element: message._src_element_name } as Parameters<typeof failureOfMessage>[0], this.#warning);
    if (failed?.code === missingTrack) this.#doubt(failed);
    else if (failed !== null) this.#fail(failed);
  }

  /**
   * With two tracks rtspsrc 1.22 may call "no more pads" from one track's thread while the other's is still being
   * linked, and the launch parser then reports a missing track that is linked a moment later. Packets refute it.
   */
  #doubt(failed: Failure): void {
    setTimeout(() => {
      if (this.#counters.sample().packets === 0) this.#fail(failed);
    }, doubtMs);
  }

  /** The camera answered PLAY: from now on silence is a failure. rtspsrc says so again after it followed a redirect. */
  #begin(): void {
    if (this.#freshness !== undefined) return;
    this.#statsAt = performance.now();
    this.#freshness = beginFreshness(this.#statsAt);
    this.#emit({ type: 'source.started', hubPort: this.#counters.hubPort() });
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { checkMs } = this.#spec.health;
    const eager = this.#freshness?.status !== 'flowing' && !this.#isLongStalled();
    const calm = this.#freshness?.status === 'flowing' && this.#freshness.packetAt === this.#freshness.last.at;
    this.#timer = setTimeout(() => this.#check(), eager ? Math.min(this.#freshness?.status === 'waiting' ? firstMs : eagerMs, checkMs) : calm ? checkMs * calmFactor : checkMs);
  }

  #isLongStalled(): boolean {
    return this.#freshness?.status === 'stalled' && performance.now() - (this.#freshness.packetAt ?? 0) > 10_000;
  }

  #check(): void {
    const sample = this.#look();
    const { state, facts } = judge(this.#freshness!, sample, this.#spec.health);
    const newKeyframe = sample.keyframes > this.#freshness!.last.keyframes;
    this.#freshness = state;
    this.#gop.add(sample);
    if (newKeyframe && sample.at >= this.#mediaDueAt) this.#tellMedia(sample.at);
    for (const fact of facts) this.#tell(fact);
    if (this.#over) return;
    if (sample.at - this.#statsAt >= statsMs) this.#tellStats(sample.at);
    this.#schedule();
  }

  /** A glance while packets flow, every counter once a second and as soon as they do not. */
  #look(): Sample {
    const { status, last } = this.#freshness!;
    if (status === 'flowing' && performance.now() - this.#statsAt < statsMs) {
      const glance = this.#counters.glance(last);
      if (glance.packets > last.packets) return glance;
    }
    return this.#counters.sample();
  }

  #tell(fact: FreshnessFact): void {
    if (fact.type === 'failed') this.#fail(fact.failure);
    else if (fact.type === 'flowing') this.#emit({ type: 'source.flowing' });
    else this.#emit({ type: 'source.stalled', sinceMs: fact.sinceMs });
  }

  #tellMedia(now: number): void {
    this.#mediaDueAt = now + mediaMs;
    const media: VideoFormat | null = this.#counters.media();
    const key = JSON.stringify(media);
    if (media === null || key === this.#media) return;
    this.#media = key;
    this.#emit({ type: 'source.media', media });
  }

  #tellStats(now: number): void {
    this.#statsAt = now;
    const { last, packetAt, keyframeAt } = this.#freshness!;
    const { received, fed } = this.#counters.bytes();
    this.#meter.add({ at: now, frames: last.frames, bytes: received });
    const age = (at: number | null): number | null => (at === null ? null : Math.round(now - at));
    this.#emit({
      type: 'source.stats',
      stats: {
        packets: last.packets, bytes: received, frames: last.frames, keyframes: last.keyframes,
        packetAgeMs: age(packetAt), keyframeAgeMs: age(keyframeAt),
        keyframeIntervalMs: this.#gop.read(),
        ...this.#meter.read(), feedBytes: fed, feedSequence: this.#counters.feedSequence(), rssBytes: process.memoryUsage.rss(),
      },
    });
  }

  #fail(failed: Failure): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#emit({ type: 'source.failed', failure: failed });
  }
}

function isPlaying(message: GstMessage): boolean {
  return message.name === 'GstMessageProgress' && message.type === 'GST_PROGRESS_TYPE_COMPLETE' && message.code === 'request' && message.text === 'Sent PLAY request';
}
