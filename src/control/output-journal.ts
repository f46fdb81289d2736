/** What outputs do, in the journal of their camera: failures and recoveries, each with the output's name. */
import type { SnapshotFrom } from 'xstate';
import type { Failure } from '../errors.ts';
import { durationText } from '../machines/duration.ts';
import type { outputMachine } from '../machines/output.ts';
import type { NewEvent } from '../store/types.ts';

/** An output machine's snapshot. */
export type OutputSnapshot = SnapshotFrom<typeof outputMachine>;

/** When an output entered its state, ms since the epoch. */
export type OutputTrace = { state: string; since: number };

/** The journal of outputs. */
export type OutputJournal = {
  seen(camera: string, output: string, snapshot: OutputSnapshot): void;
  trace(camera: string, output: string): OutputTrace | undefined;
  forget(camera: string): void;
};

type Entry = OutputTrace & { error: Failure | null; failed: boolean };

/** The state of an output by its published name. */
export function outputState({ value }: Pick<OutputSnapshot, 'value'>): string {
  const inner = typeof value === 'string' ? value : Object.values(value)[0];
  return inner === 'killing' || inner === 'settling' ? 'finishing' : inner ?? 'off';
}

/** Makes an empty one. */
export function createOutputJournal(note: (event: Omit<NewEvent, 'at'>) => unknown): OutputJournal {
  const entries = new Map<string, Entry>();
  return {
    seen(camera, output, snapshot) {
      const key = `${camera}/${output}`;
      const before = entries.get(key);
      const state = outputState(snapshot);
      const { lastError, delayMs } = snapshot.context;
      const isNew = lastError !== null && lastError !== before?.error;
      const isBack = state === 'running' && before?.failed === true;
      entries.set(key, { state, since: before?.state === state ? before.since : Date.now(), error: lastError, failed: isNew || (before?.failed === true && !isBack) });
      const blank = { camera, from: null, to: null, class: null, code: null, evidence: null, attempt: null, delayMs: null };
      if (isNew) {
        const next = delayMs === 0 ? 'at once' : `in ${durationText(delayMs)}`;
        const { class: cls, code, message, evidence = null } = lastError;
        note({ ...blank, type: 'output.lost', message: `${output}: ${message} The next attempt follows ${next}.`, class: cls, code, evidence, attempt: snapshot.context.history.attempt, delayMs });
      }
      if (isBack) note({ ...blank, type: 'output.ready', message: `${output}: it runs again.` });
    },
    trace: (camera, output) => entries.get(`${camera}/${output}`),
    forget(camera) {
      for (const key of entries.keys()) if (key.startsWith(`${camera}/`)) entries.delete(key);
    },
  };
}
