/** The audio track of a description as Lookout can carry it on (RFC 3551 §4.5.14 for G.711, RFC 3640 §4.1 for AAC). Pure. */
import type { SoundFormat } from '../media.ts';
import type { SdpFormat } from './sdp.ts';

/** Sampling rates by their index in an AudioSpecificConfig (ISO/IEC 14496-3 table 1.18). */
const rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/** Object types: AAC LC, and those that wrap it with band replication and parametric stereo. */
const objectTypes = new Set([2, 5, 29]);

/** Null for what nobody here takes: another codec, AAC without a configuration, a rate that no format names. */
export function soundOf({ encoding, clockRate, channels, parameters }: SdpFormat): SoundFormat | null {
  if (encoding === 'PCMU' || encoding === 'PCMA') {
    return clockRate >= 8_000 && clockRate <= 48_000 && channels <= 2 ? { codec: encoding, rate: clockRate, channels, config: null } : null;
  }
  const config = parameters.get('config')?.toLowerCase() ?? '';
  if (encoding !== 'MPEG4-GENERIC' || !/^(?:[0-9a-f]{2}){2,32}$/u.test(config)) return null;
  const format = configured(Number.parseInt(config.slice(0, 4), 16));
  return format && { codec: 'AAC', ...format, config };
}

/** What the first two bytes say: 5 bits of object type, 4 of the rate's index, 4 of the channels. */
function configured(head: number): { rate: number; channels: number } | null {
  const rate = rates[(head >> 7) & 0xf];
  const channels = (head >> 3) & 0xf;
  return objectTypes.has(head >> 11) && rate !== undefined && channels >= 1 && channels <= 2 ? { rate, channels } : null;
}
