/**
 * H.264 profiles between server and browser. Browsers decode what the parameter sets say, but SDP has them list profiles
 * first, and Chromium without a hardware decoder lists no High although its decoder plays it. Most cameras send High. So
 * a profile that the browser does not list is announced to it as one that it lists, and to the server as what it is.
 */
import type { types } from 'mediasoup-client';

/** First bytes (profile_idc, constraint flags) to announce instead, best first: constrained high, main, constrained baseline, baseline. */
const substitutes = ['640c', '4d00', '42e0', '4200'];

export type ProfileBridge = {
  /** What the device is loaded with. */
  routerCapabilities: types.RtpCapabilities;
  /** The device's capabilities as the server must hear them. */
  toServer: (capabilities: types.RtpCapabilities) => types.RtpCapabilities;
  /** A consumer's parameters as the browser must hear them. */
  toBrowser: (parameters: types.RtpParameters) => types.RtpParameters;
};

/** Bridges what `listed` (profile-level-ids of the browser) lacks. */
export function bridgeProfiles(router: types.RtpCapabilities, listed: string[]): ProfileBridge {
  const substitute = substitutes.map((prefix) => listed.find((id) => id.startsWith(prefix))).find((id) => id !== undefined);
  const real = new Map<number, string>();
  for (const codec of router.codecs ?? []) {
    const id = profileOf(codec);
    if (id !== null && !listed.some((one) => one.slice(0, 4) === id.slice(0, 4))) real.set(codec.preferredPayloadType, id);
  }
  if (substitute === undefined || real.size === 0) return { routerCapabilities: router, toServer: (same) => same, toBrowser: (same) => same };
  return {
    routerCapabilities: withProfiles(router, (payloadType) => (real.has(payloadType) ? substitute : null)),
    toServer: (capabilities) => withProfiles(capabilities, (payloadType) => real.get(payloadType) ?? null),
    toBrowser: (parameters) => withProfiles(parameters, (payloadType) => (real.has(payloadType) ? substitute : null)),
  };
}

/** The profile-level-ids this browser lists for receiving. */
export function listedProfiles(): string[] {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  return codecs.flatMap(({ sdpFmtpLine = '' }) => /profile-level-id=([0-9a-f]{6})/iu.exec(sdpFmtpLine)?.[1]?.toLowerCase() ?? []);
}

/** Codecs of capabilities and of parameters name their payload type differently. */
type Codec = { mimeType: string; preferredPayloadType?: number; payloadType?: number; parameters?: Record<string, unknown> };

/** A copy in which the H.264 codecs have the profile-level-id that `choose` gives for their payload type; null leaves one as it is. */
function withProfiles<T extends { codecs?: Codec[] }>(from: T, choose: (payloadType: number) => string | null): T {
  const copy = structuredClone(from);
  for (const codec of copy.codecs ?? []) {
    const id = profileOf(codec) === null ? null : choose(codec.payloadType ?? codec.preferredPayloadType ?? -1);
    if (id !== null) codec.parameters = { ...codec.parameters, 'profile-level-id': id };
  }
  return copy;
}

function profileOf({ mimeType, parameters }: Codec): string | null {
  const id = parameters?.['profile-level-id'];
  return mimeType.toLowerCase() === 'video/h264' && typeof id === 'string' ? id.toLowerCase() : null;
}
