/** One camera of the mutants' stage: all of its outputs under watch, and what was wrong with any of them. */
import { join } from 'node:path';
import HLS from 'hls-parser';
import type { FramesAccessView } from '../../src/api/attach-protocol.ts';
import type { CameraView, RecordingView } from '../../src/api/protocol.ts';
import { readFrames } from '../../clients/typescript/frames.ts';
import type { FeedWatch } from './feed-watch.ts';
import type { Lookout } from './lookout.ts';
import { pictureFault, recordingFaults, segmentFaults, sequenceFaults, type FetchedSegment } from './output-checks.ts';

/** What a camera of the stage is made of; `gopMs` of its clip. */
export type MutantMount = { id: string; codec: 'H264' | 'H265'; sound: 'AAC' | 'PCMU' | null; gopMs: number };

const headers = { authorization: 'Bearer test-admin-token-of-this-run' };
/** A camera's clock that jumps by less than a second is believed: `rtpjitterbuffer` takes it back over the next seconds. */
const aheadMs = 1_200;
/** The form of its raw frames. */
export const frameForm = { mode: 'always', width: 160, height: 90, fps: 10, format: 'GRAY8' } as const;
const frameBytes = frameForm.width * frameForm.height;
const snapshotWidth = 160;

/** A camera that is watched; `faults` is what was wrong, in words. */
export class MutantCamera {
  readonly mount: MutantMount;
  readonly faults: string[] = [];
  readonly #lookout: Lookout;
  readonly #feed: FeedWatch | null;
  readonly #checked = new Set<string>();
  readonly #segments = new Map<number, FetchedSegment>();
  #frame = { run: '', sequence: -1, takenAt: 0n, at: 0 };
  #following: Promise<void> | undefined;
  #over = false;

  constructor(lookout: Lookout, mount: MutantMount, feed: FeedWatch | null) {
    this.#lookout = lookout;
    this.mount = mount;
    this.#feed = feed;
  }

  /** Reads its frames from now on, whatever becomes of the output. */
  begin(): void {
    this.#following = this.#follow();
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#following;
    await this.#feed?.close();
  }

  view(): Promise<CameraView> {
    return this.#lookout.camera(this.mount.id);
  }

  /** What does not deliver anything that is newer than a moment; empty where all do. */
  async missing(since: number): Promise<string[]> {
    const [view, rows] = await Promise.all([this.view(), this.recordings()]);
    const missing: string[] = [];
    const need = (holds: boolean, what: string): void => void (holds || missing.push(what));
    need(view.state === 'streaming' && view.substate === 'live', `${view.state}.${view.substate ?? ''}`);
    need(view.freshness.keyframeAgeMs !== null && view.freshness.keyframeAgeMs < Date.now() - since, 'a keyframe');
    need(this.#frame.at > since && Number(this.#frame.takenAt / 1_000_000n) > since, 'frames');
    need(rows.some(({ startAt }) => Date.parse(startAt) > since), 'a new recording');
    need(this.#feed === null || this.#feed.keyframeAt() > since, 'a keyframe in the feed');
    need((await this.#fetchHls()).some(({ segment }) => segment.programDateTime!.getTime() > since), 'an HLS segment');
    return missing;
  }

  /** Closed recordings, oldest first. */
  async recordings(): Promise<RecordingView[]> {
    return (await this.#lookout.api<{ recordings: RecordingView[] }>('GET', `/api/v1/recordings?camera=${this.mount.id}&limit=200`)).recordings.toReversed();
  }

  /** Looks at everything that is new: files, segments, frames, feed, and a picture of now. */
  async check(): Promise<void> {
    await Promise.all([this.#checkRecordings(), this.#checkPicture()]);
    const fetched = [...this.#segments.values()].toSorted((a, b) => a.segment.mediaSequenceNumber - b.segment.mediaSequenceNumber);
    this.faults.push(...await segmentFaults(fetched, 30).catch((error: unknown) => [`HLS: ${String(error)}`]));
    // The last one stays: the next ones must go on from it.
    for (const { segment } of fetched.slice(0, -1)) this.#segments.delete(segment.mediaSequenceNumber);
    this.faults.push(...this.#feed?.wrong.splice(0).slice(0, 5).map((what) => `feed: ${what}`) ?? []);
    if (this.#feed?.failures.splice(0).includes('host-crash')) this.faults.push('feed: the host of the source crashed');
  }

  async #checkRecordings(): Promise<void> {
    const closed = (await this.recordings()).filter((row) => row.closed);
    const fresh = closed.filter(({ id }) => !this.#checked.has(id));
    for (const row of fresh) {
      this.#checked.add(row.id);
      this.faults.push(...await recordingFaults(join(this.#lookout.dataDir, 'recordings', row.path), row, this.mount.gopMs).catch((error: unknown) => [`${row.path}: ${String(error)}`]));
    }
    this.faults.push(...sequenceFaults(closed.slice(-fresh.length - 1), this.mount.gopMs));
  }

  async #checkPicture(): Promise<void> {
    const answer = await fetch(`${this.#lookout.url}/api/v1/cameras/${this.mount.id}/snapshot.jpg?width=${snapshotWidth}`, { headers });
    if (answer.status !== 200) return void this.faults.push(`snapshot: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
    const fault = await pictureFault(Buffer.from(await answer.arrayBuffer()), snapshotWidth).catch(String);
    if (fault !== undefined) this.faults.push(`snapshot: ${fault}`);
  }

  /** The segments that are listed; those that are new are kept with their bytes. */
  async #fetchHls(): Promise<FetchedSegment[]> {
    const address = `${this.#lookout.url}/hls/${this.mount.id}/index.m3u8`;
    const response = await fetch(address, { headers });
    if (response.status === 503) return [];
    if (response.status !== 200) throw new Error(`HLS: ${response.status}`);
    const playlist = HLS.parse(await response.text()) as HLS.types.MediaPlaylist;
    const bytesOf = async (uri: string): Promise<Buffer | null> => {
      const answer = await fetch(new URL(uri, address), { headers });
      return answer.ok ? Buffer.from(await answer.arrayBuffer()) : null;
    };
    for (const segment of playlist.segments) {
      if (Math.round(segment.duration) > playlist.targetDuration) this.faults.push(`HLS: a segment of ${segment.duration} s in a playlist of at most ${playlist.targetDuration} s`);
      if (this.#segments.has(segment.mediaSequenceNumber) || segment.mediaSequenceNumber < Math.max(...this.#segments.keys(), -1)) continue;
      const [bytes, map] = await Promise.all([bytesOf(segment.uri), segment.map ? bytesOf(segment.map.uri) : null]);
      if (bytes === null || (segment.map && map === null)) this.faults.push(`HLS: ${segment.uri} is listed and cannot be fetched`);
      else this.#segments.set(segment.mediaSequenceNumber, { segment, bytes, map });
    }
    return [...this.#segments.values()];
  }

  async #follow(): Promise<void> {
    while (!this.#over) {
      try {
        const { tcp } = await this.#lookout.api<FramesAccessView>('GET', `/api/v1/cameras/${this.mount.id}/frames`);
        if (tcp) await this.#read(tcp.port);
      } catch {
        // The output is on its way from one host to the next.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #read(port: number): Promise<void> {
    for await (const frame of readFrames({ port })) {
      this.#takeFrame(frame);
      if (this.#over) return;
    }
  }

  #takeFrame({ run, sequence, takenAt, format, width, height, data }: { run: string; sequence: number; takenAt: bigint; format: string; width: number; height: number; data: Buffer }): void {
    const before = this.#frame;
    const must = (holds: boolean, what: string): void => void (holds || this.faults.push(`frames: ${what}`));
    must(format === frameForm.format && width === frameForm.width && height === frameForm.height && data.length === frameBytes, `${data.length} bytes of ${width} × ${height} ${format}`);
    must(run !== before.run || sequence > before.sequence, `number ${sequence} behind ${before.sequence} of ${run}`);
    must(run !== before.run || takenAt > before.takenAt, `a frame of ${(before.takenAt - takenAt) / 1_000_000n} ms earlier than the one before`);
    must(Number(takenAt / 1_000_000n) < Date.now() + aheadMs, `a frame that was taken ${Number(takenAt / 1_000_000n) - Date.now()} ms from now`);
    this.#frame = { run, sequence, takenAt, at: Date.now() };
  }
}

/** What the journal says that must not be there: a host that died or froze on account of what a camera sent. */
export async function journalFaults(lookout: Lookout, id: string, sinceSeq: number): Promise<{ faults: string[]; classes: string[]; seq: number }> {
  const rows = (await lookout.events(id)).filter(({ seq }) => seq > sinceSeq);
  const failed = rows.filter((row) => row.class !== null);
  const bad = failed.filter((row) => ['host-crash', 'native-frozen', 'local', 'sfu', 'storage'].includes(row.class!));
  return { faults: bad.map((row) => `journal: ${row.type} ${row.class} ${row.code ?? ''} ${row.message} ${row.evidence ?? ''}`), classes: failed.map((row) => `${row.type === 'output.lost' ? `${row.message.split(':')[0]}:` : ''}${row.class}`), seq: Math.max(sinceSeq, ...rows.map(({ seq }) => seq)) };
}

