/** The parts of launch descriptions that carry sound, beside the video and never in its way. Pure. */
import type { SoundFormat } from '../media.ts';
import { integer } from './launch-number.ts';
import type { SoundHub } from './protocol.ts';

/** By codec: the RTP encoding name, and what takes sound out of RTP. */
const depayloaders = { AAC: ['MPEG4-GENERIC', 'rtpmp4gdepay'], PCMU: ['PCMU', 'rtppcmudepay'], PCMA: ['PCMA', 'rtppcmadepay'] } as const;

/** A minute of the densest sound a camera has. Readers that are further behind go on with what is new. */
const softBytes = 1024 * 1024;

/** What of a source's tracks is this sound: the fields behind `application/x-rtp`. */
export function soundTrack(sound: SoundFormat | null | undefined): string {
  return sound ? `media=audio,encoding-name=${depayloaders[sound.codec][0]}` : 'media=audio';
}

/** What `lookoutflight` holds the payloads of this sound to; 0 where nobody takes it. */
export function payloadCodec(sound: SoundFormat | null | undefined): number {
  return sound ? { AAC: 3, PCMU: 4, PCMA: 4 }[sound.codec] : 0;
}

/**
 * Where the audio track of a source ends: in a hub of its own, or, where nobody could take it, in a valve. The valve is no
 * sink and the hub of sound says it is none: the bus says EOS when every sink had it, and sound that never comes would
 * keep it from the others.
 */
export function soundEnd(sound: SoundFormat | null | undefined, rtpOffset: number): string {
  if (!sound) return 'valve drop=true';
  return `${depayloaders[sound.codec][1]} ! lookouthub name=sound-hub sound=true timestamp-offset=${integer(rtpOffset, 0, 0xffffffff)} soft-bytes=${softBytes}`;
}

/** The reading end of {@link soundEnd}, on the time line of the video's `lookoutclock`. Never late: silence is told with GAP events. */
export function soundClient(sound: SoundHub): string {
  return `lookoutsound port=${integer(sound.port, 1, 65_535)} caps="${soundCaps(sound)}"`;
}

/** Caps of the sound, made of checked numbers and digits. */
function soundCaps({ codec, rate, channels, config }: SoundFormat): string {
  const numbers = `rate=(int)${integer(rate, 1, 192_000)},channels=(int)${integer(channels, 1, 8)}`;
  if (codec !== 'AAC') return `audio/${codec === 'PCMU' ? 'x-mulaw' : 'x-alaw'},${numbers}`;
  if (config === null || !/^[0-9a-f]{4,64}$/u.test(config)) throw new RangeError('AAC without an AudioSpecificConfig.');
  return `audio/mpeg,mpegversion=(int)4,framed=(boolean)true,stream-format=(string)raw,${numbers},codec_data=(buffer)${config}`;
}
