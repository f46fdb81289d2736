/** What recorder and HLS output have in common: the client of a hub that `splitmuxsink` cuts into files, from play to the last word. */
import { failure, type Failure } from '../../errors.ts';
import { child, fieldOf, type GstElement, type GstMessage } from '../gst.ts';
import { storageFailure } from '../storage-failure.ts';
import type { HostEvent } from '../protocol.ts';
import { PipelineOutput } from './output.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** What its pipeline is made of. `elements`: the names of the one that counts frames, and of `splitmuxsink`. */
export type SplitOptions = { launch: string; elements: { frames: string; mux: string }; emit: (event: HostEvent) => void };

/** After EOS everything is written in some ms; a muxer that does not end by then is left as it is. */
const eosMs = 1_500;

/** An output of files; what becomes of them is its subclass's. Whatever a method of those throws ends the output. */
export abstract class SplitOutput extends PipelineOutput {
  readonly #mux: string;
  readonly #frames: GstElement;
  readonly #timeline: Timeline;

  constructor({ launch, elements, emit }: SplitOptions) {
    super(launch, emit);
    this.#mux = elements.mux;
    this.#frames = child(this.pipeline, elements.frames);
    this.#timeline = createTimeline(this.pipeline);
  }

  /** Makes the folder; gives the pattern of paths that `splitmuxsink` writes to. */
  protected abstract prepare(): string;
  protected abstract opened(location: string, runningNs: number): void;
  protected abstract closed(location: string, runningNs: number): void;
  /** Once a second, with the frames that came so far. */
  protected abstract counted(frames: number): void;
  /** What something that was thrown counts as where no disk is the reason. */
  protected abstract broken(text: string): Failure;

  play(): void {
    let location = '';
    if (!this.#guarded(() => (location = this.prepare()))) return;
    child(this.pipeline, this.#mux)['location'] = location;
    this.begin();
  }

  finish(drainMs: number): void {
    if (this.isOver) return;
    // Nothing came yet: an EOS would wait for a first frame.
    if (this.#count() === 0) return this.end({ type: 'output.finished' });
    setTimeout(() => {
      if (this.isOver) return;
      this.pipeline.sendEOS();
      setTimeout(() => this.end({ type: 'output.finished' }), eosMs);
    }, drainMs);
  }

  /** ms since the epoch of a running time. */
  protected wallClock(runningNs: number): number {
    return this.#timeline.wallClock(runningNs);
  }

  protected fail(failed: Failure): void {
    this.end({ type: 'output.failed', failure: failed });
  }

  protected tick(): void {
    this.#guarded(() => this.counted(this.#count()));
  }

  protected heard(message: GstMessage): void {
    if (message.type === 'error') return this.#onError(message);
    if (isConnected(message)) this.emit({ type: 'output.started' });
    else if (message.type === 'eos') this.end({ type: 'output.finished' });
    else if (message.name?.startsWith('splitmuxsink-fragment-')) this.#onFile(message);
  }

  #onFile(message: GstMessage): void {
    const [location, runningNs] = [String(message['location']), Number(message['running-time'])];
    this.#guarded(() => (message.name === 'splitmuxsink-fragment-opened' ? this.opened(location, runningNs) : this.closed(location, runningNs)));
  }

  #onError(message: GstMessage): void {
    const text = `${message.message ?? ''}\n${message.debug ?? ''}`;
    // The hub is gone or cannot be read: the source's business, which is known to others.
    if (message._src_element_name.startsWith('tcpclientsrc')) return this.end({ type: 'output.finished' });
    this.fail(storageFailure(text) ?? streamFailure(text, message._src_element_name));
  }

  #count(): number {
    return fieldOf(this.#frames['stats'], 'num-buffers') ?? 0;
  }

  #guarded(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.fail(storageFailure(text) ?? this.broken(text));
      return false;
    }
  }
}

/** The failure behind an error message that speaks of no disk. */
function streamFailure(text: string, element: string): Failure {
  const evidence = `${element}: ${text}`.slice(0, 400);
  if (/Timestamping error|time is negative/u.test(text)) return failure('timestamps', 'timestamps-backwards', 'The timestamps of the stream went back: a new file begins.', evidence);
  if (/not-negotiated|not negotiated|caps/iu.test(text)) return failure('media-changed', 'not-negotiated', 'The stream changed its form in mid-file: a new file begins.', evidence);
  return failure('reset', 'output-error', 'The pipeline of the output failed.', evidence);
}

/** True for the message by which the hub's client says that it reads. */
export function isConnected(message: GstMessage): boolean {
  return message.name === 'GstMessageStateChanged' && message._src_element_name.startsWith('tcpclientsrc') && message['new-state'] === 'GST_STATE_PAUSED';
}
