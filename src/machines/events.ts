/** Every event of the system, on one screen: commands are imperative, facts are in the past tense. All are plain data. */
import type { CameraConfig, FrameForm } from '../camera-config.ts';
import type { Failure } from '../errors.ts';
import type { Description, SoundFormat, SourceStats, VideoFormat } from '../media.ts';
import type { SourceInput } from './camera-context.ts';
import type { TranscodeOptions } from './camera-live.ts';

/** To a camera. */
export type CameraCommand =
  | { type: 'camera.start' }
  | { type: 'camera.stop' }
  | { type: 'camera.restart' }
  | { type: 'camera.retry' }
  | { type: 'camera.update'; config: CameraConfig }
  /** Stop, release everything, then be done. */
  | { type: 'camera.dispose' }
  | { type: 'viewers.changed'; count: number }
  /** Whether a camera records whose mode leaves that to an operator or to a schedule. */
  | { type: 'recording.set'; wanted: boolean }
  /** Whether somebody fetches this camera over HLS, where that is on demand. */
  | { type: 'hls.set'; wanted: boolean }
  /** Whether somebody listens. */
  | { type: 'sound.set'; wanted: boolean }
  /** Whether somebody watches who may have a transcode. */
  | { type: 'transcode.set'; wanted: boolean };

/** From a source to its camera. */
export type SourceFact =
  | { type: 'source.ready'; pid: number }
  | { type: 'source.started'; hubPort: number; soundPort?: number | null }
  | { type: 'source.flowing' }
  | { type: 'source.stalled'; sinceMs: number }
  | { type: 'source.media'; media: VideoFormat }
  | { type: 'source.stats'; stats: SourceStats }
  | { type: 'source.failed'; failure: Failure }
  /** A successor holds its first packets from a keyframe on and the old feed is shut: the ingest must forget the old numbers. */
  | { type: 'source.switching' }
  /** A successor pulls and feeds now; what it replaced is being released. */
  | { type: 'source.replaced'; pid: number; hubPort: number; soundPort?: number | null; media: VideoFormat | null }
  /** The successor is given up; the old source goes on. */
  | { type: 'source.replaceFailed'; failure: Failure }
  /** Every host is reaped; nothing of it is left. */
  | { type: 'source.released' };

/** To a source. */
export type SourceCommand =
  | { type: 'source.release' }
  | { type: 'feed.set'; open: boolean }
  /** Start another source beside this one and let it take over at a keyframe. */
  | { type: 'source.replace'; source: SourceInput }
  /** The ingest is ready for a stream with other sequence numbers: what the gate keeps may go. */
  | { type: 'ingest.cycled' };

/** From an ingest to its camera. */
export type IngestFact =
  | { type: 'ingest.ready'; worker: number; workerPid: number }
  | { type: 'ingest.lost'; failure: Failure }
  /** After `ingest.cycle`, and after `ingest.resume`: what comes now is forwarded, from a keyframe on. */
  | { type: 'ingest.cycled' };

/** To an ingest. */
export type IngestCommand =
  /** Carry this media; a change of profile replaces the producer. null: nothing that WebRTC can carry. */
  | { type: 'ingest.ensure'; profileLevelId: string | null }
  | { type: 'ingest.pause' }
  /** Whether anybody watches: unwatched, it leaves a worker that carries more than others. */
  | { type: 'ingest.watched'; watched: boolean }
  | { type: 'ingest.resume' }
  /** Pause and resume at once: consumers forget sequence numbers and go on with the next keyframe. Answered by `ingest.cycled`. */
  | { type: 'ingest.cycle' };

/** Where an output finds a camera's packets, and what they are; `sound` has a hub of its own, where the camera has some. */
export type Hub = { port: number; codec: 'H264' | 'H265'; gopMs: number | null; sound?: SoundFormat & { port: number } | null };

/** To an output. */
export type OutputCommand =
  /** The source runs: its hub. Another port than before means another source; the output moves over. */
  | { type: 'output.attach'; hub: Hub }
  /** The source is gone, or about to go. */
  | { type: 'output.detach' }
  | { type: 'output.want'; wanted: boolean }
  | { type: 'output.update'; options: OutputOptions }
  /** The ingest is ready for a stream with other sequence numbers: what a transcode keeps may go. */
  | { type: 'ingest.cycled' };

/** From an output to its camera. `open`: it holds a host, and perhaps a file that wants to be finished. */
export type OutputFact =
  | { type: 'output.changed'; output: OutputName; open: boolean }
  /** A transcode keeps its first keyframe: the ingest must forget the old numbers. */
  | { type: 'output.primed' };

/** What follows a camera's hub. */
export type OutputName = 'hls' | 'record' | 'frames' | 'sound' | 'transcode';

/** What an output does with the packets; a change of it begins anew. */
export type OutputOptions = { segmentSeconds: number } | FrameForm | TranscodeOptions;

/** From the helpers of a connecting or waiting camera. */
export type WaitFact = { type: 'slot.granted' } | { type: 'presence.opened'; at: number };

/** From the preparation of a planned restart. */
export type SuccessionFact = { type: 'succession.ready'; description: Description } | { type: 'succession.failed'; failure: Failure };
