/** Runs one recorder inside a host: files that are named by their first frame, checked when they are closed, said aloud. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, type Failure } from '../../errors.ts';
import { measureFile } from '../../recordings/files.ts';
import { isNewFile, newFilePattern, recordingPath } from '../../recordings/names.ts';
import { child, fieldOf, loadGst, playAndListen, type GstElement, type GstMessage, type GstPipeline } from '../gst.ts';
import { recordElements as names, recordLaunch } from '../launch-record.ts';
import { storageFailure } from '../storage-failure.ts';
import { isConnected, streamFailure } from './output-messages.ts';
import type { HostEvent, RecordSpec } from '../protocol.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** A recorder that a host runs. */
export type Recorder = {
  /** Ends what is open and says `output.finished`; the hub gets `drainMs` to close by itself first. */
  finish(drainMs: number): void;
  stop(): void;
};

const statsMs = 1_000;
/** After EOS everything is written in some ms; a muxer that does not end by then is left to the repair of its file. */
const eosMs = 1_500;
/** Frames come but nothing is written: a file system that hangs. Never sooner than three GOPs, which splitmuxsink holds back. */
const stalledMs = 10_000;
const unknownGopMs = 10_000;

/** Starts recording. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startRecord(spec: RecordSpec, emit: (event: HostEvent) => void): Recorder {
  const recorder = new RecordRunner(spec, emit);
  recorder.play();
  return recorder;
}

class RecordRunner implements Recorder {
  readonly #spec: RecordSpec;
  readonly #emit: (event: HostEvent) => void;
  readonly #pipeline: GstPipeline;
  readonly #frames: GstElement;
  readonly #timeline: Timeline;
  /** By the name that splitmuxsink knows: where it lies by now, and when it began. */
  readonly #open = new Map<string, { path: string; startAt: number }>();
  /** What splitmuxsink said before anybody knew when its running time began. */
  #unplaced: GstMessage[] | null = [];
  #closedBytes = 0;
  #progress = { frames: 0, bytes: 0, at: performance.now() };
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(spec: RecordSpec, emit: (event: HostEvent) => void) {
    this.#spec = spec;
    this.#emit = emit;
    this.#pipeline = new (loadGst().Pipeline)(recordLaunch(spec));
    this.#frames = child(this.#pipeline, names.frames);
    this.#timeline = createTimeline(this.#pipeline, spec.hub.codec, () => this.#place());
  }

  play(): void {
    const own = join(this.#spec.dir, this.#spec.camera);
    if (!this.#guarded(() => prepare(own))) return;
    child(this.#pipeline, names.mux)['location'] = join(own.replaceAll('%', '%%'), newFilePattern(process.pid));
    playAndListen(this.#pipeline, (message) => this.#onMessage(message));
    this.#timer = setInterval(() => this.#tick(), statsMs);
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
    if (message.name === 'splitmuxsink-fragment-opened') this.#guarded(() => this.#opened(location, Number(message['running-time'])));
    else this.#guarded(() => this.#closed(location));
  }

  #opened(location: string, runningNs: number): void {
    const startAt = this.#timeline.wallClock(runningNs);
    const path = recordingPath({ camera: this.#spec.camera, startAt, open: true });
    mkdirSync(dirname(join(this.#spec.dir, path)), { recursive: true });
    renameSync(location, join(this.#spec.dir, path));
    this.#open.set(location, { path, startAt });
    this.#emit({ type: 'file.opened', file: { path, startAt } });
  }

  #closed(location: string): void {
    const entry = this.#open.get(location);
    if (entry === undefined) return;
    this.#open.delete(location);
    const absolute = join(this.#spec.dir, entry.path);
    const held = measureFile(absolute);
    if (held === null || held.frames === 0 || held.video === null) {
      rmSync(absolute, { force: true });
      return this.#emit({ type: 'file.empty', openPath: entry.path });
    }
    const path = recordingPath({ camera: this.#spec.camera, startAt: entry.startAt, open: false });
    renameSync(absolute, join(this.#spec.dir, path));
    this.#closedBytes += held.bytes;
    const { durationMs, bytes, frames, startsWithKeyframe, video: { codec, width, height } } = held;
    this.#emit({ type: 'file.closed', file: { path, openPath: entry.path, startAt: entry.startAt, durationMs, bytes, frames, startsWithKeyframe, codec, width, height } });
  }

  #onError(message: GstMessage): void {
    const text = `${message.message ?? ''}\n${message.debug ?? ''}`;
    // The hub is gone or cannot be read: the source's business, which is known to others.
    if (message._src_element_name.startsWith('tcpclientsrc')) return this.#end({ type: 'output.finished' });
    this.#fail(storageFailure(text) ?? streamFailure(text, message._src_element_name));
  }

  #tick(): void {
    const frames = this.#count();
    this.#guarded(() => {
      const bytes = [...this.#open.values()].reduce((sum, { path }) => sum + statSync(join(this.#spec.dir, path)).size, this.#closedBytes);
      this.#emit({ type: 'output.stats', stats: { frames, bytes, rssBytes: process.memoryUsage.rss() } });
      const now = performance.now();
      if (bytes > this.#progress.bytes || frames === this.#progress.frames) this.#progress = { frames, bytes, at: now };
      const patience = Math.max(stalledMs, 3 * (this.#spec.hub.gopMs ?? unknownGopMs));
      if (now - this.#progress.at > patience) this.#fail(failure('storage', 'write-stalled', `Frames arrive, but nothing was written for ${Math.round(patience / 1000)} s.`));
    });
  }

  #count(): number {
    return fieldOf(this.#frames['stats'], 'num-buffers') ?? 0;
  }

  /** What the disk refuses ends the recording. */
  #guarded(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#fail(storageFailure(error instanceof Error ? error.message : String(error)) ?? failure('local', 'recorder-failed', `The recorder failed: ${error instanceof Error ? error.message : String(error)}`));
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

/** The camera's folder, without what a host left that died before its first frame. */
function prepare(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  for (const name of readdirSync(dir)) if (isNewFile(name)) rmSync(join(dir, name), { force: true });
}
