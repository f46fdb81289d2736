/** Answers to an SDP offer: the format among those offered, the media behind it, in one go. */
import type { RtpCapabilities } from 'mediasoup/types';
import type { Edges } from '../actors/edges.ts';
import { createViewerMedia, type ViewerMedia, type ViewerMediaEvents } from '../actors/viewer-media.ts';
import type { OfferAnswer, OfferedDtls, OfferedH264 } from '../api/control.ts';
import { LookoutError } from '../errors.ts';
import type { Edge } from '../native/edge.ts';
import type { Ingest } from '../native/ingest.ts';

/** First bytes (profile_idc, constraint flags) to take where the camera's own was not offered, best first: as in the page's `profiles.ts`. */
const substitutes = ['640c', '4d00', '42e0', '4200'];

/**
 * The format under which the camera's pictures are sent. Clients decode what the parameter sets say, but offers list
 * profiles first, and Chromium without a hardware decoder offers no High although its decoder plays it.
 */
export function chooseFormat(offered: readonly OfferedH264[], profileLevelId: string): OfferedH264 | undefined {
  const starts = (text: string) => offered.find((format) => format.profileLevelId.startsWith(text));
  const prefixes = [profileLevelId.slice(0, 4), profileLevelId.slice(0, 2), ...substitutes];
  return prefixes.map((prefix) => starts(prefix)).find((format) => format !== undefined) ?? offered[0];
}

/** Makes the media of a viewer who brought an offer; its consumer is still paused. */
export async function mediaForOffer(ingest: Ingest, edges: Edges, { viewer, video, events }: { viewer: string; video: OfferedH264[]; events: ViewerMediaEvents }): Promise<{ media: ViewerMedia; format: OfferedH264 }> {
  const profile: unknown = ingest.producer.rtpParameters.codecs[0]?.parameters?.['profile-level-id'];
  const format = chooseFormat(video, String(profile));
  if (!format) throw new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { cameraId: ingest.camera, message: 'The offer has no H.264 in it.' });
  const loan = await edges.borrow(ingest, format.payloadType);
  try {
    return { media: await createViewerMedia(ingest, { viewer, rtpCapabilities: plainCapabilities(loan.edge), events, loan }), format };
  } catch (cause) {
    loan.release();
    throw new LookoutError('LOOKOUT_SFU_UNAVAILABLE', { cameraId: ingest.camera, cause });
  }
}

/** H.264 alone: retransmissions and header extensions have numbers of the offer's, too, and none is needed. */
function plainCapabilities({ router }: Edge): RtpCapabilities {
  return { codecs: (router.rtpCapabilities.codecs ?? []).filter(({ mimeType }) => mimeType.toLowerCase() === 'video/h264'), headerExtensions: [] };
}

/** Connects and consumes; nothing is sent before the handshake is done, and then from a keyframe on. */
export async function startAtOnce(media: ViewerMedia, dtls: OfferedDtls): Promise<void> {
  await media.connect(dtls);
  for (const consumer of await media.consume()) await consumer.resume();
}

/** What the answer has to say of it. */
export function describeMedia({ transport, consumers }: ViewerMedia, format: OfferedH264): OfferAnswer {
  const [consumer] = consumers();
  const { usernameFragment, password } = transport.iceParameters;
  return {
    iceParameters: { usernameFragment, password },
    iceCandidates: transport.iceCandidates.map(({ foundation, priority, address, protocol, port, tcpType }) => ({ foundation, priority, address, protocol, port, ...(tcpType ? { tcpType } : {}) })),
    fingerprints: transport.dtlsParameters.fingerprints,
    video: { ...format, ssrc: consumer?.rtpParameters.encodings?.[0]?.ssrc ?? 0, cname: consumer?.rtpParameters.rtcp?.cname ?? '' },
  };
}
