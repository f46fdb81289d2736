/** Runs one HLS output inside a host: segments that are announced when they are complete, the newest of them kept. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, type Failure } from '../../errors.ts';
import { fragmentHead, initSegment } from '../../recordings/fmp4.ts';
import { readFrames } from '../../recordings/frames.ts';
import { child, fieldOf, loadGst, playAndListen, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { hlsElements as names, hlsLaunch } from '../launch-hls.ts';
import type { HlsSegment, HlsSpec, HostEvent } from '../protocol.ts';
import { storageFailure } from '../storage-failure.ts';
import { isConnected, streamFailure } from './output-messages.ts';
import type { Recorder } from './record.ts';
import { createTimeline, type Timeline } from './timeline.ts';

const statsMs = 1_000;
/** After EOS everything is written in some ms. */
const eosMs = 1_500;

/** Starts the output. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startHls(spec: HlsSpec, emit: (event: HostEvent) => void): Recorder {
  const runner = new HlsRunner(spec, emit);
  runner.play();
  return runner;
}

class HlsRunner implements Recorder {
  readonly #spec: HlsSpec;
  readonly #emit: (event: HostEvent) => void;
  readonly #pipeline: GstPipeline;
  readonly #frames: GstElement;
  readonly #timeline: Timeline;
  /** Running time (ns) at which the open files began. */
  readonly #open = new Map<string, number>();
  #unplaced: GstMessage[] | null = [];
  #kept: string[] = [];
  #bytes = 0;
  #number = 0;
  #map: { name: string; bytes: Buffer } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(spec: HlsSpec, emit: (event: HostEvent) => void) {
    this.#spec = spec;
    this.#emit = emit;
    this.#pipeline = new (loadGst().Pipeline)(hlsLaunch(spec));
    this.#frames = child(this.#pipeline, names.frames);
    this.#timeline = createTimeline(this.#pipeline, spec.hub.codec, () => this.#place());
  }

  play(): void {
    if (!this.#guarded(() => mkdirSync(this.#spec.dir, { recursive: true, mode: 0o750 }))) return;
    child(this.#pipeline, names.mux)['location'] = join(this.#spec.dir.replaceAll('%', '%%'), '.new-%05d');
    playAndListen(this.#pipeline, (message) => this.#onMessage(message));
    this.#timer = setInterval(() => this.#emit({ type: 'output.stats', stats: { frames: this.#count(), bytes: this.#bytes, rssBytes: process.memoryUsage.rss() } }), statsMs);
  }

  finish(drainMs: number): void {
    if (this.#over) return;
    // Nothing came yet: an EOS would wait for a first frame.
    if (this.#count() === 0) return this.#end({ type: 'output.finished' });
    setTimeout(() => {
      if (this.#over) return;
      this.#pipeline.sendEOS();
      setTimeout(() => this.#end({ type: 'output.finished' }), eosMs);
    }, drainMs);
  }

  stop(): void {
    this.#over = true;
    this.#rest();
    this.#pipeline.stop();
  }

  #onMessage(message: GstMessage): void {
    if (this.#over) return;
    if (message.type === 'error') return this.#onError(message);
    if (isConnected(message)) this.#emit({ type: 'output.started' });
    else if (message.type === 'eos') {
      this.#place();
      this.#end({ type: 'output.finished' });
    } else if (message.name?.startsWith('splitmuxsink-fragment-')) {
      if (this.#unplaced === null) this.#onFile(message);
      else this.#unplaced.push(message);
    }
  }

  #place(): void {
    const messages = this.#unplaced ?? [];
    this.#unplaced = null;
    for (const message of messages) if (!this.#over) this.#onFile(message);
  }

  #onFile(message: GstMessage): void {
    const location = String(message['location']);
    const runningNs = Number(message['running-time']);
    if (message.name === 'splitmuxsink-fragment-opened') return void this.#open.set(location, runningNs);
    const begun = this.#open.get(location);
    this.#open.delete(location);
    if (begun !== undefined) this.#guarded(() => this.#closed(location, { begun, durationMs: Math.round((runningNs - begun) / 1e6) }));
  }

  #closed(location: string, { begun, durationMs }: { begun: number; durationMs: number }): void {
    const startAt = this.#timeline.wallClock(begun);
    const base = String(this.#number).padStart(6, '0');
    if (statSync(location).size === 0 || durationMs <= 0) return rmSync(location, { force: true });
    this.#number += 1;
    if (this.#spec.hub.codec === 'H264') {
      renameSync(location, join(this.#spec.dir, `${base}.ts`));
      this.#announce({ name: `${base}.ts`, map: null, startAt, durationMs });
    } else this.#convert(location, base, { startAt, durationMs });
  }

  /** From Matroska to fragmented MP4; the frames keep their bytes and the time line of the hub. */
  #convert(location: string, base: string, times: { startAt: number; durationMs: number }): void {
    const file = readFileSync(location);
    rmSync(location);
    const video = readFrames((offset, length) => file.subarray(offset, offset + length), file.length);
    if (video === null) return;
    const firstMs = Math.min(...video.frames.map(({ timeMs }) => timeMs));
    const init = Buffer.from(initSegment(video));
    if (this.#map?.bytes.equals(init) !== true) {
      this.#map = { name: `init-${base}.mp4`, bytes: init };
      writeFileSync(join(this.#spec.dir, this.#map.name), init);
    }
    const head = fragmentHead({ sequence: this.#number, frames: video.frames, endMs: firstMs + times.durationMs });
    writeFileSync(join(this.#spec.dir, `${base}.m4s`), Buffer.concat([head, ...video.frames.map(({ offset, length }) => file.subarray(offset, offset + length))]));
    this.#announce({ name: `${base}.m4s`, map: this.#map.name, ...times });
  }

  #announce(segment: Omit<HlsSegment, 'bytes'>): void {
    const { size } = statSync(join(this.#spec.dir, segment.name));
    this.#bytes += size;
    this.#emit({ type: 'segment.closed', segment: { ...segment, bytes: size } });
    this.#kept.push(segment.name);
    for (const name of this.#kept.splice(0, Math.max(0, this.#kept.length - this.#spec.keep))) rmSync(join(this.#spec.dir, name), { force: true });
  }

  #onError(message: GstMessage): void {
    const text = `${message.message ?? ''}\n${message.debug ?? ''}`;
    // The hub is gone or cannot be read: the source's business, which is known to others.
    if (message._src_element_name.startsWith('tcpclientsrc')) return this.#end({ type: 'output.finished' });
    this.#fail(storageFailure(text) ?? streamFailure(text, message._src_element_name));
  }

  #count(): number {
    return fieldOf(this.#frames['stats'], 'num-buffers') ?? 0;
  }

  /** What the disk refuses ends the output. */
  #guarded(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#fail(storageFailure(text) ?? failure('local', 'hls-failed', `A segment could not be made: ${text}`));
      return false;
    }
  }

  #fail(failed: Failure): void {
    this.#end({ type: 'output.failed', failure: failed });
  }

  #end(event: HostEvent): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest();
    this.#emit(event);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timeline.stop();
  }
}
