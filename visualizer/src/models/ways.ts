/** Which way a camera is shown here — WebRTC, else HLS, else still pictures — and why not a better one. Pure. */
import type { CameraView, MediaView } from '../../../src/api/protocol.ts';

export type Way = 'webrtc' | 'hls' | 'stills';

/** `why` says what keeps the ways before it from being taken; null for WebRTC. */
export type Choice = { way: Way; why: string | null };

/** What is known here: whether WebRTC carries the stream that is wanted, what the server refused it with, if it did, what HLS failed with, if it did, and whether this browser decodes an MSE type. */
export type Circumstances = { carried: boolean; refusal: string | null; hlsProblem: string | null; supports: (type: string) => boolean };

/** Chooses. Before the verdict is there WebRTC is tried. */
export function chooseWay({ media, outputs: { live, hls } }: CameraView, { carried, refusal, hlsProblem, supports }: Circumstances): Choice {
  const liveProblem = !carried && live.verdict?.ok === false ? firstSentence(live.verdict.why) : refusal;
  if (liveProblem === null) return { way: 'webrtc', why: null };
  const problem = hls.mode === 'off' ? 'HLS is switched off for this camera.'
    : media !== null && !supports(mseType(media)) ? `This browser has no decoder for ${media.codec === 'H265' ? 'H.265' : 'this H.264 profile'}, so HLS cannot be played either.`
      : hlsProblem;
  return problem === null ? { way: 'hls', why: liveProblem } : { way: 'stills', why: `${liveProblem} ${problem}` };
}

/** The type that Media Source Extensions are asked about (RFC 6381). Of H.265 the profile alone is known; the level is a common one. */
export function mseType({ codec, profile, profileLevelId }: Pick<MediaView, 'codec' | 'profile' | 'profileLevelId'>): string {
  if (codec === 'H265') return `video/mp4; codecs="hvc1.${profile === 'main-10' ? '2.4' : '1.6'}.L120.B0"`;
  return `video/mp4; codecs="avc1.${profileLevelId ?? '42e01f'}"`;
}

/** The rest of a verdict says what could be done, which fits no tile; the Add form and the single view have it whole. */
const firstSentence = (text: string): string => /^.*?[.](?=\s|$)/u.exec(text)?.[0] ?? text;

/** The name of a way, with what it carries. */
export function wayWord({ way }: Choice, { outputs: { live } }: CameraView): string {
  if (way === 'hls') return 'HLS';
  if (way === 'stills') return 'Still pictures';
  return live.carriage === 'transcode' ? 'WebRTC, turned into H.264' : 'WebRTC';
}
