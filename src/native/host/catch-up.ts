/** Runs one catch-up inside a host: decodes what a hub has cached as fast as it can, and serves what comes then as a stream that begins in the present. */
import { child, loadGst, playAndListen, type GstElement, type GstMessage } from '../gst.ts';
import { catchUpElements, catchUpLaunch, catchUpRehearsal } from '../launch-catch-up.ts';
import type { CatchUpSpec, HostEvent } from '../protocol.ts';
import { outputFailure, PipelineOutput, type Output } from './output.ts';

/** Starts it, at the priority of all: it decodes for a second, for somebody who waits. Says `catch-up.listening`. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startCatchUp(spec: CatchUpSpec, emit: (event: HostEvent) => void): Output {
  const output = new CatchUp(catchUpLaunch(spec, process.hrtime.bigint()), emit);
  output.play();
  return output;
}

/** Decodes and encodes one frame of its own making, so that what that needs is loaded: a tenth of a second that the next catch-up has less to do. */
export function prepareCatchUp(): void {
  const pipeline = new (loadGst().Pipeline)(catchUpRehearsal);
  playAndListen(pipeline, ({ type }) => {
    if (type === 'eos' || type === 'error') pipeline.stop();
  });
}

class CatchUp extends PipelineOutput {
  readonly #hub: GstElement;

  constructor(launch: string, emit: (event: HostEvent) => void) {
    super(launch, emit);
    this.#hub = child(this.pipeline, catchUpElements.hub);
  }

  play(): void {
    this.begin();
    this.emit({ type: 'catch-up.listening', hubPort: Number(this.#hub['current-port']) });
  }

  /** Nothing is open that would have to be written. */
  finish(): void {
    this.end({ type: 'output.finished' });
  }

  /** Nobody asks how it fares: it lives for seconds. */
  protected tick(): void {}

  protected heard(message: GstMessage): void {
    if (message.type === 'eos') return this.end({ type: 'output.finished' });
    if (message.type === 'error') this.end({ type: 'output.failed', failure: outputFailure(message, 'The pipeline of the catch-up failed.') });
  }
}
