/** Every event of the system, on one screen: commands are imperative, facts are in the past tense. All are plain data. */
import type { CameraConfig } from '../camera-config.ts';
import type { Failure } from '../errors.ts';
import type { SourceStats, VideoFormat } from '../media.ts';

/** To a camera. */
export type CameraCommand =
  | { type: 'camera.start' }
  | { type: 'camera.stop' }
  | { type: 'camera.restart' }
  | { type: 'camera.retry' }
  | { type: 'camera.update'; config: CameraConfig }
  /** Stop, release everything, then be done. */
  | { type: 'camera.dispose' }
  | { type: 'viewers.changed'; count: number };

/** From a source to its camera. */
export type SourceFact =
  | { type: 'source.ready'; pid: number }
  | { type: 'source.started'; hubPort: number }
  | { type: 'source.flowing' }
  | { type: 'source.stalled'; sinceMs: number }
  | { type: 'source.media'; media: VideoFormat }
  | { type: 'source.stats'; stats: SourceStats }
  | { type: 'source.failed'; failure: Failure }
  /** The host is reaped; nothing of it is left. */
  | { type: 'source.released' };

/** To a source. */
export type SourceCommand = { type: 'source.release' } | { type: 'feed.set'; open: boolean };

/** From an ingest to its camera. */
export type IngestFact =
  | { type: 'ingest.ready'; worker: number; workerPid: number }
  | { type: 'ingest.lost'; failure: Failure };

/** To an ingest. */
export type IngestCommand =
  /** Carry this media; a change of profile replaces the producer. null: nothing that WebRTC can carry. */
  | { type: 'ingest.ensure'; profileLevelId: string | null }
  | { type: 'ingest.pause' }
  | { type: 'ingest.resume' };

/** From the helpers of a connecting or waiting camera. */
export type WaitFact = { type: 'slot.granted' } | { type: 'presence.opened'; at: number };
