/** Judges whether a playing source is fresh: counters in, facts out. Pure; time comes with the sample. */
import { failure, type Failure } from '../errors.ts';
import type { HealthLimits } from './protocol.ts';

/**
 * The counters of one moment. `at` is a monotonic clock in ms; `rtpTime` the newest RTP timestamp at 90 kHz; `packetAt` and
 * `keyframeAt` say when the newest came, where that is known better than by the moment of looking.
 */
export type Sample = { at: number; packets: number; frames: number; keyframes: number; audioPackets: number; rtpTime: number | null; packetAt?: number | null; keyframeAt?: number | null };

/** What a sample proves. Nothing follows a failure. */
export type FreshnessFact = { type: 'flowing' } | { type: 'stalled'; sinceMs: number } | { type: 'failed'; failure: Failure };

/** What must be remembered between samples. */
export type Freshness = {
  startedAt: number;
  last: Sample;
  status: 'waiting' | 'flowing' | 'stalled' | 'failed';
  firstPacketAt: number | null;
  packetAt: number | null;
  keyframeAt: number | null;
  audioAt: number | null;
  /** When the RTP clock last advanced. */
  rtpAt: number | null;
  /** Longest distance between two keyframes, ms, as coarse as the sampling. */
  longestGopMs: number | null;
};

const clockRate = 90;

/** The state at PLAY, before any packet. */
export function beginFreshness(at: number): Freshness {
  const last: Sample = { at, packets: 0, frames: 0, keyframes: 0, audioPackets: 0, rtpTime: null };
  return { startedAt: at, last, status: 'waiting', firstPacketAt: null, packetAt: null, keyframeAt: null, audioAt: null, rtpAt: null, longestGopMs: null };
}

/** Takes one sample: the next state, and the facts that became true with it. */
export function judge(before: Freshness, sample: Sample, limits: HealthLimits): { state: Freshness; facts: FreshnessFact[] } {
  if (before.status === 'failed') return { state: before, facts: [] };
  const state = observe(before, sample);
  const failed = findFailure(before, state, limits);
  if (failed !== null) return { state: { ...state, status: 'failed' }, facts: [{ type: 'failed', failure: failed }] };
  const arrived = sample.packets > before.last.packets;
  if (arrived && state.status !== 'flowing') return { state: { ...state, status: 'flowing' }, facts: [{ type: 'flowing' }] };
  const silentFor = sample.at - (state.packetAt ?? sample.at);
  if (state.status === 'flowing' && silentFor >= Math.max(limits.stallMs, 2.5 * frameIntervalMs(state))) {
    return { state: { ...state, status: 'stalled' }, facts: [{ type: 'stalled', sinceMs: Math.round(silentFor) }] };
  }
  return { state, facts: [] };
}

/** Mean distance between frames, ms; 0 before two of them came. */
export function frameIntervalMs(state: Freshness): number {
  if (state.firstPacketAt === null || state.packetAt === null || state.last.frames < 2) return 0;
  return (state.packetAt - state.firstPacketAt) / (state.last.frames - 1);
}

function observe(before: Freshness, sample: Sample): Freshness {
  const { at } = sample;
  const state: Freshness = { ...before, last: sample };
  if (sample.packets > before.last.packets) {
    state.packetAt = sample.packetAt ?? at;
    state.firstPacketAt ??= state.packetAt;
  }
  if (sample.audioPackets > before.last.audioPackets) state.audioAt = at;
  if (sample.keyframes > before.last.keyframes) {
    const keyframeAt = sample.keyframeAt ?? at;
    const gop = before.keyframeAt === null ? null : (keyframeAt - before.keyframeAt) / (sample.keyframes - before.last.keyframes);
    if (gop !== null) state.longestGopMs = Math.max(before.longestGopMs ?? 0, gop);
    state.keyframeAt = keyframeAt;
  }
  if (sample.rtpTime !== before.last.rtpTime) state.rtpAt = at;
  return state;
}

function findFailure(before: Freshness, state: Freshness, limits: HealthLimits): Failure | null {
  return missingVideo(state, limits) ?? silence(state, limits) ?? missingKeyframe(state, limits) ?? brokenClock(before, state, limits);
}

function keyframeLimit(state: Freshness, limits: HealthLimits): number {
  return Math.max(limits.keyframeMs, 3 * (state.longestGopMs ?? 0));
}

/** Audio goes on without video: the connection lives, so the longer limit applies. */
function missingVideo(state: Freshness, limits: HealthLimits): Failure | null {
  if (!hasAudio(state, limits)) return null;
  const since = state.packetAt ?? state.startedAt;
  const ms = state.last.at - since;
  return ms < keyframeLimit(state, limits) ? null
    : failure('video-missing', 'video-missing', `The camera sends audio but no video for ${seconds(ms)}.`, counters(state));
}

function hasAudio(state: Freshness, limits: HealthLimits): boolean {
  return state.audioAt !== null && state.last.at - state.audioAt < limits.silentMs;
}

function silence(state: Freshness, limits: HealthLimits): Failure | null {
  if (hasAudio(state, limits)) return null;
  const since = state.packetAt ?? state.audioAt;
  if (since === null) {
    const ms = state.last.at - state.startedAt;
    return ms < limits.firstPacketMs ? null : failure('silent', 'no-first-packet', `The camera accepted PLAY but sent nothing for ${seconds(ms)}.`, counters(state));
  }
  const ms = state.last.at - since;
  if (ms < Math.max(limits.silentMs, 5 * frameIntervalMs(state))) return null;
  return failure('silent', 'silent', `Connected, but no packet for ${seconds(ms)}.`, counters(state));
}

function missingKeyframe(state: Freshness, limits: HealthLimits): Failure | null {
  const since = state.keyframeAt ?? state.firstPacketAt;
  if (since === null) return null;
  // Without any packet it is silence, or video is missing: other limits, other names.
  if (state.last.at - (state.packetAt ?? since) >= limits.stallMs) return null;
  const ms = state.last.at - since;
  if (ms < keyframeLimit(state, limits)) return null;
  return failure('no-keyframe', 'no-keyframe', `Packets arrive, but no keyframe for ${seconds(ms)}.`, counters(state));
}

/** The RTP clock must follow ours: no jump against it, no standing still while packets arrive. */
function brokenClock(before: Freshness, state: Freshness, limits: HealthLimits): Failure | null {
  const [from, to] = [before.last.rtpTime, state.last.rtpTime];
  if (to === null || state.rtpAt === null) return null;
  if (state.packetAt !== null && state.packetAt - state.rtpAt >= limits.ptsJumpMs) {
    return failure('timestamps', 'timestamps-frozen', `Packets arrive, but their timestamps stand still for ${seconds(state.packetAt - state.rtpAt)}.`, `RTP timestamp ${to}`);
  }
  if (from === null || before.rtpAt === null || from === to) return null;
  // Signed 32-bit difference: the RTP clock wraps every 13 hours.
  const jumpMs = ((to - from) | 0) / clockRate - (state.rtpAt - before.rtpAt);
  if (Math.abs(jumpMs) < limits.ptsJumpMs) return null;
  return failure('timestamps', 'timestamps-jumped', `The camera's timestamps jumped ${jumpMs > 0 ? 'ahead' : 'back'} by ${seconds(Math.abs(jumpMs))}.`, `RTP timestamp ${from} → ${to}`);
}

function counters({ last }: Freshness): string {
  return `${last.packets} packets, ${last.frames} frames, ${last.keyframes} keyframes, ${last.audioPackets} audio packets so far`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
