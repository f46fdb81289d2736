/** Exports of recordings, as REST shows them. */

/** What is exported: everything recorded of a camera between two moments, ms since the epoch. */
export type ExportInput = { camera: string; from: number; to: number; format: 'mp4' | 'mkv' };

/** An export. What it holds is null until it is known, which is before a byte is written. */
export type ExportView = {
  id: string;
  camera: string;
  format: 'mp4' | 'mkv';
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** 0 to 1. */
  progress: number;
  /** As asked for. */
  from: string;
  to: string;
  /** Of the first frame: the keyframe at or before `from`. */
  startAt: string | null;
  endAt: string | null;
  /** Of the file: without its gaps. */ durationMs: number | null;
  frames: number | null;
  bytes: number | null;
  codec: string | null;
  width: number | null;
  height: number | null;
  /** The recorded sound, by the name of its codec; where it is not in the file, or not all of it, `reason` says why. Null: nothing was heard. */
  sound: { codec: string; included: boolean; reason: string | null } | null;
  /** Time asked for that is not recorded; `atMs`: where in the file it would be. */
  gaps: { from: string; to: string; durationMs: number; atMs: number }[];
  error: { code: string; message: string } | null;
  createdAt: string;
  /** When it is removed. */
  expiresAt: string | null;
};
