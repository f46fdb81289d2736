/** Runs one transcode inside a host: what a hub gives, as H.264 for the ingest, behind a gate until the ingest is ready for it. */
import { setPriority } from 'node:os';
import { failure } from '../../errors.ts';
import { aim, child, fieldOf, type GstElement, type GstMessage } from '../gst.ts';
import { transcodeElements, transcodeLaunch } from '../launch-transcode.ts';
import type { HostEvent, TranscodeSpec } from '../protocol.ts';
import { createGate, type Gate } from './gate.ts';
import { createLateness } from './lateness.ts';
import { outputFailure, PipelineOutput, type Output } from './output.ts';
import { isConnected } from './split-output.ts';

/** What packs pixels gives way to what carries packets (setpriority(2)). */
const niceness = 5;
/** How long the gate stays after it was opened, for what is still on its way through it. */
const gateLingerMs = 1_000;

/** Starts it. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startTranscode(spec: TranscodeSpec, emit: (event: HostEvent) => void): Output & { openGate(): void } {
  setPriority(niceness);
  const output = new Transcode(spec, emit);
  output.play();
  return output;
}

class Transcode extends PipelineOutput {
  readonly #feed: TranscodeSpec['feed'];
  readonly #present: GstElement;
  readonly #pay: GstElement;
  readonly #udp: GstElement;
  #gate: Promise<Gate> | undefined;
  readonly #late = createLateness('transcode-behind', 'The transcode was % s behind: this machine does not decode the camera in time.');

  constructor(spec: TranscodeSpec, emit: (event: HostEvent) => void) {
    super(transcodeLaunch(spec, process.hrtime.bigint()), emit);
    this.#feed = spec.feed;
    this.#present = child(this.pipeline, transcodeElements.present);
    this.#pay = child(this.pipeline, transcodeElements.pay);
    this.#udp = child(this.pipeline, transcodeElements.udp);
  }

  /** Nothing leaves before it is aimed at the gate. */
  play(): void {
    const { port, bindPort } = this.#feed;
    const gate = createGate({ port, bindPort, onReady: () => this.emit({ type: 'gate.ready' }) });
    this.#gate = gate;
    gate.then((made) => {
      if (this.isOver) return made.close();
      made.arm();
      aim(this.#udp, made.port);
      this.begin();
    }).catch((error: unknown) => this.end({ type: 'output.failed', failure: failure('local', 'gate-port', `The transcode cannot be fed to the media worker: ${error instanceof Error ? error.message : String(error)}.`) }));
  }

  openGate(): void {
    const opening = this.#gate;
    this.#gate = undefined;
    opening?.then(async (gate) => {
      await gate.open();
      aim(this.#udp, this.#feed.port);
      setTimeout(() => gate.close(), gateLingerMs).unref();
    }, () => undefined);
  }

  /** Nothing is open that would have to be written. */
  finish(): void {
    this.end({ type: 'output.finished' });
  }

  protected tick(): void {
    const stats = this.#present['stats'];
    const bytes = Number(this.#udp['bytes-served'] ?? 0);
    this.emit({ type: 'output.stats', stats: { frames: fieldOf(stats, 'frames') ?? 0, bytes, rssBytes: process.memoryUsage.rss(), ...(bytes === 0 ? {} : { sequence: Number(this.#pay['seqnum']) }) } });
    const late = this.#late(fieldOf(stats, 'behind') ?? 0);
    if (late !== null) this.end({ type: 'output.failed', failure: late });
  }

  protected heard(message: GstMessage): void {
    if (isConnected(message)) return this.emit({ type: 'output.started' });
    if (message.type === 'eos') return this.end({ type: 'output.finished' });
    if (message.type === 'error') this.end(message._src_element_name.startsWith('tcpclientsrc') ? { type: 'output.finished' } : { type: 'output.failed', failure: outputFailure(message, 'The pipeline of the transcode failed.') });
  }
}
