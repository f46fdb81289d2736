/** Digests `getStats` of a receiver: rates are differences between two readings, everything else is taken as it is. */
import type { PlayerStats } from '../adapter.ts';

type Inbound = RTCInboundRtpStreamStats & { freezeCount?: number; totalDecodeTime?: number; totalProcessingDelay?: number };
type Codec = { mimeType?: string; sdpFmtpLine?: string };

/** Makes a reader that remembers the last reading. */
export function createStatsReader(): (report: RTCStatsReport) => PlayerStats | null {
  let last: Inbound | undefined;
  return (report) => {
    const inbound = find(report);
    if (!inbound) return null;
    const digest = digestOf({ now: inbound, last, codec: report.get(inbound.codecId ?? '') as Codec | undefined, roundTripMs: roundTripOf(report) });
    last = inbound;
    return digest;
  };
}

function find(report: RTCStatsReport): Inbound | undefined {
  for (const entry of report.values()) {
    const stats = entry as Inbound;
    if (stats.type === 'inbound-rtp' && stats.kind === 'video') return stats;
  }
  return undefined;
}

function roundTripOf(report: RTCStatsReport): number | null {
  for (const entry of report.values()) {
    const { type, state, currentRoundTripTime } = entry as RTCIceCandidatePairStats;
    if (type === 'candidate-pair' && state === 'succeeded' && currentRoundTripTime !== undefined) return currentRoundTripTime * 1000;
  }
  return null;
}

function digestOf({ now, last, codec, roundTripMs }: { now: Inbound; last: Inbound | undefined; codec: Codec | undefined; roundTripMs: number | null }): PlayerStats {
  const seconds = last ? (now.timestamp - last.timestamp) / 1000 : 0;
  const rate = (a: number | undefined, b: number | undefined): number | null => (seconds > 0 && a !== undefined && b !== undefined ? (a - b) / seconds : null);
  const bytes = rate(now.bytesReceived, last?.bytesReceived);
  const frames = last ? (now.framesDecoded ?? 0) - (last.framesDecoded ?? 0) : 0;
  const decoding = last ? (now.totalDecodeTime ?? 0) - (last.totalDecodeTime ?? 0) : 0;
  // From the first packet of a frame here until it was decoded, and before that half a round trip.
  const processing = last && now.totalProcessingDelay !== undefined ? now.totalProcessingDelay - (last.totalProcessingDelay ?? 0) : null;
  return {
    codec: codec?.mimeType?.split('/')[1] ?? null,
    profileLevelId: /profile-level-id=([0-9a-f]{6})/iu.exec(codec?.sdpFmtpLine ?? '')?.[1] ?? null,
    width: now.frameWidth ?? null,
    height: now.frameHeight ?? null,
    fps: rate(now.framesDecoded, last?.framesDecoded),
    bitrate: bytes === null ? null : bytes * 8,
    jitterMs: now.jitter === undefined ? null : now.jitter * 1000,
    packetsLost: now.packetsLost ?? null,
    packetsReceived: now.packetsReceived ?? null,
    framesDecoded: now.framesDecoded ?? null,
    framesDropped: now.framesDropped ?? null,
    freezes: now.freezeCount ?? null,
    decodeMs: frames > 0 ? (decoding / frames) * 1000 : null,
    latencyMs: frames > 0 && processing !== null && roundTripMs !== null ? (processing / frames) * 1000 + roundTripMs / 2 : null,
  };
}
