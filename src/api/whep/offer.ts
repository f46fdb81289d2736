/**
 * An SDP offer (RFC 8829) as a WHEP client posts it: what of it can be answered, or what is wrong with it. Whatever looks
 * like a number comes as one out of sdp-transform, also where its types say string: hence `String()` in front of all.
 */
import type { DtlsFingerprint } from 'mediasoup/types';
import { parse, parseParams, type MediaDescription, type SessionDescription } from 'sdp-transform';
import { LookoutError } from '../../errors.ts';
import type { OfferedDtls, OfferedH264 } from '../control.ts';

/** A section of the offer: which one is answered, and what the others must be refused with. */
export type OfferedSection = Pick<MediaDescription, 'type' | 'protocol'> & { mid: string | undefined; payloads: string };

/** What is needed of an offer. */
export type Offer = {
  sections: OfferedSection[];
  /** Index of the one that the camera's pictures go to. */
  chosen: number;
  /** Formats of that one, in the client's order of preference. */
  video: OfferedH264[];
  /** What the client wants to hear about these formats (RFC 4585), by payload type. */
  feedback: { payload: string; type: string; subtype: string | undefined }[];
  dtls: OfferedDtls;
  bundled: boolean;
};

const hashes = ['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'] as const;
/** Where the offer is silent (RFC 6184 §8.1). */
const defaultProfile = '42000a';
const protocols = new Set(['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'TCP/TLS/RTP/SAVPF']);
const longestToken = 64;

/** Reads it. Throws `LOOKOUT_VALIDATION` for what is no usable offer, `LOOKOUT_UNSUPPORTED_MEDIA` for one without H.264. */
export function readOffer(text: string): Offer {
  const sdp = parsed(text);
  const sections = sdp.media.map(({ type, protocol, payloads, mid }) => ({ type, protocol, payloads: String(payloads ?? ''), mid: mid === undefined ? undefined : token(String(mid), 'mid') }));
  const videos = sdp.media.filter((media) => receivesVideo(media, sdp));
  if (videos.length === 0) throw malformed('It has no video section that receives ("a=recvonly").');
  const media = videos.find((one) => formatsOf(one).length > 0);
  if (!media) throw new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { message: 'The offer has no H.264 with packetization-mode=1, and nothing else is sent.' });
  if (!media.rtcpMux) throw malformed('It has no "a=rtcp-mux".');
  if ((media.iceUfrag ?? sdp.iceUfrag) === undefined || (media.icePwd ?? sdp.icePwd) === undefined) throw malformed('It has no "a=ice-ufrag" and "a=ice-pwd".');
  return {
    sections,
    chosen: sdp.media.indexOf(media),
    video: formatsOf(media),
    feedback: (media.rtcpFb ?? []).map(({ payload, type, subtype }) => ({ payload: String(payload), type: String(type), subtype })),
    dtls: { role: roleOf(media.setup ?? sdp.setup), fingerprints: [fingerprintOf(media.fingerprint ?? sdp.fingerprint)] },
    bundled: sdp.groups?.some(({ type, mids }) => type === 'BUNDLE' && String(mids).split(' ').includes(String(media.mid))) ?? false,
  };
}

function parsed(text: string): SessionDescription {
  if (!/^v=0\r?\n/u.test(text)) throw malformed('It does not begin with "v=0".');
  try {
    return parse(text);
  } catch (cause) {
    throw malformed('It cannot be read.', cause);
  }
}

function receivesVideo({ type, protocol, port, bundleOnly, direction }: MediaDescription, sdp: SessionDescription): boolean {
  const way = direction ?? sdp.direction ?? 'sendrecv';
  return type === 'video' && protocols.has(protocol) && (port !== 0 || bundleOnly !== undefined) && (way === 'recvonly' || way === 'sendrecv');
}

/** H.264 in the mode that the camera's packets are in, in the order of the `m=` line. */
function formatsOf({ rtp, fmtp, payloads = '' }: MediaDescription): OfferedH264[] {
  return String(payloads).split(' ').map(Number).flatMap((payloadType) => {
    const codec = rtp.find(({ payload }) => payload === payloadType);
    if (String(codec?.codec).toUpperCase() !== 'H264' || codec?.rate !== 90_000) return [];
    const parameters = parseParams(String(fmtp.find(({ payload }) => payload === payloadType)?.config ?? ''));
    const profileLevelId = String(parameters['profile-level-id'] ?? defaultProfile).toLowerCase();
    return String(parameters['packetization-mode']) === '1' && /^[0-9a-f]{6}$/u.test(profileLevelId) && payloadType <= 127 ? [{ payloadType, profileLevelId }] : [];
  });
}

/** Ours is the other one; of "actpass" we leave the beginning to the client, as RFC 8842 §5.3 wants it. */
function roleOf(setup: string | undefined): OfferedDtls['role'] {
  if (setup === 'passive') return 'server';
  if (setup === 'active' || setup === 'actpass') return 'client';
  throw malformed('It has no "a=setup" of actpass, active or passive.');
}

function fingerprintOf(found: { type: string; hash: string } | undefined): DtlsFingerprint {
  const algorithm = hashes.find((hash) => hash === String(found?.type).toLowerCase());
  if (!found || !algorithm || !/^[0-9A-F]{2}(?::[0-9A-F]{2}){19,63}$/iu.test(String(found.hash))) throw malformed('It has no "a=fingerprint" with a hash that is known.');
  return { algorithm, value: found.hash.toUpperCase() };
}

/** A name of the client's goes into the answer only where it is one (RFC 4566 `token`). */
function token(text: string, what: string): string {
  if (text.length > longestToken || !/^[\w!#$%&'*+.^`{|}~-]+$/u.test(text)) throw malformed(`Its "${what}" is no token.`);
  return text;
}

const malformed = (message: string, cause?: unknown) => new LookoutError('LOOKOUT_VALIDATION', { message: `The body is not an SDP offer that can be answered. ${message}`, cause });
