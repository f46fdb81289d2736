/** The SDP answer: one section sends the camera's pictures, all others are refused. */
import { write, type MediaDescription, type SessionDescription } from 'sdp-transform';
import type { OfferAnswer } from '../control.ts';
import type { Offer, OfferedSection } from './offer.ts';

/** Feedback that is heard: retransmission, and requests for a keyframe. */
const heard = [['nack', undefined], ['nack', 'pli'], ['ccm', 'fir']] as const;
const nowhere = { version: 4, ip: '0.0.0.0' } as const;
/** "Discard": the address is in the candidates (RFC 8829 §5.3.1). */
const discardPort = 9;

/** Writes it. `id` names the session in it, a whole number. */
export function writeAnswer(offer: Offer, answer: OfferAnswer, id: number): string {
  const mid = offer.sections[offer.chosen]?.mid;
  const sdp: SessionDescription = {
    version: 0,
    origin: { username: '-', sessionId: id, sessionVersion: 1, netType: 'IN', ipVer: 4, address: '127.0.0.1' },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    ...(offer.bundled && mid !== undefined ? { groups: [{ type: 'BUNDLE', mids: mid }] } : {}),
    media: offer.sections.map((section, index) => (index === offer.chosen ? sending(offer, section, answer) : refused(section))),
  };
  return write(sdp);
}

function sending(offer: Offer, section: OfferedSection, { iceParameters, iceCandidates, fingerprints, video }: OfferAnswer): MediaDescription {
  const { payloadType: payload, profileLevelId, ssrc, cname } = video;
  const wants = (type: string, subtype: string | undefined) => offer.feedback.some((one) => (one.payload === '*' || one.payload === String(payload)) && one.type === type && one.subtype === subtype);
  const strongest = fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? fingerprints[0];
  return {
    ...common(section, discardPort, String(payload)),
    direction: 'sendonly',
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
    candidates: iceCandidates.map(({ foundation, priority, address, protocol, port, tcpType }) => ({ foundation, component: 1, transport: protocol, priority, ip: address, port, type: 'host', ...(tcpType ? { tcptype: tcpType } : {}) })),
    endOfCandidates: 'end-of-candidates',
    ...(strongest ? { fingerprint: { type: strongest.algorithm, hash: strongest.value } } : {}),
    setup: offer.dtls.role === 'client' ? 'passive' : 'active',
    rtcpMux: 'rtcp-mux',
    rtp: [{ payload, codec: 'H264', rate: 90_000 }],
    fmtp: [{ payload, config: `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}` }],
    rtcpFb: heard.flatMap(([type, subtype]) => (wants(type, subtype) ? [{ payload, type, ...(subtype === undefined ? {} : { subtype }) }] : [])),
    msid: [{ id: 'lookout', appdata: 'video' }],
    ssrcs: [{ id: ssrc, attribute: 'cname', value: cname }],
  };
}

/** Port 0, the formats as they were offered (RFC 3264 §6). */
const refused = (section: OfferedSection): MediaDescription => ({ ...common(section, 0, section.payloads), direction: 'inactive', rtp: [], fmtp: [] });

const common = ({ type, protocol, mid }: OfferedSection, port: number, payloads: string) => ({ type, protocol, port, payloads, connection: nowhere, ...(mid === undefined ? {} : { mid }) });
