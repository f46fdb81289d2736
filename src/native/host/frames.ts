/** Runs one frames output inside a host: decoded frames for programs, until it is told to end or the hub does. */
import { failure, type Failure } from '../../errors.ts';
import { failureOfMessage } from '../bus.ts';
import { child, fieldOf, loadGst, playAndListen, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { framesElements, framesLaunch } from '../launch-frames.ts';
import type { FramesSpec, HostEvent } from '../protocol.ts';
import { isConnected, type Output } from './split-output.ts';
import { createTimeline } from './timeline.ts';

const statsMs = 1_000;
const placeMs = 5;
/** Frames that are this old, and do not get younger within as many looks, mean that the machine does not decode in time. */
const oldMs = 5_000;
const oldLooks = 5;

/** Starts the output. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startFrames(spec: FramesSpec, emit: (event: HostEvent) => void): Output {
  const output = new FramesOutput(spec, emit);
  output.play(spec);
  return output;
}

class FramesOutput implements Output {
  readonly #emit: (event: HostEvent) => void;
  readonly #pipeline: GstPipeline;
  readonly #sink: GstElement;
  /** Until the wall clock of the pipeline is known. */
  readonly #placing: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #ages: number[] = [];
  #lost = 0;
  #kept = 0;
  #over = false;

  constructor(spec: FramesSpec, emit: (event: HostEvent) => void) {
    this.#emit = emit;
    this.#pipeline = new (loadGst().Pipeline)(framesLaunch(spec));
    this.#sink = child(this.#pipeline, framesElements.sink);
    const timeline = createTimeline(this.#pipeline);
    this.#placing = setInterval(() => {
      if (!timeline.isKnown()) return;
      clearInterval(this.#placing);
      this.#sink['epoch'] = `${timeline.wallClock(0)}000000`;
    }, placeMs);
  }

  play({ socket, areas, camera, run }: FramesSpec): void {
    this.#sink['socket-path'] = socket;
    this.#sink['areas'] = areas;
    this.#sink['stream-id'] = `${camera}/${run}`;
    playAndListen(this.#pipeline, (message) => this.#onMessage(message));
    const port = Number(this.#sink['current-port']);
    // Where it does not listen, the bus says why.
    if (port > 0) this.#emit({ type: 'frames.listening', port });
    this.#timer = setInterval(() => this.#tick(), statsMs);
  }

  finish(drainMs: number): void {
    setTimeout(() => this.#end({ type: 'output.finished' }), drainMs);
  }

  stop(): void {
    this.#over = true;
    this.#rest();
    this.#pipeline.stop();
  }

  #tick(): void {
    const stats = this.#sink['stats'];
    const read = (field: string): number => fieldOf(stats, field) ?? 0;
    const behindMs = read('behind');
    if (read('lost') > this.#lost && read('frames') === this.#kept) return this.#end({ type: 'output.failed', failure: failure('local', 'no-shared-memory', 'There is no room for frames in /dev/shm.') });
    [this.#lost, this.#kept] = [read('lost'), read('frames')];
    const readers = { tcp: read('tcp'), shared: read('shared'), missed: read('missed'), cut: read('cut'), behindMs };
    this.#emit({ type: 'output.stats', stats: { frames: read('frames'), bytes: read('bytes'), rssBytes: process.memoryUsage.rss(), readers } });
    this.#judge(behindMs);
  }

  /** The hub keeps what this pipeline has not read yet: a decoder that is too slow would show an ever older past. */
  #judge(ageMs: number): void {
    this.#ages = [...this.#ages, ageMs].slice(-oldLooks);
    if (this.#ages.length < oldLooks || this.#ages.some((age) => age < oldMs) || this.#ages.at(-1)! < this.#ages[0]!) return;
    this.#end({ type: 'output.failed', failure: failure('local', 'frames-behind', `Frames were ${Math.round(ageMs / 1_000)} s old: this machine does not decode the camera in time.`) });
  }

  #onMessage(message: GstMessage): void {
    if (isConnected(message)) return this.#emit({ type: 'output.started' });
    if (message.type === 'eos') return this.#end({ type: 'output.finished' });
    if (message.type === 'error') this.#end(message._src_element_name.startsWith('tcpclientsrc') ? { type: 'output.finished' } : { type: 'output.failed', failure: failureOf(message) });
  }

  #end(event: HostEvent): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest();
    this.#emit(event);
  }

  #rest(): void {
    clearInterval(this.#timer);
    clearInterval(this.#placing);
  }
}

function failureOf(message: GstMessage): Failure {
  const evidence = `${message._src_element_name}: ${message.message ?? ''} ${message.debug ?? ''}`.slice(0, 400);
  if (message._src_element_name === framesElements.sink) return failure('local', 'frames-refused', 'Frames cannot be served on this machine.', evidence);
  return failureOfMessage({ ...message, element: message._src_element_name } as Parameters<typeof failureOfMessage>[0]) ?? failure('reset', 'output-error', 'The pipeline of the frames failed.', evidence);
}
