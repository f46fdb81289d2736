/** The supervisor's side of an export: a thread of its own that ends with it, since reading and writing hours may block for long. */
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../errors.ts';
import type { SpanGap } from './span.ts';

/** What is exported. Paths are absolute; `files` oldest first, `startAt` when their first frames were. */
export type ExportOrder = { files: { path: string; startAt: number }[]; from: number; to: number; format: ExportFormat; target: string; /** Left free on the disk of the target. */ minFreeBytes: number };

/** The containers an export comes in. */
export type ExportFormat = 'mp4' | 'mkv';

/** What the file holds, known before it is written. */
export type ExportPlan = { startAt: number; endAt: number; durationMs: number; frames: number; bytes: number; codec: string; width: number; height: number; gaps: SpanGap[]; sound: ExportSound | null };

/** The sound of what is exported, by its usual name; `reason` where it, or some of it, is left out. */
export type ExportSound = { codec: string; included: boolean; reason: string | null };

/** What the thread says: the plan, how much of it is written (0 to 1), how it ended. */
export type ExportEvent = { type: 'planned'; plan: ExportPlan } | { type: 'progress'; progress: number } | { type: 'done' } | { type: 'failed'; code: ErrorCode; message: string };

/** A running export. `ended` never rejects: an end that nobody told is a failure as well. */
export type RunningExport = { ended: Promise<void>; stop(): Promise<void> };

/** Starts one. `say` hears everything, `done` or `failed` last, unless it was stopped. */
export function startExport(order: ExportOrder, say: (event: ExportEvent) => void): RunningExport {
  const worker = new Worker(new URL('./export-thread.ts', import.meta.url), { name: 'export', workerData: order });
  worker.unref();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let [isOver, stopped] = [false, false];
  const tell = (event: ExportEvent): void => {
    if (isOver || stopped) return;
    isOver = event.type === 'done' || event.type === 'failed';
    say(event);
  };
  worker.on('message', tell);
  worker.on('error', (error) => tell({ type: 'failed', code: 'LOOKOUT_INTERNAL', message: `The export failed: ${error.message}` }));
  worker.on('exit', () => {
    tell({ type: 'failed', code: 'LOOKOUT_INTERNAL', message: 'The thread of the export ended.' });
    resolve();
  });
  return {
    ended,
    async stop() {
      stopped = true;
      await worker.terminate();
    },
  };
}
