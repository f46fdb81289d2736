/** What a camera is turned into at the moment, one mark for each output that is switched on, wanted or failing. Pure. */
import type { CameraView } from '../../../src/api/protocol.ts';
import { reasonWords, type Tone } from './describe.ts';

/** `word` is short; `title` says it whole. */
export type OutputMark = { name: string; word: string; tone: Tone; title: string };

type Output = { state: string; lastError: CameraView['lastError'] };

const tones: Record<string, Tone> = { running: 'live', streaming: 'live', starting: 'busy', finishing: 'busy', backoff: 'warn' };
const stateWords: Record<string, string> = { running: 'running', starting: 'starting', finishing: 'finishing', waiting: 'waiting for the camera', off: 'at rest', backoff: 'failed, tries again' };

/** The marks, in a fixed order. */
export function outputsOf(camera: CameraView): OutputMark[] {
  const { hls, record, frames, sound, transcode } = camera.outputs;
  return [
    liveMark(camera),
    ...(hls.mode === 'off' ? [] : [mark('hls', 'HLS', hls)]),
    ...(record.mode === 'off' ? [] : [mark('record', 'rec', record, 'Recording')]),
    ...(frames.mode === 'off' ? [] : [mark('frames', 'frames', frames, 'Frames')]),
    ...(isAtWork(transcode) ? [mark('transcode', 'H.264', transcode, 'Transcode to H.264')] : []),
    ...(isAtWork(sound) ? [mark('sound', 'sound', sound, 'Sound')] : []),
  ];
}

/** How many of them do what they should; those that fail come before all others. For sorting. */
export function outputRank(camera: CameraView): number {
  const marks = outputsOf(camera);
  return marks.filter(({ tone }) => tone === 'warn').length * 100 + marks.filter(({ tone }) => tone === 'live').length;
}

/** It does what it should while the camera streams something that WebRTC carries, by itself or turned into H.264. */
function liveMark({ state, outputs: { live: { verdict, carriage } } }: CameraView): OutputMark {
  const carried = verdict?.ok === true || carriage === 'transcode';
  return { name: 'live', word: 'WebRTC', tone: state === 'streaming' && carried ? 'live' : 'off', title: `WebRTC: ${verdict?.why ?? 'not known yet'}` };
}

function mark(name: string, word: string, { state, lastError }: Output, title = word): OutputMark {
  const cause = state === 'backoff' && lastError ? `, ${reasonWords[lastError.class]}` : '';
  return { name, word, tone: tones[state] ?? 'off', title: `${title}: ${stateWords[state] ?? state}${cause}` };
}

const isAtWork = <O extends Output>(output: O | undefined): output is O => output !== undefined && output.state !== 'off';
