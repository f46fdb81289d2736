/** What all outputs of a host have in common: a pipeline whose bus is heard, figures once a second, and one last word. */
import { failure, type Failure } from '../../errors.ts';
import { failureOfMessage } from '../bus.ts';
import { loadGst, playAndListen, type GstMessage, type GstPipeline } from '../gst.ts';
import type { HostEvent } from '../protocol.ts';

/** An output that a host runs. */
export type Output = {
  /** Ends what is open and says `output.finished`; the hub gets `drainMs` to close by itself first. */
  finish(drainMs: number): void;
  stop(): void;
};

const statsMs = 1_000;

/** What a message of the bus says, for a person who looks for the cause. */
export function evidenceOf(message: GstMessage): string {
  return `${message._src_element_name}: ${message.message ?? ''} ${message.debug ?? ''}`.slice(0, 400);
}

/** The failure behind an error of the bus; `words` where it is none of those that are known. */
export function outputFailure(message: GstMessage, words: string): Failure {
  return failureOfMessage({ ...message, element: message._src_element_name } as Parameters<typeof failureOfMessage>[0]) ?? failure('reset', 'output-error', words, evidenceOf(message));
}

/** Runs one pipeline; what its messages mean, and what it counts, is its subclass's. */
export abstract class PipelineOutput implements Output {
  protected readonly emit: (event: HostEvent) => void;
  protected readonly pipeline: GstPipeline;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** Throws where the launch description is none. */
  constructor(launch: string, emit: (event: HostEvent) => void) {
    this.emit = emit;
    this.pipeline = new (loadGst().Pipeline)(launch);
  }

  abstract finish(drainMs: number): void;
  /** Messages of the bus, until it is over. */
  protected abstract heard(message: GstMessage): void;
  /** Once a second while it runs. */
  protected abstract tick(): void;

  stop(): void {
    this.#rest();
    this.pipeline.stop();
  }

  protected get isOver(): boolean {
    return this.#over;
  }

  protected begin(): void {
    playAndListen(this.pipeline, (message) => this.#over || this.heard(message));
    this.#timer = setInterval(() => this.tick(), statsMs);
  }

  /** The last word: nothing is said after it. */
  protected end(event: HostEvent): void {
    if (this.#over) return;
    this.#rest();
    this.emit(event);
  }

  #rest(): void {
    this.#over = true;
    clearInterval(this.#timer);
  }
}
