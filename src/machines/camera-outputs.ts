/** What a camera decides about its outputs: who shall run, on which hub, and what follows a crash. Pure; the actions are in `camera-setup.ts`. */
import type { Failure } from '../errors.ts';
import type { CameraContext } from './camera-context.ts';
import { carriage, transcodeOf } from './camera-live.ts';
import type { Hub, OutputName, OutputOptions } from './events.ts';
import type { OutputInput } from './output.ts';
import { jittered } from './policy.ts';

/** What a camera knows of one of its outputs. */
export type OutputEntry = {
  /** Its actor runs; commands to one that does not would make the camera itself throw. */
  alive: boolean;
  /** It holds a host and a file that wants to be finished. */
  open: boolean;
  /** How often its actor crashed since the stream was fresh for long enough. */
  crashes: number;
  /** What the crash said; null once it runs again. */
  error: Failure | null;
};

export const outputNames: readonly OutputName[] = ['hls', 'record', 'frames', 'sound', 'transcode'];

/** Outputs of a camera that has not run yet. */
const noOutput: OutputEntry = { alive: false, open: false, crashes: 0, error: null };
export const noOutputs: Record<OutputName, OutputEntry> = { hls: noOutput, record: noOutput, frames: noOutput, sound: noOutput, transcode: noOutput };

/** Whether this camera is to be recorded now. Pure configuration for `continuous`, an operator's or a schedule's word else. */
export function wantsRecording({ config, recordingWanted }: Pick<CameraContext, 'config' | 'recordingWanted'>): boolean {
  const { mode } = config.outputs.record;
  return mode === 'continuous' || (mode !== 'off' && recordingWanted);
}

/** Whether this camera is to be offered over HLS now. */
export function wantsHls({ config, hlsWanted }: Pick<CameraContext, 'config' | 'hlsWanted'>): boolean {
  const { mode } = config.outputs.hls;
  return mode === 'always' || (mode === 'on-demand' && hlsWanted);
}

/** Whether an output is to run. */
export function wantsOutput(context: CameraContext, output: OutputName): boolean {
  switch (output) {
    case 'hls': return wantsHls(context);
    case 'record': return wantsRecording(context);
    case 'frames': return context.config.outputs.frames.mode === 'always';
    case 'sound': return context.soundWanted;
    case 'transcode': return context.transcodeWanted && carriage(context) === 'transcode';
  }
}

/** Whether an output has work while a source runs: an on-demand camera keeps its source for it. */
export function needsSource(context: CameraContext): boolean {
  return outputNames.some((output) => wantsOutput(context, output));
}

/** Outputs that the configuration asks for and that have no actor; sound and transcode have none before somebody wants them. */
export function missingOutputs(context: CameraContext): OutputName[] {
  return outputNames.filter((name) => !context.outputs[name].alive && isConfigured(context, name));
}

/** Whether it is there at all, at work or not. */
export function isConfigured(context: CameraContext, name: OutputName): boolean {
  return name === 'sound' || name === 'transcode' ? wantsOutput(context, name) : context.config.outputs[name].mode !== 'off';
}

export function livingOutputs({ outputs }: CameraContext): OutputName[] {
  return outputNames.filter((name) => outputs[name].alive);
}

/** The hub of the running source, if there is one. */
export function hubOf({ host, media, description, stats }: CameraContext): Hub | null {
  const codec = media?.codec ?? description?.video?.codec;
  if (!host?.hubPort || !codec) return null;
  const sound = host.soundPort && description?.sound ? { ...description.sound, port: host.soundPort } : null;
  return { port: host.hubPort, codec, gopMs: stats?.keyframeIntervalMs ?? null, sound };
}

/** The hub as an output wants it: none for the sound of a camera that has none, nor for a transcode whose form is not known yet. */
export function hubFor(context: CameraContext, output: OutputName): Hub | null {
  const hub = hubOf(context);
  if (output === 'transcode' && transcodeOf(context) === null) return null;
  return output === 'sound' && !hub?.sound ? null : hub;
}

export function outputOptions(context: CameraContext, output: OutputName): OutputOptions {
  const { record, frames: { width, height, fps, format } } = context.config.outputs;
  switch (output) {
    case 'hls': return { segmentSeconds: context.settings.hlsSegmentSeconds };
    case 'record': return { segmentSeconds: record.segmentSeconds };
    case 'sound': return { segmentSeconds: 0 };
    case 'transcode': return transcodeOf(context) ?? { segmentSeconds: 0 };
    case 'frames': return { width, height, fps, format };
  }
}

/** What the actor of an output is started with. */
export function outputInput(context: CameraContext, output: OutputName): OutputInput {
  const { config, settings, history } = context;
  return { camera: config.id, output, wanted: wantsOutput(context, output), options: outputOptions(context, output), hub: hubFor(context, output), settings: settings.output, seed: history.seed };
}

export function withOutput({ outputs }: CameraContext, name: OutputName, change: Partial<OutputEntry>): Pick<CameraContext, 'outputs'> {
  return { outputs: { ...outputs, [name]: { ...outputs[name], ...change } } };
}

/** Nobody's crashes count any more. */
export function forgiven({ outputs }: CameraContext): CameraContext['outputs'] {
  return Object.fromEntries(outputNames.map((name) => [name, { ...outputs[name], crashes: 0 }])) as CameraContext['outputs'];
}

/** At once after the first crash, then ever later. A turn of the clock lies between, so that no crash at the start becomes an endless loop. */
export function outputRespawnMs({ outputs, settings }: CameraContext): number {
  const crashes = Math.max(...outputNames.map((name) => outputs[name].crashes));
  return crashes <= 1 ? 0 : jittered({ ...settings.policy.storage, floorMs: 0 }, crashes - 2, 1).delayMs;
}
