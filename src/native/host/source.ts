/** Runs one source pipeline inside a host: starts it, aims its feed, says what its bus says. Freshness is judged outside (`source-watch.ts`). */
import { failure, type Failure } from '../../errors.ts';
import { failureOfMessage } from '../bus.ts';
import { aim, child, fieldOf, loadGst, playAndListen, stopAndUnlisten, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { sourceClock, sourceElements, sourceLaunch, sourceProperties } from '../launch.ts';
import { createGate, type Gate } from './gate.ts';
import { allowCamera, redirectOf } from './only-camera.ts';
import type { HostCommand, HostEvent, SourceSpec } from '../protocol.ts';

/** A pipeline that a host runs. */
export type Runner = {
  setFeed(open: boolean): void;
  /** Of a gated feed: keep from the next keyframe on, and let out. */
  armGate(): void;
  openGate(): void;
  /** Bytes handed to the feed, and its newest sequence number; undefined where there is no feed. */
  fed(): { bytes: number; sequence: number | null } | undefined;
  /** Fault injection, only in a source made with `faults`. */
  disturb(fault: Disturbance): void;
  /** To NULL; blocks for the RTSP TEARDOWN, 200 ms at most. */
  stop(): void;
};

/** Packets that get lost, or bytes that get damaged, for `ms`. */
export type Disturbance = Pick<Extract<HostCommand, { type: 'fault.disturb' }>, 'kind' | 'rate' | 'ms'>;

/** A track that is reported missing is believed after this long without a packet of it. */
const doubtMs = 500;
const missingTrack = 'track-missing';
/** How long the gate stays after it was opened, for what is still on its way through it. */
const gateLingerMs = 1000;
/** From play to the answer to PLAY. rtspsrc bounds each step by its own tcp-timeout; this bounds their sum. */
const startMs = 10_000;

/** Starts pulling. Failures, a syntax error in the launch description apart, arrive as `source.failed`. */
export function startSource(spec: SourceSpec, emit: (event: HostEvent) => void): Runner {
  allowCamera(spec.url);
  const pipeline = new (loadGst().Pipeline)(sourceLaunch(spec, sourceClock(process.hrtime.bigint(), spec.feed?.shiftMs ?? 0)));
  const source = new Source({ spec, emit, pipeline });
  source.play();
  return source;
}

class Source implements Runner {
  readonly #spec: SourceSpec;
  readonly #emit: (event: HostEvent) => void;
  readonly #pipeline: GstPipeline;
  readonly #rtp: GstElement;
  readonly #hub: GstElement;
  readonly #soundHub: GstElement | undefined;
  readonly #rest: GstElement | undefined;
  readonly #valve: GstElement | undefined;
  readonly #pay: GstElement | undefined;
  readonly #udp: GstElement | undefined;
  readonly #box: GstElement | undefined;
  /** Undefined where the feed goes straight to the ingest. */
  #gate: Promise<Gate> | undefined;
  #shutGate = (): void => undefined;
  #feedOpen: boolean;
  #isPlaying = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #disturbances: Record<Disturbance['kind'], { elements: [GstElement | undefined, string][]; timer?: NodeJS.Timeout }>;
  #warning = '';
  #over = false;

  constructor({ spec, emit, pipeline }: { spec: SourceSpec; emit: (event: HostEvent) => void; pipeline: GstPipeline }) {
    this.#spec = spec;
    this.#emit = emit;
    this.#pipeline = pipeline;
    // Each look-up leaks a reference: once.
    this.#rtp = child(pipeline, sourceElements.rtp);
    this.#hub = child(pipeline, sourceElements.hub);
    this.#box = pipeline.findChild(sourceElements.box);
    this.#soundHub = pipeline.findChild(sourceElements.soundHub);
    [this.#rest, this.#valve, this.#pay, this.#udp] = [sourceElements.rest, sourceElements.valve, sourceElements.pay, sourceElements.udp].map((name) => pipeline.findChild(name));
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
      aim(this.#udp!, this.#spec.feed!.port);
      setTimeout(() => gate.close(), gateLingerMs).unref();
    }, () => undefined);
  }

  /** What the source kept while it rested is for the hub: it goes through before the valve opens. */
  #setValve(): void {
    if (this.#valve === undefined) return;
    if (this.#feedOpen && this.#rest !== undefined) this.#rest.wanted = true;
    this.#valve.drop = !this.#feedOpen;
    if (!this.#feedOpen && this.#rest !== undefined) this.#rest.wanted = false;
  }

  #aimAtGate({ port, bindPort }: { port: number; bindPort: number }): void {
    const gate = createGate({ port, bindPort, onReady: () => this.#emit({ type: 'gate.ready' }) });
    this.#gate = gate;
    gate.then((made) => {
      this.#shutGate = () => made.close();
      if (this.#over) return made.close();
      made.arm();
      if (this.#udp !== undefined) aim(this.#udp, made.port);
      this.#setValve();
    }).catch((error: unknown) => {
      this.#gate = undefined;
      this.#fail(failure('local', 'gate-port', `The feed of this camera cannot be opened: ${error instanceof Error ? error.message : String(error)}.`));
    });
  }

  fed(): { bytes: number; sequence: number | null } | undefined {
    if (this.#udp === undefined || this.#pay === undefined) return undefined;
    const bytes = Number(this.#udp['bytes-served'] ?? 0);
    return { bytes, sequence: bytes === 0 ? null : Number(this.#pay['seqnum']) };
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
    for (const { timer } of Object.values(this.#disturbances)) clearTimeout(timer);
    this.#shutGate();
    stopAndUnlisten(this.#pipeline);
    // Another source will note in the same file.
    if (this.#box !== undefined) this.#box.fd = -1;
  }

  #onMessage(message: GstMessage): void {
    if (this.#over) return;
    if (message.name === 'GstMessageWarning') this.#warning = String(message.debug ?? '');
    const elsewhere = redirectOf(message, this.#spec.url);
    if (elsewhere !== undefined) return this.#fail(elsewhere);
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
      if ((fieldOf(this.#rtp['stats'], 'num-buffers') ?? 0) === 0) this.#fail(failed);
    }, doubtMs);
  }

  /** The camera answered PLAY. rtspsrc says so again after it followed a redirect. */
  #begin(): void {
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    clearTimeout(this.#timer);
    this.#takeJumps();
    this.#emit({ type: 'source.started', hubPort: Number(this.#hub['current-port']), soundPort: this.#soundHub === undefined ? null : Number(this.#soundHub['current-port']) });
  }

  /**
   * Sequence numbers that jump back are a new beginning at once: over TCP nothing comes in another order. rtpjitterbuffer 1.22
   * drops what is up to 2 s behind for being late, and what 2 s are it reckons by the numbers themselves, which just jumped:
   * nothing came for as long as they needed to catch up.
   */
  #takeJumps(): void {
    const manager = this.#spec.transport === 'tcp' ? this.#pipeline.findChild(sourceElements.manager) : undefined;
    if (manager !== undefined) manager['max-misorder-time'] = 1;
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
