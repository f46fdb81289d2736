/** What WebRTC can carry of a camera, and under which profile it is announced. Pure. */

import type { AudioFormat, SoundFormat } from '../media.ts';
import { liveSoundProblem } from './sound-path.ts';

/** Yes or no, with a sentence for a person. */
export type Verdict = { ok: boolean; why: string };

/** What decides: the codec, and for H.264 the profile-level-id of the SPS. */
export type CarriedMedia = { codec: string; profileLevelId: string | null } | null;

/** The profiles every router offers (`field-notes.md` §0). The level plays no part in matching. */
export const announcedProfiles = ['42e01f', '42001f', '4d001f', '64001f'] as const;

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

/** Judges a camera's video track. An H.264 track whose SPS was not announced passes: the stream itself will tell. */
export function webrtcVerdict(media: CarriedMedia): Verdict {
  if (media === null) return { ok: false, why: 'The camera offers no video.' };
  if (media.codec === 'H265') return { ok: false, why: 'Browsers do not take H.265 over WebRTC; it is available over HLS and recordings.' };
  if (media.codec !== 'H264') return { ok: false, why: `WebRTC does not carry ${media.codec}.` };
  if (media.profileLevelId === null) return { ok: true, why: 'H.264; the profile shows with the first keyframe.' };
  if (webrtcProfile(media.profileLevelId) !== null) return { ok: true, why: `H.264 with profile-level-id ${media.profileLevelId}.` };
  return { ok: false, why: `No browser decodes H.264 with profile-level-id ${media.profileLevelId} (${unsupportedName(media.profileLevelId)}).` };
}

function unsupportedName(profileLevelId: string): string {
  const names: Record<string, string> = { '58': 'extended', '6e': 'high 10', '7a': 'high 4:2:2', f4: 'high 4:4:4', '2c': 'CAVLC 4:4:4' };
  return names[profileLevelId.slice(0, 2).toLowerCase()] ?? 'an unknown profile';
}

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
