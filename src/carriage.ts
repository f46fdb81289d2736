/** What WebRTC can carry of a camera's video, and what a transcode makes of the rest: one rule for machines, views and the probe. Pure. */
import type { VideoFormat } from './media.ts';

/** The profiles every router offers (`field-notes.md` §0). The level plays no part in matching. */
export const announcedProfiles = ['42e01f', '42001f', '4d001f', '64001f'] as const;

/** What transcodes make, and announce: constrained baseline (RFC 6184 §8.1), which every browser lists. */
export const transcodedProfile = '42e01f';

/**
 * The profile-level-id to announce to mediasoup, or null where WebRTC has none. Constrained high goes as high, which
 * every decoder of it plays; what the constraint flags say besides is left out, since mediasoup's matching knows few of them.
 */
export function webrtcProfile(profileLevelId: string): (typeof announcedProfiles)[number] | null {
  if (!/^[0-9a-f]{6}$/iu.test(profileLevelId)) return null;
  const constraints = Number.parseInt(profileLevelId.slice(2, 4), 16);
  switch (profileLevelId.slice(0, 2).toLowerCase()) {
    case '42': return (constraints & 0x40) === 0 ? '42001f' : '42e01f';
    case '4d': return (constraints & 0x80) === 0 ? '4d001f' : '42e01f';
    case '64': return '64001f';
    default: return null;
  }
}

/** What decides: the codec, and for H.264 the profile-level-id of the SPS and whether there are B-frames; null is not known. */
export type CarriedMedia = { codec: string; profileLevelId: string | null; bFrames?: boolean | null };

/** Why WebRTC cannot carry it as it is, in a sentence; null where it can, or where nothing is known against it. */
export function plainProblem({ codec, profileLevelId, bFrames = null }: CarriedMedia): string | null {
  if (codec === 'H265') return 'Browsers do not take H.265 over WebRTC.';
  if (codec !== 'H264') return `WebRTC does not carry ${codec}.`;
  if (profileLevelId !== null && webrtcProfile(profileLevelId) === null) return `No browser decodes H.264 with profile-level-id ${profileLevelId} (${unsupportedName(profileLevelId)}) over WebRTC.`;
  return bFrames === true ? 'It has B-frames, which WebRTC does not carry.' : null;
}

function unsupportedName(profileLevelId: string): string {
  const names: Record<string, string> = { '58': 'extended', '6e': 'high 10', '7a': 'high 4:2:2', f4: 'high 4:4:4', '2c': 'CAVLC 4:4:4' };
  return names[profileLevelId.slice(0, 2).toLowerCase()] ?? 'an unknown profile';
}

/** How WebRTC viewers get a camera: its own packets, an H.264 transcode of them, or not at all. */
export type Carriage = 'plain' | 'transcode' | 'none';

/** Decides it. A track that is not known yet is taken for one that can be carried. */
export function carriageOf(media: CarriedMedia | null, transcode: 'never' | 'on-demand'): Carriage {
  if (media === null || plainProblem(media) === null) return 'plain';
  return transcode === 'on-demand' && (media.codec === 'H264' || media.codec === 'H265') ? 'transcode' : 'none';
}

/** What a transcode makes: pixels, kbit/s, and frames between keyframes. `scaled`: the size is not the camera's. `cores`: about what it costs. */
export type TranscodeForm = { width: number | null; height: number | null; scaled: boolean; kbps: number; keyframeEvery: number; cores: number };

/** Where the stream does not say. */
const assumed = { width: 1_920, height: 1_080, fps: 25 } as const;
/** Seconds on one core of a million pixels, measured (docs/decisions.md): decoding, and converting and encoding. */
const cost = { H264: 0.004, H265: 0.005, encode: 0.008 } as const;
const bitsPerPixel = 0.08;
const kbpsRange = [300, 10_000] as const;

/**
 * The form for a video of this kind, at most `maxHeight` lines high. A keyframe comes each second: a viewer who joins has
 * no other way to a first picture, since the hub's cache is in a codec that it cannot take.
 */
export function transcodeForm({ codec, width, height, fps }: Pick<VideoFormat, 'codec' | 'width' | 'height' | 'fps'>, maxHeight: number): TranscodeForm {
  const from = { width: width ?? assumed.width, height: height ?? assumed.height };
  const scaled = from.height > maxHeight;
  const to = scaled ? { width: even(from.width * maxHeight / from.height), height: even(maxHeight) } : from;
  const rate = fps ?? assumed.fps;
  const megapixels = (size: { width: number; height: number }): number => (size.width * size.height * rate) / 1e6;
  const kbps = Math.round(megapixels(to) * 1_000 * bitsPerPixel);
  return {
    ...(scaled ? to : { width, height }), scaled,
    kbps: Math.min(kbpsRange[1], Math.max(kbpsRange[0], kbps)),
    keyframeEvery: Math.max(1, Math.round(rate)),
    cores: Math.round((megapixels(from) * cost[codec] + megapixels(to) * cost.encode) * 100) / 100,
  };
}

/** 4:2:0 has one sample of colour for two pixels. */
const even = (pixels: number): number => Math.max(2, Math.round(pixels / 2) * 2);
