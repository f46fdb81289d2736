/** Runs one live sound inside a host: from the hub of sound to the SFU for as long as somebody listens. */
import { failure } from '../../errors.ts';
import { child, fieldOf, type GstElement, type GstMessage } from '../gst.ts';
import { liveSoundElements, liveSoundLaunch, liveSoundRate } from '../launch-live-sound.ts';
import type { HostEvent, SoundSpec } from '../protocol.ts';
import { PipelineOutput, type Output } from './output.ts';

/** Starts it. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startLiveSound(spec: SoundSpec, emit: (event: HostEvent) => void): Output {
  const ticks = (process.hrtime.bigint() * BigInt(liveSoundRate(spec.sound))) / 1_000_000_000n;
  const output = new LiveSound(liveSoundLaunch(spec, Number(ticks % 0x1_0000_0000n)), emit);
  output.play();
  return output;
}

class LiveSound extends PipelineOutput {
  readonly #frames: GstElement;
  readonly #udp: GstElement;

  constructor(launch: string, emit: (event: HostEvent) => void) {
    super(launch, emit);
    this.#frames = child(this.pipeline, liveSoundElements.frames);
    this.#udp = child(this.pipeline, liveSoundElements.udp);
  }

  play(): void {
    this.begin();
  }

  /** Nothing is open that would have to be written. */
  finish(): void {
    this.end({ type: 'output.finished' });
  }

  protected heard(message: GstMessage): void {
    if (message.type === 'error') {
      const evidence = `${message._src_element_name}: ${message.message ?? ''} ${message.debug ?? ''}`.slice(0, 400);
      return this.end({ type: 'output.failed', failure: failure('reset', 'sound-error', 'The sound of this camera cannot be carried on.', evidence) });
    }
    if (message.type === 'eos') this.end({ type: 'output.finished' });
    else if (isPlaying(message)) this.emit({ type: 'output.started' });
  }

  protected tick(): void {
    this.emit({ type: 'output.stats', stats: { frames: fieldOf(this.#frames['stats'], 'num-buffers') ?? 0, bytes: Number(this.#udp['bytes-served'] ?? 0), rssBytes: process.memoryUsage.rss() } });
  }
}

function isPlaying(message: GstMessage): boolean {
  return message.name === 'GstMessageStateChanged' && /^pipeline\d+$/u.test(message._src_element_name) && message['new-state'] === 'GST_STATE_PLAYING';
}
