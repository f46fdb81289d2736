/** Runs one HLS output inside a host: segments that are announced when they are complete, the newest of them kept. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, type Failure } from '../../errors.ts';
import { fragmentHead, initSegment, soundPart } from '../../recordings/fmp4.ts';
import { readFrames } from '../../recordings/frames.ts';
import { hlsElements, hlsLaunch } from '../launch-hls.ts';
import type { HlsSegment, HlsSpec, HostEvent } from '../protocol.ts';
import type { Output } from './output.ts';
import { SplitOutput } from './split-output.ts';

/** Starts the output. Failures, a syntax error in the launch description apart, arrive as `output.failed`. */
export function startHls(spec: HlsSpec, emit: (event: HostEvent) => void): Output {
  const output = new HlsOutput(spec, emit);
  output.play();
  return output;
}

class HlsOutput extends SplitOutput {
  readonly #spec: HlsSpec;
  /** Running time (ns) at which the open files began. */
  readonly #open = new Map<string, number>();
  #kept: string[] = [];
  #bytes = 0;
  #number = 0;
  #map: { name: string; bytes: Buffer } | null = null;

  constructor(spec: HlsSpec, emit: (event: HostEvent) => void) {
    super({ launch: hlsLaunch(spec), elements: hlsElements, emit });
    this.#spec = spec;
  }

  protected prepare(): string {
    mkdirSync(this.#spec.dir, { recursive: true, mode: 0o750 });
    return join(this.#spec.dir.replaceAll('%', '%%'), '.new-%05d');
  }

  protected opened(location: string, runningNs: number): void {
    this.#open.set(location, runningNs);
  }

  protected closed(location: string, runningNs: number): void {
    const begun = this.#open.get(location);
    this.#open.delete(location);
    if (begun !== undefined) this.#take(location, { begun, durationMs: Math.round((runningNs - begun) / 1e6) });
  }

  protected counted(frames: number): void {
    this.emit({ type: 'output.stats', stats: { frames, bytes: this.#bytes, rssBytes: process.memoryUsage.rss() } });
  }

  protected broken(text: string): Failure {
    return failure('local', 'hls-failed', `A segment could not be made: ${text}`);
  }

  #take(location: string, { begun, durationMs }: { begun: number; durationMs: number }): void {
    const startAt = this.wallClock(begun);
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
    const sound = soundPart(video.sound);
    const head = fragmentHead({ sequence: this.#number, frames: video.frames, endMs: firstMs + times.durationMs, sound });
    writeFileSync(join(this.#spec.dir, `${base}.m4s`), Buffer.concat([head, ...[...video.frames, ...(sound?.frames ?? [])].map(({ offset, length }) => file.subarray(offset, offset + length))]));
    this.#announce({ name: `${base}.m4s`, map: this.#map.name, ...times });
  }

  #announce(segment: Omit<HlsSegment, 'bytes'>): void {
    const { size } = statSync(join(this.#spec.dir, segment.name));
    this.#bytes += size;
    this.emit({ type: 'segment.closed', segment: { ...segment, bytes: size } });
    this.#kept.push(segment.name);
    for (const name of this.#kept.splice(0, Math.max(0, this.#kept.length - this.#spec.keep))) rmSync(join(this.#spec.dir, name), { force: true });
  }
}
