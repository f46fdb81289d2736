/** Runs one live sound inside a host: from the hub of sound to the SFU for as long as somebody listens. */
import { failure } from '../../errors.ts';
import { child, fieldOf, loadGst, playAndListen, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { liveSoundElements, liveSoundLaunch, liveSoundRate } from '../launch-live-sound.ts';
import type { HostEvent, SoundSpec } from '../protocol.ts';
import type { Output } from './split-output.ts';

const statsMs = 1_000;

/** Starts it. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startLiveSound(spec: SoundSpec, emit: (event: HostEvent) => void): Output {
  const ticks = (process.hrtime.bigint() * BigInt(liveSoundRate(spec.sound))) / 1_000_000_000n;
  const output = new LiveSound(new (loadGst().Pipeline)(liveSoundLaunch(spec, Number(ticks % 0x1_0000_0000n))), emit);
  output.play();
  return output;
}

class LiveSound implements Output {
  readonly #pipeline: GstPipeline;
  readonly #emit: (event: HostEvent) => void;
  readonly #frames: GstElement;
  readonly #udp: GstElement;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(pipeline: GstPipeline, emit: (event: HostEvent) => void) {
    this.#pipeline = pipeline;
    this.#emit = emit;
    this.#frames = child(pipeline, liveSoundElements.frames);
    this.#udp = child(pipeline, liveSoundElements.udp);
  }

  play(): void {
    playAndListen(this.#pipeline, (message) => this.#onMessage(message));
    this.#timer = setInterval(() => this.#tell(), statsMs);
  }

  /** Nothing is open that would have to be written. */
  finish(): void {
    this.#end({ type: 'output.finished' });
  }

  stop(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#pipeline.stop();
  }

  #onMessage(message: GstMessage): void {
    if (this.#over) return;
    if (message.type === 'error') {
      const evidence = `${message._src_element_name}: ${message.message ?? ''} ${message.debug ?? ''}`.slice(0, 400);
      return this.#end({ type: 'output.failed', failure: failure('reset', 'sound-error', 'The sound of this camera cannot be carried on.', evidence) });
    }
    if (message.type === 'eos') this.#end({ type: 'output.finished' });
    else if (isPlaying(message)) this.#emit({ type: 'output.started' });
  }

  #tell(): void {
    this.#emit({ type: 'output.stats', stats: { frames: fieldOf(this.#frames['stats'], 'num-buffers') ?? 0, bytes: Number(this.#udp['bytes-served'] ?? 0), rssBytes: process.memoryUsage.rss() } });
  }

  #end(event: HostEvent): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#emit(event);
  }
}

function isPlaying(message: GstMessage): boolean {
  return message.name === 'GstMessageStateChanged' && /^pipeline\d+$/u.test(message._src_element_name) && message['new-state'] === 'GST_STATE_PLAYING';
}
