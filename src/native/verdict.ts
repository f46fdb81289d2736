/** What each path (WebRTC, HLS, recording, frames, transcode) does with what a camera sends, and why, in sentences for a person. A table; pure. */
import { carriageOf, plainProblem, transcodeForm, type CarriedMedia } from '../carriage.ts';
import type { AudioFormat, SoundFormat, VideoFormat } from '../media.ts';
import { liveSoundProblem } from './sound-path.ts';

/** Yes or no, with a sentence for a person. */
export type Verdict = { ok: boolean; why: string };

/** Why, of the video, everywhere where there is none. */
const noVideo: Verdict = { ok: false, why: 'The camera offers no video.' };

/**
 * Judges a camera's video for WebRTC viewers, where its configuration is known: `transcode` is its `outputs.live.transcode`.
 * An H.264 track whose SPS was not announced passes: the stream itself will tell.
 */
export function webrtcVerdict(media: CarriedMedia | null, transcode: 'never' | 'on-demand' = 'never'): Verdict {
  if (media === null) return noVideo;
  const problem = plainProblem(media);
  if (problem === null) return { ok: true, why: media.profileLevelId === null ? 'H.264; the profile shows with the first keyframe.' : `H.264 with profile-level-id ${media.profileLevelId}${media.bFrames === false ? ', without B-frames' : ''}.` };
  if (carriageOf(media, transcode) === 'transcode') return { ok: true, why: `${problem} It is turned into H.264 while somebody watches.` };
  return { ok: false, why: `${problem} ${media.bFrames === true && media.codec === 'H264' ? 'Turn them off in the camera, or let' : 'Let'} it be turned into H.264 (outputs.live.transcode: on-demand). HLS and recordings have it as it is.` };
}

/** What is known of a stream; null is not known. */
export type SeenStream = { video: VideoFormat | null; bFrames: boolean | null; gopMs: number | null };

/** What bounds transcodes: lines of the picture, and cores for all cameras together. */
export type TranscodeLimits = { maxHeight: number; cores: number };

/** The verdict of each path of the video. */
export type PathVerdicts = { webrtc: Verdict; hls: Verdict; recording: Verdict; frames: Verdict; transcode: Verdict };

/** Judges what was seen of a camera that is not added yet. */
export function pathVerdicts({ video, bFrames, gopMs }: SeenStream, limits: TranscodeLimits): PathVerdicts {
  if (video === null) return { webrtc: noVideo, hls: noVideo, recording: noVideo, frames: noVideo, transcode: noVideo };
  const media = { ...video, bFrames };
  const name = video.codec === 'H264' ? 'H.264' : 'H.265';
  return {
    webrtc: webrtcVerdict(media),
    hls: { ok: true, why: `${name} is kept as it is.${hlsWarning(media, gopMs)}` },
    recording: { ok: true, why: `${name} is kept as it is.${longGop(gopMs) ? ` A file ends at a keyframe, and they come every ${seconds(gopMs)}.` : ''}` },
    frames: { ok: true, why: `${name}${sizeOf(video)} can be decoded.` },
    transcode: transcodeVerdict(media, limits),
  };
}

/** HLS of a longer GOP than this has segments longer than a player likes. */
const longGopMs = 4_000;
const longGop = (gopMs: number | null): gopMs is number => gopMs !== null && gopMs > longGopMs;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function hlsWarning(media: CarriedMedia, gopMs: number | null): string {
  const decoding = media.codec === 'H265' ? ' Browsers play it only where the system has a decoder for it.'
    : plainProblem({ ...media, bFrames: false }) === null ? '' : ' Few browsers decode this profile; other players do.';
  return `${decoding}${longGop(gopMs) ? ` Keyframes come every ${seconds(gopMs)}: segments are as long, and players that far behind.` : ''}`;
}

function transcodeVerdict(media: VideoFormat & { bFrames: boolean | null }, { maxHeight, cores }: TranscodeLimits): Verdict {
  if (plainProblem(media) === null) return { ok: true, why: 'Not needed: WebRTC carries it as it is.' };
  const form = transcodeForm(media, maxHeight);
  const cost = `about ${coresText(form.cores)} while somebody watches`;
  if (form.cores > cores) return { ok: false, why: `It would take ${cost}, and ${coresText(cores)} are allowed for all cameras together (transcode.cores).` };
  return { ok: true, why: `With outputs.live.transcode "on-demand", WebRTC viewers get H.264${sizeOf(form)} for ${cost}.` };
}

const coresText = (cores: number): string => `${cores} ${cores === 1 ? 'core' : 'cores'}`;
const sizeOf = ({ width, height, fps = null }: { width: number | null; height: number | null; fps?: number | null }): string =>
  (width === null || height === null ? '' : ` of ${width} × ${height}${fps === null ? '' : ` at ${fps} fps`}`);

/** What becomes of a camera's sound on each path. */
export type SoundVerdicts = { webrtc: Verdict; hls: Verdict; recording: Verdict };

/** Judges the audio track: what was announced, and what of it Lookout carries on. Null where the camera has no sound. */
export function soundVerdicts(audio: AudioFormat | null, sound: SoundFormat | null): SoundVerdicts | null {
  if (audio === null) return null;
  if (sound === null) {
    const no = { ok: false, why: audio.codec === 'MPEG4-GENERIC' ? 'The camera does not say how its AAC is configured.' : `Lookout carries AAC, PCMU and PCMA on, not ${audio.codec}: choose one of them in the camera.` };
    return { webrtc: no, hls: no, recording: no };
  }
  const problem = liveSoundProblem(sound);
  const asItIs = { ok: true, why: `${sound.codec} is kept as it is.` };
  return {
    webrtc: problem !== null ? { ok: false, why: problem } : sound.codec === 'AAC' ? { ok: true, why: 'AAC is turned into Opus while somebody listens.' } : { ok: true, why: `${sound.codec} is sent as it is.` },
    hls: sound.codec === 'AAC' ? asItIs : { ok: false, why: `No browser plays ${sound.codec} over HLS: it is left out there.` },
    recording: asItIs,
  };
}
