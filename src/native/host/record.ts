/** Runs one recorder inside a host: files that are named by their first frame, checked when they are closed, said aloud. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, type Failure } from '../../errors.ts';
import { measureFile } from '../../recordings/files.ts';
import { isNewFile, newFilePattern, recordingPath } from '../../recordings/names.ts';
import { recordElements, recordLaunch } from '../launch-record.ts';
import type { HostEvent, RecordSpec } from '../protocol.ts';
import type { Output } from './output.ts';
import { SplitOutput } from './split-output.ts';

/** Frames come but nothing is written: a file system that hangs. Never sooner than three GOPs, which splitmuxsink holds back. */
const stalledMs = 10_000;
const unknownGopMs = 10_000;

/** Starts recording. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startRecord(spec: RecordSpec, emit: (event: HostEvent) => void): Output {
  const recorder = new RecordOutput(spec, emit);
  recorder.play();
  return recorder;
}

class RecordOutput extends SplitOutput {
  readonly #spec: RecordSpec;
  /** By the name that splitmuxsink knows: where it lies by now, and when it began. */
  readonly #open = new Map<string, { path: string; startAt: number }>();
  #closedBytes = 0;
  #progress = { frames: 0, bytes: 0, at: performance.now() };

  constructor(spec: RecordSpec, emit: (event: HostEvent) => void) {
    super({ launch: recordLaunch(spec), elements: recordElements, emit });
    this.#spec = spec;
  }

  protected prepare(): string {
    const own = join(this.#spec.dir, this.#spec.camera);
    mkdirSync(own, { recursive: true, mode: 0o750 });
    // What a host left that died before its first frame.
    for (const name of readdirSync(own)) if (isNewFile(name)) rmSync(join(own, name), { force: true });
    return join(own.replaceAll('%', '%%'), newFilePattern(process.pid));
  }

  protected opened(location: string, runningNs: number): void {
    const startAt = this.wallClock(runningNs);
    const path = recordingPath({ camera: this.#spec.camera, startAt, open: true });
    mkdirSync(dirname(join(this.#spec.dir, path)), { recursive: true });
    renameSync(location, join(this.#spec.dir, path));
    this.#open.set(location, { path, startAt });
    this.emit({ type: 'file.opened', file: { path, startAt } });
  }

  protected closed(location: string): void {
    const entry = this.#open.get(location);
    if (entry === undefined) return;
    this.#open.delete(location);
    const absolute = join(this.#spec.dir, entry.path);
    const held = measureFile(absolute);
    if (held === null || held.frames === 0 || held.video === null) {
      rmSync(absolute, { force: true });
      return this.emit({ type: 'file.empty', openPath: entry.path });
    }
    const path = recordingPath({ camera: this.#spec.camera, startAt: entry.startAt, open: false });
    renameSync(absolute, join(this.#spec.dir, path));
    this.#closedBytes += held.bytes;
    const { durationMs, bytes, frames, startsWithKeyframe, sound, video: { codec, width, height } } = held;
    this.emit({ type: 'file.closed', file: { path, openPath: entry.path, startAt: entry.startAt, durationMs, bytes, frames, startsWithKeyframe, codec, width, height, sound } });
  }

  protected counted(frames: number): void {
    const bytes = [...this.#open.values()].reduce((sum, { path }) => sum + statSync(join(this.#spec.dir, path)).size, this.#closedBytes);
    this.emit({ type: 'output.stats', stats: { frames, bytes, rssBytes: process.memoryUsage.rss() } });
    const now = performance.now();
    if (bytes > this.#progress.bytes || frames === this.#progress.frames) this.#progress = { frames, bytes, at: now };
    const patience = Math.max(stalledMs, 3 * (this.#spec.hub.gopMs ?? unknownGopMs));
    if (now - this.#progress.at > patience) this.fail(failure('storage', 'write-stalled', `Frames arrive, but nothing was written for ${Math.round(patience / 1000)} s.`));
  }

  protected broken(text: string): Failure {
    return failure('local', 'recorder-failed', `The recorder failed: ${text}`);
  }
}
