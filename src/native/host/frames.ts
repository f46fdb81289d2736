/** Runs one frames output inside a host: decoded frames for programs, until it is told to end or the hub does. */
import { failure, type Failure } from '../../errors.ts';
import { child, fieldOf, type GstElement, type GstMessage } from '../gst.ts';
import { framesElements, framesLaunch } from '../launch-frames.ts';
import type { FramesSpec, HostEvent } from '../protocol.ts';
import { createLateness } from './lateness.ts';
import { evidenceOf, outputFailure, PipelineOutput, type Output } from './output.ts';
import { isConnected } from './split-output.ts';

/** Starts the output. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startFrames(spec: FramesSpec, emit: (event: HostEvent) => void): Output {
  const output = new FramesOutput(spec, emit);
  output.play(spec);
  return output;
}

class FramesOutput extends PipelineOutput {
  readonly #sink: GstElement;
  readonly #late = createLateness('frames-behind', 'Frames were % s old: this machine does not decode the camera in time.');
  #lost = 0;
  #kept = 0;

  constructor(spec: FramesSpec, emit: (event: HostEvent) => void) {
    super(framesLaunch(spec), emit);
    this.#sink = child(this.pipeline, framesElements.sink);
  }

  play({ socket, areas, camera, run }: FramesSpec): void {
    this.#sink['socket-path'] = socket;
    this.#sink['areas'] = areas;
    this.#sink['stream-id'] = `${camera}/${run}`;
    this.begin();
    const port = Number(this.#sink['current-port']);
    // Where it does not listen, the bus says why.
    if (port > 0) this.emit({ type: 'frames.listening', port });
  }

  finish(drainMs: number): void {
    setTimeout(() => this.end({ type: 'output.finished' }), drainMs);
  }

  protected tick(): void {
    const stats = this.#sink['stats'];
    const read = (field: string): number => fieldOf(stats, field) ?? 0;
    const behindMs = read('behind');
    if (read('lost') > this.#lost && read('frames') === this.#kept) return this.end({ type: 'output.failed', failure: failure('local', 'no-shared-memory', 'There is no room for frames in /dev/shm.') });
    [this.#lost, this.#kept] = [read('lost'), read('frames')];
    const readers = { tcp: read('tcp'), shared: read('shared'), missed: read('missed'), cut: read('cut'), behindMs };
    this.emit({ type: 'output.stats', stats: { frames: read('frames'), bytes: read('bytes'), rssBytes: process.memoryUsage.rss(), readers } });
    const late = this.#late(behindMs);
    if (late !== null) this.end({ type: 'output.failed', failure: late });
  }

  protected heard(message: GstMessage): void {
    if (isConnected(message)) return this.emit({ type: 'output.started' });
    if (message.type === 'eos') return this.end({ type: 'output.finished' });
    if (message.type === 'error') this.end(message._src_element_name.startsWith('tcpclientsrc') ? { type: 'output.finished' } : { type: 'output.failed', failure: failureOf(message) });
  }
}

function failureOf(message: GstMessage): Failure {
  if (message._src_element_name === framesElements.sink) return failure('local', 'frames-refused', 'Frames cannot be served on this machine.', evidenceOf(message));
  return outputFailure(message, 'The pipeline of the frames failed.');
}
