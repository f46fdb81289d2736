/** The outputs of a camera, as REST and Socket.IO show them. */
import type { FailureClass } from '../errors.ts';

export type LastError = { class: FailureClass; code: string; message: string; at: string };

/** What one path (WebRTC, HLS …) can carry of a camera, and why. */
export type Verdict = { ok: boolean; why: string };

export type OutputView = { state: string; lastError: LastError | null; host: { pid: number; rssBytes: number } | null };

/** One window of a week, in the local time of the machine; `to` before `from` ends on the next day. */
export type RecordWindowView = { days: ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[]; from: string; to: string };

/** The record output: `off`, `waiting` (for the source), `starting`, `running`, `finishing`, `backoff`. */
export type RecordOutputView = OutputView & {
  mode: 'off' | 'continuous' | 'scheduled' | 'manual';
  /** When mode `scheduled` records. */
  schedule?: RecordWindowView[];
  since: string;
  /** The file that is being written, below the directory of recordings. */
  file: string | null;
  /** Written since the program started. */
  bytes: number;
};

/** The HLS output; its states are those of the record output. */
export type HlsOutputView = OutputView & { mode: 'off' | 'on-demand' | 'always'; since: string; /** In the playlist now. */ segments: number };

/** The frames output; its states are those of the record output. `readers` are there now; `missed` counts frames that readers were too slow for, `behindMs` is how old the newest frame was. */
export type FramesOutputView = OutputView & {
  mode: 'off' | 'always';
  since: string;
  width: number;
  height: number;
  fps: number;
  format: 'RGB' | 'I420' | 'NV12' | 'GRAY8';
  readers: { tcp: number; sharedMemory: number };
  missed: number;
  behindMs: number | null;
};

/**
 * What WebRTC viewers get: `carriage` is the camera's own packets (`plain`), an H.264 transcode of them, or nothing (`none`);
 * null before the format is known. `transcode` is how it is configured.
 */
export type LiveOutputView = OutputView & { verdict: Verdict | null; transcode?: 'never' | 'on-demand'; carriage?: 'plain' | 'transcode' | 'none' | null };

/** The transcode for WebRTC viewers: `off` while nobody watches who needs it. Its size, and about how many cores it takes; null where the camera needs none. */
export type TranscodeOutputView = OutputView & { width: number | null; height: number | null; cores: number | null };

/** What becomes of a camera's sound on each path. */
export type SoundVerdicts = { webrtc: Verdict; hls: Verdict; recording: Verdict };

/** Live sound for viewers over WebRTC: `off` while nobody listens. `verdicts` is null where the camera has no sound, or is not known yet. */
export type SoundOutputView = OutputView & { verdicts: SoundVerdicts | null };
